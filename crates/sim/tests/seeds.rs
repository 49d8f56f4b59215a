//! Random lives of a server: what must never happen does not, whatever the order of events.

#![expect(clippy::tests_outside_test_module, reason = "a file below tests/ is a test module")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::collections::BTreeMap;
use std::time::Duration;

use domain::endpoint::Stage;
use domain::fleet::DRAIN_LIMIT;
use domain::instance::{InstanceId, Phase};
use domain::time::{Clock, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use runtime::fake::Behaviour;
use serde_json::json;
use sim::World;

const SEEDS: u64 = 60;
const STEPS: usize = 80;

struct Life {
    world: World,
    random: StdRng,
    requests: Vec<(InstanceId, Timestamp)>,
    configs: u32,
}

impl Life {
    fn new(seed: u64) -> Self {
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
            assert_eq!(world.call("CreateModel", &input).unwrap().status, 200);
        }
        Self { world, random: StdRng::seed_from_u64(seed), requests: vec![], configs: 0 }
    }

    fn config(&mut self) -> String {
        self.configs += 1;
        let name = format!("c{}", self.configs);
        let model = ["good", "good", "slow", "bad"][self.random.random_range(0..4)];
        let count = self.random.random_range(1..4);
        let input = json!({"EndpointConfigName": name, "ProductionVariants": [
            {"VariantName": "a", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": count}]});
        assert_eq!(self.world.call("CreateEndpointConfig", &input).unwrap().status, 200);
        name
    }

    fn step(&mut self) {
        match self.random.random_range(0..12) {
            0 => {
                let config = self.config();
                self.call(
                    "CreateEndpoint",
                    &json!({"EndpointName": "e", "EndpointConfigName": config}),
                );
            }
            1 => {
                let config = self.config();
                let retain = self.random.random_bool(0.5);
                let input = json!({"EndpointName": "e", "EndpointConfigName": config,
                                   "RetainAllVariantProperties": retain});
                self.call("UpdateEndpoint", &input);
            }
            2 => {
                let count = self.random.random_range(1..5);
                let changes = json!([{"VariantName": "a", "DesiredInstanceCount": count}]);
                let input = json!({"EndpointName": "e", "DesiredWeightsAndCapacities": changes});
                self.call("UpdateEndpointWeightsAndCapacities", &input);
            }
            3 if self.random.random_bool(0.2) => {
                self.call("DeleteEndpoint", &json!({"EndpointName": "e"}));
            }
            4 if self.random.random_bool(0.3) => {
                self.world.restart().unwrap();
                self.requests.clear();
            }
            5 if self.random.random_bool(0.3) => {
                let ready = self.world.instances().into_iter().find(|one| one.phase.is_ready());
                if let Some(one) = ready {
                    self.requests.retain(|(id, _)| *id != one.id);
                    while self.world.traffic.busy().contains_key(&one.id) {
                        self.world.traffic.end(&one.id);
                    }
                    self.world.crash(&one.id);
                }
            }
            6..=8 => {
                if let Some(id) = self.world.traffic.begin(&"e".parse().unwrap()) {
                    self.requests.push((id, self.world.clock.now()));
                }
            }
            9 => {
                for (id, _) in std::mem::take(&mut self.requests) {
                    self.world.traffic.end(&id);
                }
            }
            _ => {}
        }
        let millis = self.random.random_range(0..5000);
        self.advance(Duration::from_millis(millis));
    }

    fn call(&mut self, operation: &str, input: &serde_json::Value) {
        let answer = self.world.call(operation, input).unwrap();
        assert!(answer.status == 200 || answer.status == 400, "{operation}: {answer:?}");
    }

    /// No request outlives its 60 s, and none loses its instance before its time unless that crashed.
    fn advance(&mut self, span: Duration) {
        let now = self.world.clock.now();
        let (over, running): (Vec<_>, Vec<_>) = std::mem::take(&mut self.requests)
            .into_iter()
            .partition(|(_, began)| now.since(*began).as_secs() >= 60);
        for (id, _) in &over {
            self.world.traffic.end(id);
        }
        self.requests = running;
        self.world.advance(span).unwrap();
        let phases: BTreeMap<InstanceId, Phase> =
            self.world.instances().into_iter().map(|one| (one.id, one.phase)).collect();
        for (id, began) in &self.requests {
            let alive = phases.get(id).is_some_and(Phase::is_ready);
            let age = self.world.clock.now().since(*began);
            assert!(alive || age >= DRAIN_LIMIT, "a request of {age:?} lost its instance {id}");
        }
    }
}

#[test]
fn no_order_of_events_loses_a_request_or_leaves_an_endpoint_stuck() {
    for seed in 0..SEEDS {
        let mut life = Life::new(seed);
        for _ in 0..STEPS {
            life.step();
        }
        life.requests.clear();
        for id in life.world.traffic.busy().into_keys() {
            while life.world.traffic.busy().contains_key(&id) {
                life.world.traffic.end(&id);
            }
        }
        life.world.advance(Duration::from_mins(10)).unwrap();
        for endpoint in life.world.endpoints() {
            let rest = matches!(endpoint.stage, Stage::InService | Stage::Failed);
            assert!(rest, "seed {seed}: stuck in {:?}", endpoint.stage);
            let wanted = endpoint
                .live
                .iter()
                .flat_map(|live| &live.fleets)
                .map(|fleet| fleet.desired_count)
                .sum();
            let serving = endpoint.live.as_ref().map(|live| live.id);
            let instances = life.world.instances();
            let strangers = instances.iter().filter(|one| Some(one.fleet.deployment) != serving);
            assert_eq!(strangers.filter(|one| one.phase.is_alive()).count(), 0, "seed {seed}");
            let alive: u32 = instances.iter().map(|one| u32::from(one.phase.is_alive())).sum();
            assert!(alive <= wanted, "seed {seed}: {alive} instances, {wanted} wanted");
        }
    }
}
