//! Rollouts on a fleet that does what it is told, a little later: their stages by the book, and what must never happen.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::super::*;
use super::read;
use crate::time::Timestamp;

/// Turns that any of these rollouts may take at most.
const TURNS_MAX: usize = 4_000;

/// Instances that come and go one at a time, at most one of each side in a turn of ten seconds.
struct World {
    rollout: Rollout,
    variants: Vec<Sides>,
    now: Timestamp,
    /// What was seen, when it changed: wanted and active of the first variant, old and new.
    story: Vec<((u32, u32), (u32, u32))>,
}

enum End {
    Deployed,
    RolledBack(String),
    Failed(String),
}

impl World {
    fn new(guardrails: Guardrails, totals: &[(u32, u32)]) -> Self {
        let variant = |(old, new): &(u32, u32)| Sides {
            old: Side { total: *old, ready: *old, running: *old },
            new: Side { total: *new, ..Side::default() },
        };
        let now = Timestamp::default();
        let variants = totals.iter().map(variant).collect();
        Self { rollout: Rollout::begin(guardrails, now), variants, now, story: Vec::new() }
    }

    /// One turn: what is wanted comes nearer, and the rollout goes on.
    fn turn(&mut self, new_failure: Option<&str>, alarms: &[(&str, &str)]) -> Option<End> {
        let totals = self.variants.clone();
        for variant in &mut self.variants {
            let (old, new) = self.rollout.wanted(&totals, *variant);
            let (old_active, new_active) = self.rollout.active(&totals, *variant);
            for (side, wanted) in [(&mut variant.old, old), (&mut variant.new, new)] {
                let near = |now: u32| {
                    if now < wanted { now + 1 } else { now.saturating_sub(u32::from(now > wanted)) }
                };
                // What leaves takes no more requests at once, and ends later.
                side.ready =
                    near(side.ready).min(if side.ready > wanted { wanted } else { u32::MAX });
                side.running = near(side.running).max(side.ready);
            }
            assert!(
                old_active <= variant.old.ready.max(old)
                    && new_active <= variant.new.ready.max(new)
            );
        }
        let seen =
            (self.rollout.wanted(&totals, totals[0]), self.rollout.active(&totals, totals[0]));
        if self.story.last() != Some(&seen) {
            self.story.push(seen);
        }
        self.now = self.now.plus(Duration::from_secs(10));
        let facts = Facts {
            variants: &self.variants,
            new_failure: new_failure.map(str::to_owned),
            old_failure: None,
            alarms,
            now: self.now,
        };
        match self.rollout.next(&facts) {
            Next::Stay { .. } => None,
            Next::To(rollout) => {
                self.rollout = rollout;
                None
            }
            Next::Deployed => Some(End::Deployed),
            Next::RolledBack { reason } => Some(End::RolledBack(reason)),
            Next::RollbackFailed { reason } => Some(End::Failed(reason)),
        }
    }

    fn deployed(mut self) -> Vec<((u32, u32), (u32, u32))> {
        for _ in 0..TURNS_MAX {
            match self.turn(None, &[]) {
                None => {}
                Some(End::Deployed) => return self.story,
                Some(End::RolledBack(reason) | End::Failed(reason)) => panic!("{reason}"),
            }
        }
        panic!("it never ended: {:?}", self.rollout);
    }
}

fn blue_green(routing: &serde_json::Value) -> Guardrails {
    read(json!({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 60}})).unwrap()
}

fn rolling(batch: u32, rollback: Option<u32>) -> Guardrails {
    let count = |value| json!({"Type": "INSTANCE_COUNT", "Value": value});
    read(json!({"RollingUpdatePolicy": {"MaximumBatchSize": count(batch), "WaitIntervalInSeconds": 30, "RollbackMaximumBatchSize": rollback.map(count)}})).unwrap()
}

