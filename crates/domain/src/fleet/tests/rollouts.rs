//! Guarded updates as the planner carries them out: which instances stand, which take traffic, and what the endpoint is told.

use serde_json::{Value, json};

use super::*;
use crate::endpoint::UpdateOutcome;
use crate::fleet::route;
use crate::members::Members;

/// An update under way, watched.
struct Update {
    world: World,
    /// Old and new instances that take traffic, those that stand, and the status.
    story: Vec<String>,
    /// The fewest that took traffic at any moment.
    fewest: usize,
}

fn config(value: Value) -> Members {
    serde_json::from_value(value).unwrap()
}

fn percent(value: u32) -> Value {
    json!({"Type": "CAPACITY_PERCENT", "Value": value})
}

fn blue_green(routing: &Value) -> Value {
    json!({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 60},
           "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}})
}

fn canary() -> Value {
    blue_green(&json!({"Type": "CANARY", "WaitIntervalInSeconds": 60, "CanarySize": percent(34)}))
}

fn linear() -> Value {
    blue_green(
        &json!({"Type": "LINEAR", "WaitIntervalInSeconds": 60, "LinearStepSize": percent(34)}),
    )
}

fn rolling(more: &Value) -> Value {
    let mut policy = json!({"MaximumBatchSize": percent(25), "WaitIntervalInSeconds": 60});
    policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"RollingUpdatePolicy": policy, "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}})
}

impl Update {
    fn begin(count: u32, guardrails: Value) -> Self {
        let mut world = in_service(count);
        let request = UpdateRequest {
            deployment_config: Some(config(guardrails)),
            ..update(parts(2, &[("a", count)]))
        };
        world.change(|endpoint| endpoint.request_update(&request, endpoint.modified_at).unwrap());
        let mut update = Self { world, story: Vec::new(), fewest: usize::MAX };
        update.look();
        update
    }

    fn of(&self, deployment: u64, counts: impl Fn(&Seen) -> bool) -> usize {
        let ours = |one: &&Seen| one.observed.fleet.deployment == DeploymentId(deployment);
        self.world.instances.values().filter(ours).filter(|one| counts(one)).count()
    }

    /// The instances that take traffic.
    fn active(&self) -> Vec<InstanceId> {
        let instances: Vec<Seen> = self.world.instances.values().cloned().collect();
        let route = route(self.world.endpoint.as_ref().unwrap(), &instances).unwrap();
        route.variants[0].instances.iter().map(|one| one.id.clone()).collect()
    }

    fn look(&mut self) {
        let endpoint = self.world.endpoint.clone().unwrap();
        let active = self.active();
        let serves = |one: &Seen| active.contains(&one.observed.id);
        let stands = |one: &Seen| !matches!(one.observed.phase, Phase::Exited(_));
        let seen = format!(
            "{}+{} of {}+{} {}",
            self.of(1, serves),
            self.of(2, serves),
            self.of(1, stands),
            self.of(2, stands),
            endpoint.stage.status()
        );
        self.fewest = self.fewest.min(active.len());
        if self.story.last() != Some(&seen) {
            self.story.push(seen);
        }
    }

    /// Everything that can be done is done, and looked at after each plan; instances become ready at once.
    fn settle(&mut self) {
        for _ in 0..100 {
            let plan = self.world.plan();
            let still =
                Plan { why: Vec::new(), wake_at: None, wake_at_server: None, ..plan.clone() };
            if still == Plan::default() {
                return;
            }
            self.world.apply(&plan);
            self.look();
            self.world.make_all_ready();
            self.look();
        }
        panic!("the plans do not come to rest: {:?}", self.world.plan());
    }

    fn of_fleet(&self, deployment: u64, which: impl Fn(&Phase) -> bool) -> Vec<InstanceId> {
        let ours = |one: &&Seen| one.observed.fleet.deployment == DeploymentId(deployment);
        let instances = self.world.instances.values().filter(ours).map(|one| &one.observed);
        instances.filter(|one| which(&one.phase)).map(|one| one.id.clone()).collect()
    }

    fn starting(&self, deployment: u64) -> Vec<InstanceId> {
        self.of_fleet(deployment, |phase| phase.is_alive() && !phase.is_ready())
    }

    fn make_new_ready(&mut self) {
        for id in self.starting(2) {
            self.world.set(&id, Phase::Ready { address: Address::Unix("/s".into()) });
        }
    }

    /// So many instances of the new fleet end, one after the other, each as soon as it stands.
    fn kill_new(&mut self, cause: &ExitCause, times: usize) {
        for _ in 0..times {
            let [id, ..] = &self.of_fleet(2, Phase::is_alive)[..] else { panic!("none is there") };
            if matches!(cause, ExitCause::Artifact(_)) {
                self.world.set(&id.clone(), Phase::Preparing);
            }
            self.world.exit(&id.clone(), cause.clone());
            // Its successor may wait for its turn.
            self.pass(1);
        }
    }

    fn pass(&mut self, secs: u64) {
        self.world.wall = self.world.wall.plus(Duration::from_secs(secs));
        self.settle();
    }

    fn run(&mut self) {
        for _ in 0..100 {
            self.pass(10);
            if self.world.stage() == Some(Stage::InService) {
                return;
            }
        }
        panic!("it does not end: {:?}", self.story);
    }
}

#[test]
fn each_strategy_moves_traffic_and_instances_in_its_own_steps() {
    let table: [(Value, &[&str]); 3] = [
        // 34 % of four are two.
        (canary(), &["4+0 of 4+4", "2+2 of 4+4", "0+4 of 4+4", "0+4 of 0+4"]),
        // 68 % of four are three.
        (linear(), &["4+0 of 4+4", "2+2 of 4+4", "1+3 of 4+4", "0+4 of 4+4", "0+4 of 0+4"]),
        (
            rolling(&json!({})),
            &[
                "4+0 of 4+1",
                "3+1 of 4+1",
                "3+1 of 3+1",
                "3+1 of 3+2",
                "2+2 of 3+2",
                "2+2 of 2+2",
                "2+2 of 2+3",
                "1+3 of 2+3",
                "1+3 of 1+3",
                "1+3 of 1+4",
                "0+4 of 1+4",
                "0+4 of 0+4",
            ],
        ),
    ];
    for (guardrails, story) in table {
        let mut update = Update::begin(4, guardrails.clone());
        update.run();
        let begun = std::iter::once("4+0 of 4+0 Updating".to_owned());
        let moved = story.iter().map(|line| format!("{line} Updating"));
        let ended = std::iter::once("0+4 of 0+4 InService".to_owned());
        let story: Vec<String> = begun.chain(moved).chain(ended).collect();
        assert_eq!(update.story, story, "{guardrails}");
        assert_eq!(update.fewest, 4);
        let endpoint = update.world.endpoint.unwrap();
        assert_eq!((endpoint.config_name.as_str(), endpoint.rollout), ("c2", None));
    }
}

/// Runs until that many new instances take traffic.
fn until_active(update: &mut Update, count: usize) {
    for _ in 0..100 {
        if update.story.last().is_some_and(|line| line.contains(&format!("+{count} of"))) {
            return;
        }
        update.pass(10);
    }
    panic!("it never comes so far: {:?}", update.story);
}

#[test]
fn an_alarm_in_any_bake_takes_everything_back() {
    let at_once: &[&str] = &["4+0 of 4+4", "4+0 of 4+0"];
    let table: [(Value, usize, &[&str]); 5] = [
        (canary(), 2, at_once),
        (canary(), 4, at_once),
        (linear(), 3, at_once),
        // The whole old fleet comes back before anything of the new one leaves.
        (
            rolling(&json!({})),
            2,
            &["3+2 of 3+2", "3+2 of 4+2", "4+2 of 4+2", "4+0 of 4+2", "4+0 of 4+0"],
        ),
        (
            rolling(&json!({"RollbackMaximumBatchSize": percent(25)})),
            3,
            &[
                "2+3 of 2+3",
                "2+3 of 3+3",
                "3+3 of 3+3",
                "3+1 of 3+3",
                "3+1 of 3+1",
                "3+1 of 4+1",
                "4+1 of 4+1",
                "4+0 of 4+1",
                "4+0 of 4+0",
            ],
        ),
    ];
    for (guardrails, active, story) in table {
        let mut update = Update::begin(4, guardrails.clone());
        until_active(&mut update, active);
        update.world.alarms = vec![("errors", "Threshold Crossed: 5 of 5 datapoints")];
        let so_far = update.story.len();
        update.run();
        let moved = story.iter().map(|line| format!("{line} RollingBack"));
        let ended = std::iter::once("4+0 of 4+0 InService".to_owned());
        let story: Vec<String> = moved.chain(ended).collect();
        assert_eq!(update.story[so_far..], story, "{guardrails}");
        assert_eq!(update.fewest, 4, "{guardrails}");
        let endpoint = update.world.endpoint.unwrap();
        assert_eq!((endpoint.config_name.as_str(), &endpoint.rollout), ("c1", &None));
        let reason = endpoint.failure_reason.unwrap();
        assert!(reason.contains("errors") && reason.contains("Threshold Crossed"), "{reason}");
        assert_eq!(endpoint.last_update.unwrap().outcome, UpdateOutcome::RolledBack { reason });
    }
}

#[test]
fn what_cannot_be_built_or_does_not_stand_is_rolled_back_and_so_is_what_somebody_takes_back() {
    type Trouble = fn(&mut Update);
    let table: [(Trouble, &str); 4] = [
        (|update| update.kill_new(&ExitCause::Artifact("no such key".into()), 1), "no such key"),
        (
            |update| update.kill_new(&ended(), EARLY_EXITS_MAX),
            "ended 3 times after they had become ready",
        ),
        (
            |update| update.kill_new(&ExitCause::Unresponsive { last_words: String::new() }, 3),
            "it stopped answering /ping",
        ),
        (
            |update| update.world.change(|one| one.request_rollback(one.modified_at).unwrap()),
            "on request",
        ),
    ];
    for (trouble, reason) in table {
        for guardrails in [canary(), linear(), rolling(&json!({}))] {
            let mut update = Update::begin(4, guardrails.clone());
            until_active(&mut update, 2);
            trouble(&mut update);
            update.run();
            assert_eq!(update.story.last().unwrap(), "4+0 of 4+0 InService", "{guardrails}");
            let endpoint = update.world.endpoint.unwrap();
            assert!(endpoint.failure_reason.as_ref().unwrap().contains(reason), "{endpoint:?}");
        }
    }
}

/// An update that can go neither on nor back: of four old instances one is missing, two new ones are left over.
fn stranded() -> Update {
    let mut update = Update::begin(4, rolling(&json!({})));
    until_active(&mut update, 2);
    update.world.alarms = vec![("errors", "Threshold Crossed")];
    for _ in 0..20 {
        let plan = update.world.plan();
        update.world.apply(&plan);
        // Of the old ones none starts any more.
        update.make_new_ready();
        for id in update.starting(1) {
            update.world.exit(&id, ExitCause::UnknownImage("no such image".into()));
        }
    }
    update.look();
    assert_eq!(update.story.last().unwrap(), "3+2 of 3+2 UpdateRollbackFailed");
    update
}

#[test]
fn an_update_that_can_go_neither_on_nor_back_serves_with_what_there_is_and_the_next_one_heals_it() {
    let mut update = stranded();
    let endpoint = update.world.endpoint.clone().unwrap();
    let reason = endpoint.failure_reason.clone().unwrap();
    assert!(reason.contains("Threshold Crossed") && reason.contains("no such image"), "{reason}");
    assert_eq!(
        endpoint.last_update.clone().unwrap().outcome,
        UpdateOutcome::RollbackFailed { reason }
    );
    let refused = endpoint.request_capacity(&[], endpoint.modified_at).unwrap_err().to_string();
    assert!(refused.contains("could not be rolled back"), "{refused}");

    // Whatever the strategy, what is stranded serves until all has gone over.
    update.world.alarms.clear();
    for guardrails in [canary(), linear(), rolling(&json!({})), json!({})] {
        let mut update =
            Update { world: update.world.copy(), story: Vec::new(), fewest: usize::MAX };
        let request = UpdateRequest {
            deployment_config: Some(config(guardrails)),
            ..super::update(parts(3, &[("a", 4)]))
        };
        let now = update.world.wall;
        update.world.change(|one| one.request_update(&request, now).unwrap());
        update.run();
        let endpoint = update.world.endpoint.unwrap();
        assert_eq!((endpoint.config_name.as_str(), endpoint.stranded.len()), ("c3", 0));
        assert_eq!((endpoint.failure_reason, update.world.instances.len()), (None, 4));
        assert!(update.fewest >= 4, "{:?}", update.story);
    }
}

#[test]
fn new_instances_stand_in_for_old_ones_that_died_until_those_are_back() {
    let mut update = Update::begin(4, canary());
    until_active(&mut update, 4);
    for id in update.of_fleet(1, Phase::is_alive) {
        update.world.exit(&id, ended());
    }
    update.world.change(|one| one.request_rollback(one.modified_at).unwrap());
    update.run();
    assert!(update.fewest >= 4, "{:?}", update.story);
    assert_eq!(update.story.last().unwrap(), "4+0 of 4+0 InService");
}

#[test]
fn on_its_way_back_an_update_stands_in_neither_for_nor_beside_what_another_has_left_over() {
    // Instances of which deployment die, how many, and who serves then.
    for (deployment, dying, serving) in [(2, 2, [4, 0, 0]), (1, 2, [2, 2, 0]), (1, 3, [1, 2, 1])] {
        let mut update = stranded();
        update.world.alarms.clear();
        let request = UpdateRequest {
            deployment_config: Some(config(canary())),
            ..super::update(parts(3, &[("a", 4)]))
        };
        let now = update.world.wall;
        update.world.change(|one| one.request_update(&request, now).unwrap());
        let serves = |update: &Update, deployment| {
            let active = update.active();
            update.of(deployment, |one| active.contains(&one.observed.id))
        };
        for _ in 0..100 {
            if serves(&update, 3) == 0 {
                update.pass(1);
            }
        }
        for id in update.of_fleet(deployment, Phase::is_alive).iter().take(dying) {
            update.world.exit(id, ended());
        }
        update.world.change(|one| one.request_rollback(one.modified_at).unwrap());
        assert_eq!([1, 2, 3].map(|deployment| serves(&update, deployment)), serving);
        // Long enough for what waits before it starts again.
        for _ in 0..20 {
            update.pass(10);
        }
        assert!(update.of_fleet(3, Phase::is_alive).is_empty());
        // Where it began.
        let endpoint = update.world.endpoint.unwrap();
        assert_eq!((endpoint.stage, endpoint.stranded.len()), (Stage::UpdateRollbackFailed, 1));
    }
}

#[test]
fn a_bake_ends_when_all_new_instances_are_there() {
    let mut update = Update::begin(4, canary());
    until_active(&mut update, 4);
    for id in update.of_fleet(2, Phase::is_alive) {
        update.world.set(&id, Phase::Preparing);
    }
    update.world.wall = update.world.wall.plus(Duration::from_mins(10));
    update.look();
    let plan = update.world.plan();
    assert_ne!(plan.event, Some(Event::Deployed), "the old ones stand in, and do not leave");
    update.run();
    assert!(update.fewest >= 4, "{:?}", update.story);
    assert_eq!(update.story.last().unwrap(), "0+4 of 0+4 InService");
}

#[test]
fn what_is_stranded_is_of_variants_that_the_endpoint_has() {
    let mut update = Update::begin(2, canary());
    update.world = in_service(2);
    let guardrails = blue_green(&json!({"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}));
    let request = UpdateRequest {
        deployment_config: Some(config(guardrails)),
        ..super::update(parts(2, &[("a", 2), ("b", 1)]))
    };
    update.world.change(|one| one.request_update(&request, one.modified_at).unwrap());
    update.settle();
    for id in update.of_fleet(1, Phase::is_alive) {
        update.world.set(&id, Phase::Preparing);
        update.world.exit(&id, ExitCause::UnknownImage("no such image".into()));
    }
    update.world.change(|one| one.request_rollback(one.modified_at).unwrap());
    update.world.apply(&update.world.plan());
    let endpoint = update.world.endpoint.clone().unwrap();
    assert_eq!(endpoint.stage, Stage::UpdateRollbackFailed);
    let stranded = endpoint.stranded.iter().flat_map(|one| &one.fleets);
    let stranded: Vec<_> =
        stranded.map(|fleet| (fleet.variant.as_str(), fleet.desired_count)).collect();
    assert_eq!(stranded, [("a", 2)]);
}
