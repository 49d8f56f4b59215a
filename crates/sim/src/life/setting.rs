//! What is there when a life begins: models, two users, two endpoints in service, one of them scaled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::endpoint::Limits;
use domain::iam::NameKey;
use domain::time::Clock;
use metrics::Metrics;
use runtime::fake::Behaviour;
use serde_json::{Value, json};
use store::memory::Disk;
use wire::{Service, iam, sagemaker};

use super::chance::Chances;
use super::dice::Dice;
use super::machine::Machine;
use super::server::{Ground, Server};
use super::witness::Witness;
use super::{Life, Plan};
use crate::world::{BEGINNING, parts};
use crate::{Caller, Fault, SimClock};

/// Instances that may run at once: few enough that now and then there are too many.
const INSTANCES: u32 = 24;

/// A model server that does what it should.
pub(super) fn good() -> Behaviour {
    Behaviour::ready_after(Duration::from_secs(2)).stopping(Duration::from_secs(1))
}

/// One that does so today, or is slow, or dies early, late or over and over, or never gets ready, or cannot be had.
pub(super) fn fickle(dice: &mut Dice) -> Behaviour {
    let second = Duration::from_secs(1);
    match dice.below(9) {
        0..=2 => good(),
        3 => Behaviour::ready_after(second * 20).preparing(second * 3).stopping(second * 10),
        4 => Behaviour::ends_after(second, "exit status 1"),
        5 => Behaviour {
            ready_after: Some(second),
            ..Behaviour::ends_after(second * 15, "signal 11")
        },
        6 => Behaviour::never_ready().stopping(second * 5),
        7 => Behaviour::artifact_fails("there is no such object").preparing(second * 2),
        _ => Behaviour::unknown_image("add an [[image]] entry"),
    }
}

impl Life {
    pub(super) fn new(plan: &Plan) -> Result<Self, Fault> {
        let clock = Arc::new(SimClock::at(BEGINNING));
        let metrics =
            Metrics::in_memory(Arc::clone(&clock) as Arc<dyn Clock>).map_err(Fault::of)?;
        let witness = Witness::new(Arc::clone(&clock), plan.whole);
        let ground = Ground {
            metrics: Arc::new(metrics),
            disk: Disk::default(),
            limits: Arc::new(Limits { instances: INSTANCES, by_type: BTreeMap::new() }),
            ids: Arc::default(),
            witness: witness.clone(),
            planted: Arc::clone(&plan.planted),
            clock,
        };
        let chances = Chances::default();
        let driver = chances.driver(&ground);
        let machine = Machine::new(&ground.clock, driver, &witness);
        let server = Server::start(&ground, machine)?;
        let root = parts::root();
        let mut life = Self {
            dice: Dice::new(plan.seed),
            began: ground.clock.now(),
            last: server.store.state(),
            restricted: root.clone(),
            root,
            ground,
            server,
            load: crate::world::load::Load::default(),
            requests: Vec::new(),
            configs: 0,
            chances,
            counts: BTreeMap::new(),
        };
        life.furnish()?;
        Ok(life)
    }

    fn furnish(&mut self) -> Result<(), Fault> {
        for image in ["good", "fickle"] {
            let input = json!({"ModelName": image, "PrimaryContainer": {"Image": image}});
            self.done(&sagemaker::SERVICE, "CreateModel", input)?;
        }
        self.done(&iam::SERVICE, "CreateUser", json!({"UserName": "ann"}))?;
        self.done(&iam::SERVICE, "CreateAccessKey", json!({"UserName": "ann"}))?;
        let statement = json!([{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}]);
        let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        let policy =
            json!({"UserName": "ann", "PolicyName": "hosting", "PolicyDocument": document});
        self.done(&iam::SERVICE, "PutUserPolicy", policy)?;
        self.restricted = self.user("ann")?;
        for endpoint in super::acts::ENDPOINTS {
            let name = format!("first-{endpoint}");
            // The other one has a single variant: only such are updated by batches.
            let count = if endpoint == super::acts::ENDPOINTS[0] { 2 } else { 1 };
            let variants: Vec<Value> = super::acts::VARIANTS[..count]
                .iter()
                .map(|variant| {
                    json!({"VariantName": variant, "ModelName": "good", "InstanceType": "ml.m5.large",
                           "InitialInstanceCount": 4 - count, "ContainerStartupHealthCheckTimeoutInSeconds": 60})
                })
                .collect();
            let config = json!({"EndpointConfigName": name, "ProductionVariants": variants});
            self.done(&sagemaker::SERVICE, "CreateEndpointConfig", config)?;
            let input = json!({"EndpointName": endpoint, "EndpointConfigName": name});
            self.done(&sagemaker::SERVICE, "CreateEndpoint", input)?;
        }
        // Something to update to.
        for _ in 0..3 {
            let asked = self.config();
            self.done(asked.service, asked.operation, asked.input)?;
        }
        self.advance(Duration::from_secs(5));
        Ok(())
    }

    fn done(
        &mut self,
        service: &'static Service,
        operation: &'static str,
        input: Value,
    ) -> Result<(), Fault> {
        let asked = self.asked(service, operation, input);
        self.call(asked)?;
        self.turns();
        Ok(())
    }

    fn user(&self, name: &str) -> Result<Caller, Fault> {
        let state = self.server.store.state();
        let user = state.users.get(&NameKey::new(name));
        let found = user.and_then(|user| parts::caller(user));
        found.ok_or_else(|| Fault(format!("there is no {name}")))
    }
}