#[test]
fn each_policy_goes_by_the_book() {
    let canary = json!({"Type": "CANARY", "WaitIntervalInSeconds": 30, "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}});
    let linear = json!({"Type": "LINEAR", "WaitIntervalInSeconds": 30, "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 33}});
    let at_once = json!({"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0});
    let table = [
        // Both fleets stand throughout; traffic moves at once, by one instance of three first, or by thirds.
        (blue_green(&at_once), vec![((3, 3), (3, 0)), ((3, 3), (0, 3))]),
        (blue_green(&canary), vec![((3, 3), (3, 0)), ((3, 3), (2, 1)), ((3, 3), (0, 3))]),
        (
            blue_green(&linear),
            vec![((3, 3), (3, 0)), ((3, 3), (2, 1)), ((3, 3), (1, 2)), ((3, 3), (0, 3))],
        ),
        // A batch comes, takes its share, bakes, and as many old ones go.
        (
            rolling(1, None),
            vec![
                ((3, 1), (3, 0)),
                ((3, 1), (2, 1)),
                ((2, 1), (2, 1)),
                ((2, 2), (2, 1)),
                ((2, 2), (1, 2)),
                ((1, 2), (1, 2)),
                ((1, 3), (1, 2)),
                ((1, 3), (0, 3)),
                ((0, 3), (0, 3)),
            ],
        ),
    ];
    for (guardrails, story) in table {
        assert_eq!(World::new(guardrails.clone(), &[(3, 3)]).deployed(), story, "{guardrails:?}");
    }
}

#[test]
fn a_rolling_deployment_goes_back_in_batches_of_its_own() {
    let table = [
        // Nothing of the old fleet has left yet: the batch goes at once.
        (1, None, vec![((3, 0), (3, 0))]),
        // The second batch has come in the place of the first old instance: that one comes back, the batches go.
        (4, Some(1), vec![((3, 2), (3, 2)), ((3, 0), (3, 0))]),
        (7, None, vec![((3, 3), (3, 3)), ((3, 0), (3, 0))]),
        (7, Some(1), vec![((2, 3), (2, 3)), ((2, 1), (2, 1)), ((3, 1), (3, 1)), ((3, 0), (3, 0))]),
    ];
    for (at, rollback, way_back) in table {
        let mut world = World::new(rolling(1, rollback), &[(3, 3)]);
        while world.story.len() < at {
            assert!(world.turn(None, &[]).is_none());
        }
        while !matches!(world.rollout.stage, Stage::RollingBack { .. }) {
            assert!(world.turn(None, &[("errors", "too many")]).is_none());
        }
        world.story.clear();
        let end = (0..TURNS_MAX).find_map(|_| world.turn(None, &[("errors", "too many")]));
        let Some(End::RolledBack(reason)) = end else { panic!("it was not rolled back") };
        assert_eq!(
            reason,
            "The alarm errors went off, so that the deployment was rolled back: too many"
        );
        assert!(world.story.ends_with(&way_back), "{at} {rollback:?}: {:?}", world.story);
    }
}

#[test]
fn alarms_count_from_the_first_shift_of_traffic_and_failures_and_the_limit_at_once() {
    let canary = json!({"Type": "CANARY", "WaitIntervalInSeconds": 30, "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}});
    let guardrails = Guardrails { timeout_secs: Some(600), ..blue_green(&canary) };
    let mut world = World::new(guardrails.clone(), &[(3, 3)]);
    let alarm = [("errors", "too many")];
    assert!(world.turn(None, &alarm).is_none());
    assert_eq!(world.rollout.stage, Stage::Provisioning { step: 1 });
    assert!(world.turn(Some("It died."), &[]).is_none());
    assert_eq!(
        world.rollout.stage,
        Stage::RollingBack { reason: "It died.".into(), old: 3, new: 0 }
    );

    let mut late = World::new(guardrails, &[(3, 3)]);
    late.now = late.now.plus(Duration::from_secs(589));
    assert!(late.turn(None, &[]).is_none());
    assert_eq!(late.rollout.stage, Stage::Provisioning { step: 1 });
    assert!(late.turn(None, &[]).is_none());
    let Stage::RollingBack { reason, .. } = &late.rollout.stage else {
        panic!("{:?}", late.rollout)
    };
    assert!(reason.contains("MaximumExecutionTimeoutInSeconds of 600"), "{reason}");
}

#[test]
fn old_instances_that_do_not_come_back_end_the_way_back() {
    let mut world = World::new(rolling(1, None), &[(3, 3)]);
    while world.story.len() < 5 {
        assert!(world.turn(None, &[]).is_none());
    }
    let facts = |world: &World, old_failure| {
        world.rollout.next(&Facts {
            variants: &world.variants,
            new_failure: Some("It died.".to_owned()),
            old_failure,
            alarms: &[],
            now: world.now,
        })
    };
    let Next::To(back) = facts(&world, None) else { panic!() };
    world.rollout = back;
    let Next::RollbackFailed { reason } = facts(&world, Some("No such image.".to_owned())) else {
        panic!()
    };
    assert_eq!(reason, "It died. Then the previous instances did not come back: No such image.");
}

fn guardrails() -> impl Strategy<Value = Guardrails> {
    let size =
        || prop_oneof![(1_u32..=6).prop_map(Size::Count), (10_u32..=50).prop_map(Size::Percent)];
    let shift = prop_oneof![
        Just(Shift::AllAtOnce),
        size().prop_map(Shift::Canary),
        size().prop_map(Shift::Linear)
    ];
    let waits = || 0_u32..120;
    let blue_green =
        (shift, waits(), waits()).prop_map(|(shift, wait_secs, termination_wait_secs)| {
            Policy::BlueGreen { shift, wait_secs, termination_wait_secs }
        });
    let rolling = (size(), waits(), proptest::option::of(size())).prop_map(
        |(batch, wait_secs, rollback_batch)| Policy::Rolling { batch, wait_secs, rollback_batch },
    );
    prop_oneof![blue_green, rolling]
        .prop_map(|policy| Guardrails { policy, ..Guardrails::default() })
}

proptest! {
    /// Whatever the policy, the counts and the moment of trouble: it ends, on one side alone, and at no moment do fewer
    /// instances take traffic than the smaller of the two fleets has.
    #[test]
    fn it_ends_whole_on_one_side_and_never_serves_with_less(
        guardrails in guardrails(),
        old in 1_u32..12,
        new in 1_u32..12,
        trouble in proptest::option::of(0_usize..60),
    ) {
        let mut world = World::new(guardrails, &[(old, new)]);
        let mut end = None;
        for turn in 0..TURNS_MAX {
            let failure = trouble.filter(|at| turn >= *at).map(|_| "It died.");
            end = world.turn(failure, &[]);
            let (serving_old, serving_new) = world.rollout.active(&world.variants, world.variants[0]);
            let serving = serving_old.min(world.variants[0].old.ready) + serving_new.min(world.variants[0].new.ready);
            if end.is_none() {
                prop_assert!(serving >= old.min(new), "{serving} of {old} and {new}: {:?}", world.rollout);
            }
            if end.is_some() {
                break;
            }
        }
        let Sides { old: before, new: after } = world.variants[0];
        match end {
            Some(End::Deployed) => prop_assert_eq!(after.ready, new),
            Some(End::RolledBack(_)) => {
                prop_assert!(trouble.is_some());
                prop_assert_eq!((before.ready, after.running), (old, 0));
            }
            Some(End::Failed(reason)) => prop_assert!(false, "{}", reason),
            None => prop_assert!(false, "it never ended: {:?}", world.rollout),
        }
    }
}
