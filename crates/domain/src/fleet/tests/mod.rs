//! Tables and properties of the fleet planner, driven through the endpoint's own transitions.

mod rollouts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::{DRAIN_LIMIT, EARLY_EXITS_MAX, Facts, Plan, Seen, plan};
use crate::endpoint::{Capacity, Endpoint, Event, Parts, Retain, Stage, UpdateRequest};
use crate::endpoint_config::EndpointConfig;
use crate::instance::{Address, DeploymentId, Exit, ExitCause, InstanceId, Observed, Phase};
use crate::model::Model;
use crate::time::Timestamp;

fn parts(id: u64, counts: &[(&str, u32)]) -> Parts {
    let variants: Vec<_> = counts
        .iter()
        .map(|(name, count)| {
            json!({"VariantName": name, "ModelName": "m", "InstanceType": "ml.m5.large",
                   "InitialInstanceCount": count, "InitialVariantWeight": 1.0})
        })
        .collect();
    let members = serde_json::from_value(json!({"ProductionVariants": variants})).unwrap();
    let created_at = Timestamp::default();
    let config = EndpointConfig { name: format!("c{id}").parse().unwrap(), created_at, members };
    let members =
        serde_json::from_value(json!({"PrimaryContainer": {"Image": "tidegate/echo"}})).unwrap();
    let model = Model { name: "m".parse().unwrap(), created_at, members };
    Parts { id: DeploymentId(id), config: Arc::new(config), models: vec![Arc::new(model)] }
}

fn update(parts: Parts) -> UpdateRequest {
    UpdateRequest {
        parts,
        retain: Retain::default(),
        deployment_config: None,
        retain_deployment_config: false,
        registered: Vec::new(),
    }
}

/// One endpoint and the instances that plans have led to; the driver and the data plane in miniature.
struct World {
    endpoint: Option<Endpoint>,
    instances: BTreeMap<InstanceId, Seen>,
    alarms: Vec<(&'static str, &'static str)>,
    wall: Timestamp,
    next: u128,
}

impl World {
    fn new(count: u32) -> Self {
        let endpoint = Endpoint::create(
            "e".parse().unwrap(),
            &parts(1, &[("a", count)]),
            None,
            Timestamp::default(),
        );
        Self {
            endpoint: Some(endpoint.unwrap()),
            instances: BTreeMap::new(),
            alarms: Vec::new(),
            wall: Timestamp::default(),
            next: 0,
        }
    }

    fn copy(&self) -> Self {
        Self {
            endpoint: self.endpoint.clone(),
            instances: self.instances.clone(),
            alarms: self.alarms.clone(),
            ..*self
        }
    }

    fn plan(&self) -> Plan {
        let instances: Vec<Seen> = self.instances.values().cloned().collect();
        plan(&Facts {
            endpoint: self.endpoint.as_ref(),
            instances: &instances,
            alarms: &self.alarms,
            now: self.wall,
            wall: self.wall,
        })
    }

    fn apply(&mut self, plan: &Plan) {
        for start in &plan.start {
            for _ in 0..start.count {
                let id = InstanceId::from_entropy(self.next);
                self.next += 1;
                let observed = Observed {
                    id: id.clone(),
                    fleet: start.fleet.clone(),
                    phase: Phase::Preparing,
                };
                self.instances.insert(id, Seen { observed, in_flight: 0, draining_since: None });
            }
        }
        for id in &plan.drain {
            self.instances.get_mut(id).unwrap().draining_since = Some(self.wall);
        }
        for id in &plan.stop {
            self.exit(id, ExitCause::Stopped);
        }
        for id in &plan.forget {
            self.instances.remove(id);
        }
        if let (Some(event), Some(endpoint)) = (&plan.event, &self.endpoint) {
            self.endpoint = Some(endpoint.after(event.clone(), self.wall).unwrap());
        }
        if plan.gone {
            self.endpoint = None;
        }
    }

    /// Plans and applies until nothing changes any more.
    fn settle(&mut self) {
        for _ in 0..100 {
            let plan = self.plan();
            if (Plan { why: Vec::new(), wake_at: None, wake_at_server: None, ..plan.clone() })
                == Plan::default()
            {
                return;
            }
            self.apply(&plan);
        }
        panic!("the plans do not come to rest: {:?}", self.plan());
    }

    fn set(&mut self, id: &InstanceId, phase: Phase) {
        self.instances.get_mut(id).unwrap().observed.phase = phase;
    }

