//! One life: what may happen to an endpoint, drawn by lot.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::endpoint::Stage;
use domain::fleet::DRAIN_LIMIT;
use domain::instance::{InstanceId, Phase};
use domain::time::{Clock, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use runtime::fake::Behaviour;
use serde_json::{Value, json};
use sim::World;
use wire::sagemaker::SERVICE;

use crate::laws::Laws;

/// How long a request may last.
const REQUEST_MAX: Duration = Duration::from_mins(1);

pub(crate) struct Life {
    pub(crate) world: World,
    pub(crate) random: StdRng,
    laws: Laws,
    seed: u64,
    requests: Vec<(InstanceId, Timestamp)>,
    /// What they are called by, and what it says of each variant: its instance type.
    configs: BTreeMap<String, BTreeMap<&'static str, &'static str>>,
}

impl Life {
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = World::new().unwrap();
        world.script(
            "good",
            Behaviour::ready_after(Duration::from_secs(2)).stopping(Duration::from_secs(1)),
        );
        world.script(
            "slow",
            Behaviour::ready_after(Duration::from_secs(20)).preparing(Duration::from_secs(3)),
        );
        world.script("bad", Behaviour::ends_after(Duration::from_secs(1), "exit status 1"));
        for image in ["good", "slow", "bad"] {
            let input = json!({"ModelName": image, "PrimaryContainer": {"Image": image}});
            assert_eq!(world.call(&SERVICE, "CreateModel", &input).unwrap().status, 200);
        }
        Self {
            world,
            random: StdRng::seed_from_u64(seed),
            laws: Laws::default(),
            seed,
            requests: Vec::new(),
            configs: BTreeMap::new(),
        }
    }

    pub(crate) fn step(&mut self) {
        let stage = self.world.endpoints().first().map(|endpoint| endpoint.stage);
        match self.random.random_range(0..24) {
            _ if stage == Some(Stage::Failed) && self.random.random_bool(0.5) => self.delete(),
            _ if stage.is_none() && self.random.random_bool(0.5) => self.create(),
            0 => self.create(),
            1 => self.update(),
            2 => {
                let count = self.random.random_range(1..5);
                let changes = json!([{"VariantName": "a", "DesiredInstanceCount": count}]);
                let input = json!({"EndpointName": "e", "DesiredWeightsAndCapacities": changes});
                self.call("UpdateEndpointWeightsAndCapacities", &input);
            }
            3 if self.random.random_bool(0.2) => self.delete(),
            4 if self.random.random_bool(0.3) => {
                self.world.restart().unwrap();
                self.requests.clear();
            }
            5 if self.random.random_bool(0.3) => self.crash(),
            6..=7 => {
                if let Some(id) = self.world.traffic.begin(&"e".parse().unwrap()) {
                    self.requests.push((id, self.world.clock.now()));
                }
            }
            8 => self.end_requests(),
            9..=20 => self.scale(),
            _ => {}
        }
        let millis = match self.random.random_range(0..60) {
            0 => 16 * 60_000,
            1..=25 => self.random.random_range(5000..90_000),
            _ => self.random.random_range(0..5000),
        };
        self.advance(Duration::from_millis(millis));
    }

    fn create(&mut self) {
        let config = self.config();
        self.call("CreateEndpoint", &json!({"EndpointName": "e", "EndpointConfigName": config}));
    }

    fn delete(&mut self) {
        if self.call("DeleteEndpoint", &json!({"EndpointName": "e"})) == 200 {
            Laws::deleted(&self.world);
        }
    }

    /// Nobody sends anything any more, and nothing is scheduled.
    pub(crate) fn calm(&mut self) {
        self.silence();
        self.end_requests();
        for id in self.world.traffic.busy().into_keys() {
            while self.world.traffic.busy().contains_key(&id) {
                self.world.traffic.end(&id);
            }
        }
    }

    /// No request outlives its time, and none loses its instance before unless that crashed.
    pub(crate) fn advance(&mut self, span: Duration) {
        let now = self.world.clock.now();
        let (over, running): (Vec<_>, Vec<_>) = std::mem::take(&mut self.requests)
            .into_iter()
            .partition(|(_, began)| now.since(*began) >= REQUEST_MAX);
        for (id, _) in &over {
            self.world.traffic.end(id);
        }
        self.requests = running;
        let Self { world, laws, seed, .. } = self;
        world.advance_seen(span, &mut |world| laws.hold(world, *seed)).unwrap();
        let phases: BTreeMap<InstanceId, Phase> =
            self.world.instances().into_iter().map(|one| (one.id, one.phase)).collect();
        for (id, began) in &self.requests {
            let alive = phases.get(id).is_some_and(Phase::is_ready);
            let age = self.world.clock.now().since(*began);
            let kept = alive || age >= DRAIN_LIMIT;
            assert!(kept, "seed {}: a request of {age:?} lost its instance {id}", self.seed);
        }
    }

    /// Calls an operation of SageMaker; answers with its status.
    fn call(&mut self, operation: &str, input: &Value) -> u16 {
        let answer = self.world.call(&SERVICE, operation, input).unwrap();
        assert!(answer.status == 200 || answer.status == 400, "{operation}: {answer:?}");
        answer.status
    }

    fn config(&mut self) -> String {
        let name = format!("c{}", self.configs.len());
        let model = ["good", "good", "good", "slow", "bad"][self.random.random_range(0..5)];
        let kind = if self.random.random_bool(0.9) { "ml.m5.large" } else { "ml.c5.large" };
        let variants: &[&str] =
            [&["a"][..], &["a", "b"], &["a", "b"], &["b"]][self.random.random_range(0..4)];
        let described: Vec<Value> = variants
            .iter()
            .map(|variant| {
                let count = self.random.random_range(1..4);
                json!({"VariantName": variant, "ModelName": model, "InstanceType": kind,
                       "InitialInstanceCount": count})
            })
            .collect();
        let input = json!({"EndpointConfigName": name, "ProductionVariants": described});
        assert_eq!(self.call("CreateEndpointConfig", &input), 200);
        let kinds = variants.iter().map(|variant| (*variant, kind)).collect();
        self.configs.insert(name.clone(), kinds);
        name
    }

    /// An update is refused that would take a scaled variant away, or its instance type (S1, S2).
    fn update(&mut self) {
        let config = self.config();
        let retain = self.random.random_bool(0.5);
        let before = self.world.state();
        let input = json!({"EndpointName": "e", "EndpointConfigName": config,
                           "RetainAllVariantProperties": retain});
        if self.call("UpdateEndpoint", &input) != 200 {
            return;
        }
        let Some(endpoint) = before.endpoints.values().next() else { return };
        for target in before.targets.values() {
            let variant = &target.resource.variant;
            let kind = self.configs[&config].get(variant.as_str()).copied();
            let live = endpoint.live.as_ref().unwrap();
            let had = live.config.instance_type(variant);
            assert_eq!(kind, had, "seed {}: an update of {} went through", self.seed, variant);
        }
    }

    fn crash(&mut self) {
        let ready = self.world.instances().into_iter().find(|one| one.phase.is_ready());
        let Some(one) = ready else { return };
        self.requests.retain(|(id, _)| *id != one.id);
        while self.world.traffic.busy().contains_key(&one.id) {
            self.world.traffic.end(&one.id);
        }
        self.world.crash(&one.id);
    }

    fn end_requests(&mut self) {
        for (id, _) in std::mem::take(&mut self.requests) {
            self.world.traffic.end(&id);
        }
    }
}
