//! The safe update over the real API and the real loops, cut off at every call: before the server has acted, and after.
//!
//! Then it is gone on with or undone, and nothing may be lost: no policy, target, scheduled action, tag, suspended state,
//! alarm of the user's, instance or request. Points are counted in a run that nothing happens to; those between which
//! nothing changes, neither on the server nor in the journal nor in time, are one: after a call is before the next.

#![expect(clippy::tests_outside_test_module, reason = "a file below tests/ is a test module")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod cut;
mod machine;
mod setting;
mod trouble;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use domain::safe_update::{Outcome, Request};

use machine::{Machine, Turn};
use setting::{FAILING, NEW, SLOW, WITHOUT};
use watch::Watch;

/// What is there, as text: scaling, and the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct There {
    scaling: BTreeMap<String, String>,
    fleet: String,
}

impl There {
    fn at(machine: &Machine) -> Self {
        machine
            .world(|world| Self { scaling: setting::scaling(world), fleet: setting::fleet(world) })
    }

    /// What differs, in few lines.
    fn differs(&self, other: &Self) -> Vec<String> {
        let missing = |one: &Self, other: &Self, sign: &str| -> Vec<String> {
            let lost =
                one.scaling.iter().filter(|(key, text)| other.scaling.get(*key) != Some(text));
            lost.map(|(key, text)| format!("{sign} {key}: {text}")).collect()
        };
        let mut lines = missing(self, other, "-");
        lines.extend(missing(other, self, "+"));
        if self.fleet != other.fleet {
            lines.extend([format!("- {}", self.fleet), format!("+ {}", other.fleet)]);
        }
        lines
    }
}

/// An update of one kind.
#[derive(Debug, Clone, Copy)]
struct Story {
    wanted: &'static str,
    headroom_percent: u32,
}

impl Story {
    fn to(wanted: &'static str) -> Self {
        Self { wanted, headroom_percent: 0 }
    }

    fn with_headroom(self) -> Self {
        Self { headroom_percent: 50, ..self }
    }

    fn request(self) -> Request {
        Request { headroom_percent: self.headroom_percent, ..Request::default() }
    }

    fn begin(self) -> Machine {
        let world = setting::world();
        // What a removed variant had serves until the new fleet does, and comes back at most afterwards.
        let stay: &[&str] = if self.wanted == WITHOUT { &["b", "c"] } else { &["a", "b", "c"] };
        let watch = Watch::over(&world, stay, &["b"]);
        Machine::new(world, watch)
    }

    /// Carries it on until it ends.
    fn run(self, machine: &Machine, turn: Turn) -> Outcome {
        let ended = machine.update(self.wanted, self.request(), turn).expect("it does not die");
        ended.unwrap_or_else(|stopped| panic!("{stopped}\n{}", machine.told()))
    }
}

/// Time in which everything comes to rest.
const REST: Duration = Duration::from_secs(30);

#[test]
fn everything_is_there_again_after_an_update() {
    for story in [Story::to(NEW), Story::to(NEW).with_headroom()] {
        let machine = story.begin();
        let before = There::at(&machine);
        assert_eq!(story.run(&machine, Turn::Resume), Outcome::Applied);
        machine.pass(REST);
        let after = There::at(&machine);
        assert_eq!(after.scaling, before.scaling, "{:#?}", before.differs(&after));
        assert_eq!(after.fleet, setting::updated(), "{}", machine.told());
    }
}

#[test]
fn an_update_whose_instances_fail_leaves_everything_as_it_was() {
    for story in [Story::to(FAILING), Story::to(FAILING).with_headroom()] {
        let machine = story.begin();
        let before = There::at(&machine);
        assert_eq!(story.run(&machine, Turn::Resume), Outcome::Undone);
        machine.pass(REST);
        let after = There::at(&machine);
        assert_eq!(after, before, "{:#?}\n{}", before.differs(&after), machine.told());
    }
}

#[test]
fn an_update_that_is_done_can_be_undone_and_an_undone_one_made_again() {
    for story in [Story::to(NEW), Story::to(NEW).with_headroom(), Story::to(WITHOUT)] {
        let machine = story.begin();
        let before = There::at(&machine);
        assert_eq!(story.run(&machine, Turn::Resume), Outcome::Applied);
        machine.pass(REST);
        let updated = There::at(&machine);
        assert_eq!(story.run(&machine, Turn::Undo), Outcome::Undone);
        machine.pass(REST);
        let undone = There::at(&machine);
        assert_eq!(undone, before, "{:#?}\n{}", before.differs(&undone), machine.told());
        assert_eq!(story.run(&machine, Turn::Resume), Outcome::Applied);
        machine.pass(REST);
        let again = There::at(&machine);
        assert_eq!(again, updated, "{:#?}\n{}", updated.differs(&again), machine.told());
    }
}

/// What was put back scales: nothing but its description would show otherwise.
#[test]
fn scaling_works_afterwards() {
    let story = Story::to(NEW);
    let machine = story.begin();
    assert_eq!(story.run(&machine, Turn::Resume), Outcome::Applied);
    load(&machine, 1_000);
    machine.pass(Duration::from_mins(10));
    let fleet = There::at(&machine).fleet;
    assert!(fleet.contains("(6, 6) 2, b n ml.m5.large (6, 6)"), "{fleet}");
}

/// Load that comes while nothing can be scaled is met as soon as the update is done: by the update where it has taken the
/// scaling away, and by the scaling where that has stayed.
#[test]
fn load_that_comes_meanwhile_is_met() {
    let story = Story::to(SLOW);
    let machine = story.begin();
    load(&machine, 300);
    assert_eq!(story.run(&machine, Turn::Resume), Outcome::Applied);
    // 300 requests a minute, 70 for each instance.
    let fleet = There::at(&machine).fleet;
    assert!(fleet.contains("a s ml.m5.xlarge (5, 5)"), "{fleet}");
    machine.pass(Duration::from_mins(15));
    let fleet = There::at(&machine).fleet;
    assert!(fleet.contains("b s ml.m5.large (5, 5)"), "{fleet}");
}

/// Lets requests come to the scaled variants, so many in a minute to each.
fn load(machine: &Machine, per_minute: u32) {
    machine.world(|world| {
        for variant in ["a", "b"] {
            let each = Duration::from_millis(20);
            world.load("e".parse().unwrap(), variant.parse().unwrap(), per_minute, each);
        }
    });
}

/// What watches over the updates sees what it is there for.
#[test]
#[should_panic(expected = "instances of a serve instead of 3")]
fn an_update_by_hand_that_forgets_the_counts_is_seen() {
    let machine = Story::to(NEW).begin();
    machine.world(|world| {
        let target = serde_json::json!({
            "ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/a",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"});
        let scaling = &wire::application_autoscaling::SERVICE;
        let answer = world.call(scaling, "DeregisterScalableTarget", &target).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let update = serde_json::json!({"EndpointName": "e", "EndpointConfigName": NEW});
        let answer = world.call(&wire::sagemaker::SERVICE, "UpdateEndpoint", &update).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    });
    machine.pass(REST);
}