    fn exit(&mut self, id: &InstanceId, cause: ExitCause) {
        let was_ready = self.instances[id].observed.phase.is_ready();
        self.set(id, Phase::Exited(Exit { cause, was_ready, at: self.wall }));
    }

    fn alive(&self) -> Vec<InstanceId> {
        self.instances
            .values()
            .filter(|one| one.observed.phase.is_alive())
            .map(|one| one.observed.id.clone())
            .collect()
    }

    fn make_all_ready(&mut self) {
        for id in self.alive() {
            self.set(&id, Phase::Ready { address: Address::Unix("/s".into()) });
        }
    }

    fn stage(&self) -> Option<Stage> {
        self.endpoint.as_ref().map(|endpoint| endpoint.stage)
    }

    fn change(&mut self, change: impl FnOnce(&Endpoint) -> Endpoint) {
        self.endpoint = Some(change(self.endpoint.as_ref().unwrap()));
    }
}

fn in_service(count: u32) -> World {
    let mut world = World::new(count);
    world.settle();
    world.make_all_ready();
    world.settle();
    assert_eq!(world.stage(), Some(Stage::InService));
    world
}

fn ended() -> ExitCause {
    ExitCause::Ended { status: "exit status 1".into(), last_words: "no such layer".into() }
}

#[test]
fn a_created_endpoint_is_in_service_once_every_instance_is_ready() {
    let mut world = World::new(3);
    world.settle();
    assert_eq!(world.alive().len(), 3);
    let [first, ..] = &world.alive()[..] else { panic!() };
    world.set(&first.clone(), Phase::Ready { address: Address::Unix("/s".into()) });
    world.settle();
    assert_eq!(world.stage(), Some(Stage::Creating));
    assert_eq!(
        world.endpoint.as_ref().unwrap().pending.as_ref().unwrap().fleets[0].current_count,
        1
    );
    world.make_all_ready();
    world.settle();
    let endpoint = world.endpoint.unwrap();
    assert_eq!(endpoint.stage, Stage::InService);
    assert_eq!(endpoint.live.unwrap().fleets[0].current_count, 3);
}

#[test]
fn a_broken_artefact_fails_the_deployment_at_once_and_early_exits_after_the_third() {
    let text = "Failed to download model data";
    for (cause, needed) in [(ExitCause::Artifact(text.into()), 1), (ended(), EARLY_EXITS_MAX)] {
        let mut world = World::new(1);
        for round in 1..=needed {
            world.wall = world.wall.plus(Duration::from_mins(1));
            world.settle();
            assert_eq!(world.stage(), Some(Stage::Creating), "round {round}");
            let id = world.alive()[0].clone();
            world.exit(&id, cause.clone());
        }
        world.settle();
        assert_eq!(world.stage(), Some(Stage::Failed));
        assert!(world.instances.is_empty(), "{:?}", world.instances);
        let reason = world.endpoint.unwrap().failure_reason.unwrap();
        assert!(reason.contains(text) || reason.contains("exit status 1"), "{reason}");
    }
}

#[test]
fn a_failed_update_leaves_the_old_fleet_serving() {
    let mut world = in_service(2);
    let before = world.alive();
    world.change(|endpoint| {
        endpoint.request_update(&update(parts(2, &[("a", 1)])), Timestamp::default()).unwrap()
    });
    world.settle();
    assert_eq!(world.alive().len(), 3);
    let new = world.alive().into_iter().find(|id| !before.contains(id)).unwrap();
    world.exit(&new, ExitCause::UnknownImage("no runtime".into()));
    world.settle();
    let endpoint = world.endpoint.clone().unwrap();
    assert_eq!((endpoint.stage, endpoint.config_name.as_str()), (Stage::InService, "c1"));
    assert_eq!(endpoint.failure_reason.as_deref(), Some("no runtime"));
    assert_eq!(world.alive(), before);
}

#[test]
fn an_update_moves_the_traffic_before_it_drains_and_drains_before_it_stops() {
    let mut world = in_service(1);
    let old = world.alive()[0].clone();
    world.instances.get_mut(&old).unwrap().in_flight = 1;
    world.change(|endpoint| {
        endpoint.request_update(&update(parts(2, &[("a", 1)])), Timestamp::default()).unwrap()
    });
    world.settle();
    assert!(
        world.instances[&old].draining_since.is_none(),
        "the old fleet serves while the new one starts"
    );
    world.make_all_ready();
    world.settle();
    assert_eq!(world.stage(), Some(Stage::Retiring));
    assert!(world.instances[&old].draining_since.is_some());
    assert!(world.alive().contains(&old), "a busy instance is not stopped");
    world.instances.get_mut(&old).unwrap().in_flight = 0;
    world.settle();
    assert_eq!(world.stage(), Some(Stage::InService));
    assert!(!world.instances.contains_key(&old));
}

#[test]
fn an_instance_that_never_finishes_is_stopped_at_the_limit() {
    let mut world = in_service(2);
    for id in world.alive() {
        world.instances.get_mut(&id).unwrap().in_flight = 1;
    }
    let capacity = Capacity { variant: "a".parse().unwrap(), weight: None, count: Some(1) };
    world.change(|endpoint| endpoint.request_capacity(&[capacity], Timestamp::default()).unwrap());
    world.settle();
    assert_eq!((world.alive().len(), world.stage()), (2, Some(Stage::Resizing)));
    assert_eq!(world.plan().wake_at, Some(world.wall.plus(DRAIN_LIMIT)));
    world.wall = world.wall.plus(DRAIN_LIMIT);
    world.settle();
    assert_eq!((world.alive().len(), world.stage()), (1, Some(Stage::InService)));
}

#[test]
fn a_resize_that_fails_goes_back_to_the_count_before() {
    let mut world = in_service(2);
    let capacity = Capacity { variant: "a".parse().unwrap(), weight: Some(0.5), count: Some(4) };
    world.change(|endpoint| endpoint.request_capacity(&[capacity], Timestamp::default()).unwrap());
    world.settle();
    let new = world
        .alive()
        .into_iter()
        .find(|id| !world.instances[id].observed.phase.is_ready())
        .unwrap();
    let last_words = "loading shard 2 of 9".to_owned();
    world.exit(&new, ExitCause::NeverReady { waited: Duration::from_mins(8), last_words });
    world.settle();
    let endpoint = world.endpoint.as_ref().unwrap();
    let fleet = &endpoint.live.as_ref().unwrap().fleets[0];
    assert_eq!(
        (endpoint.stage, fleet.desired_count, fleet.current_count),
        (Stage::InService, 2, 2)
    );
    assert_eq!(world.alive().len(), 2);
    let reason = endpoint.failure_reason.as_deref().unwrap();
    assert!(
        reason.ends_with("update the endpoint. Its last words: loading shard 2 of 9"),
        "{reason}"
    );
}

#[test]
fn a_model_server_that_dies_is_replaced_with_back_off() {
    let mut world = in_service(1);
    for doubling in 0..3_u32 {
        world.make_all_ready();
        let id = world.alive()[0].clone();
        world.exit(&id, ended());
        world.settle();
        assert!(world.alive().is_empty(), "it waits first");
        world.wall = world.wall.plus(Duration::from_millis(250 << doubling));
        world.settle();
        assert_eq!(world.alive().len(), 1);
    }
    assert_eq!(world.stage(), Some(Stage::InService));
}

#[test]
fn a_deleted_endpoint_is_gone_when_its_last_instance_is() {
    let mut world = in_service(2);
    let busy = world.alive()[0].clone();
    world.instances.get_mut(&busy).unwrap().in_flight = 1;
    world.change(|endpoint| endpoint.request_delete(Timestamp::default()).unwrap());
    world.settle();
    assert_eq!((world.alive(), world.stage()), (vec![busy.clone()], Some(Stage::Deleting)));
    world.instances.get_mut(&busy).unwrap().in_flight = 0;
    world.settle();
    assert!(world.endpoint.is_none());
}

#[test]
fn events_that_cannot_happen_are_refused() {
    let mut world = World::new(1);
    world.settle();
    let endpoint = world.endpoint.unwrap();
    for event in [Event::Retired, Event::Resized, Event::ResizeFailed { reason: String::new() }] {
        assert!(endpoint.after(event, Timestamp::default()).is_err());
    }
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Ready(usize),
    Dies(usize),
    Busy(usize, u64),
    Wait(u16),
    Update(u32, bool),
    Resize(u32),
    Delete,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (0..8_usize).prop_map(Move::Ready),
        2 => (0..8_usize).prop_map(Move::Dies),
        1 => (0..8_usize, 0..2_u64).prop_map(|(which, count)| Move::Busy(which, count)),
        2 => (0..100_u16).prop_map(Move::Wait),
        1 => (1..5_u32, any::<bool>()).prop_map(|(count, retain)| Move::Update(count, retain)),
        1 => (1..5_u32).prop_map(Move::Resize),
        1 => Just(Move::Delete),
    ];
    proptest::collection::vec(one, 0..60)
}

fn make(world: &mut World, step: Move, next: &mut u64) {
    let alive = world.alive();
    let pick = |which: usize| alive.get(which % alive.len().max(1)).cloned();
    match step {
        Move::Ready(which) => {
            if let Some(id) = pick(which) {
                world.set(&id, Phase::Ready { address: Address::Unix("/s".into()) });
            }
        }
        Move::Dies(which) => {
            if let Some(id) = pick(which) {
                world.exit(&id, ended());
            }
        }
        Move::Busy(which, count) => {
            if let Some(id) = pick(which) {
                world.instances.get_mut(&id).unwrap().in_flight = count;
            }
        }
        Move::Wait(seconds) => world.wall = world.wall.plus(Duration::from_secs(seconds.into())),
        Move::Update(count, retain) => {
            *next += 1;
            let retain = Retain { counts: retain, weights: retain };
            let request = UpdateRequest { retain, ..update(parts(*next, &[("a", count)])) };
            let wanted = world
                .endpoint
                .as_ref()
                .map(|endpoint| endpoint.request_update(&request, world.wall));
            if let Some(Ok(after)) = wanted {
                world.endpoint = Some(after);
            }
        }
        Move::Resize(count) => {
            let capacity =
                Capacity { variant: "a".parse().unwrap(), weight: None, count: Some(count) };
            let wanted = world
                .endpoint
                .as_ref()
                .map(|endpoint| endpoint.request_capacity(&[capacity], world.wall));
            if let Some(Ok(after)) = wanted {
                world.endpoint = Some(after);
            }
        }
        Move::Delete => {
            if let Some(Ok(after)) =
                world.endpoint.as_ref().map(|endpoint| endpoint.request_delete(world.wall))
            {
                world.endpoint = Some(after);
            }
        }
    }
}

proptest! {
    /// Whatever happens: plans come to rest; no busy instance is stopped before its limit; a fleet that serves keeps
    /// its ready instances until another can take over; and with time and luck every endpoint gets where it should.
    #[test]
    fn plans_come_to_rest_and_lose_nothing(moves in moves()) {
        let mut world = World::new(2);
        let mut next = 1;
        for step in moves {
            make(&mut world, step, &mut next);
            let plan = world.plan();
            for id in &plan.stop {
                let seen = &world.instances[id];
                let since = seen.draining_since.expect("stopped without draining");
                prop_assert!(seen.in_flight == 0 || world.wall.since(since) >= DRAIN_LIMIT);
            }
            if let Some(endpoint) = world.endpoint.as_ref().filter(|endpoint| endpoint.stage.serves()) {
                let live = endpoint.live.as_ref().unwrap();
                let staying = world.instances.values().filter(|one| {
                    one.observed.fleet.deployment == live.id && one.observed.phase.is_ready()
                        && one.draining_since.is_none() && !plan.drain.contains(&one.observed.id)
                }).count();
                let ready = world.instances.values().filter(|one| {
                    one.observed.fleet.deployment == live.id && one.observed.phase.is_ready()
                        && one.draining_since.is_none()
                }).count();
                let wanted = usize::try_from(live.fleets[0].desired_count).unwrap();
                prop_assert!(staying >= ready.min(wanted), "took {ready} ready instances down to {staying} of {wanted}");
            }
            world.settle();
        }
        for _ in 0..40 {
            for id in world.alive() {
                world.instances.get_mut(&id).unwrap().in_flight = 0;
            }
            world.make_all_ready();
            world.wall = world.wall.plus(Duration::from_mins(2));
            world.settle();
        }
        match world.stage() {
            None => prop_assert!(world.instances.is_empty()),
            Some(Stage::Failed) => prop_assert!(world.alive().is_empty()),
            Some(Stage::InService) => {
                let live = world.endpoint.as_ref().unwrap().live.clone().unwrap();
                prop_assert!(live.is_settled());
                prop_assert_eq!(world.alive().len(), usize::try_from(live.fleets[0].desired_count).unwrap());
            }
            Some(other) => prop_assert!(false, "stuck in {:?}", other),
        }
    }
}
