//! Random lives of a server: what must never happen does not, whatever the order of events.

#![expect(clippy::tests_outside_test_module, reason = "a file below tests/ is a test module")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod laws;
mod life;
mod scaling;

use std::time::Duration;

use domain::endpoint::Stage;
use domain::scaling::ActivityStatus;
use domain::time::Clock;

use life::Life;

/// Lives of one test, unless `SIM_SEEDS` says how many: several tests share the processors.
const SEEDS: u64 = 10;
const STEPS: usize = 120;

/// How long everything may take to come to rest once nobody wants anything more: drains and updates have their limits.
const REST: Duration = Duration::from_mins(10);

#[test]
fn no_order_of_events_loses_a_request_or_leaves_anything_stuck() {
    lives(0);
}

#[test]
fn nor_does_any_other() {
    lives(1);
}

#[test]
fn nor_a_third() {
    lives(2);
}

#[test]
fn nor_a_fourth() {
    lives(3);
}

/// The lives of the first, second, … test.
fn lives(test: u64) {
    let given = std::env::var_os("SIM_SEEDS").and_then(|given| given.to_str()?.parse().ok());
    let seeds = given.unwrap_or(SEEDS);
    for seed in test * seeds..(test + 1) * seeds {
        let mut life = Life::new(seed);
        for _ in 0..STEPS {
            life.step();
        }
        life.calm();
        life.advance(REST);
        at_rest(&life, seed);
    }
}

#[test]
fn the_same_seed_is_the_same_life() {
    let lives = [3, 3, 4].map(|seed| {
        let mut life = Life::new(seed);
        (0..STEPS).for_each(|_| life.step());
        let state = life.world.state();
        format!("{:?} {:?} {:?}", state.endpoints, state.activities, state.alarms)
    });
    assert!(lives[0] == lives[1], "the same seed has led to two lives");
    assert!(lives[0] != lives[2], "two seeds have led to one life");
}

fn at_rest(life: &Life, seed: u64) {
    for endpoint in life.world.endpoints() {
        let rest = matches!(endpoint.stage, Stage::InService | Stage::Failed);
        assert!(rest, "seed {seed}: stuck in {:?}", endpoint.stage);
        let fleets = endpoint.live.iter().flat_map(|live| &live.fleets);
        let wanted = fleets.map(|fleet| fleet.desired_count).sum();
        let serving = endpoint.live.as_ref().map(|live| live.id);
        let instances = life.world.instances();
        let strangers = instances.iter().filter(|one| Some(one.fleet.deployment) != serving);
        assert_eq!(strangers.filter(|one| one.phase.is_alive()).count(), 0, "seed {seed}");
        let alive: u32 = instances.iter().map(|one| u32::from(one.phase.is_alive())).sum();
        assert!(alive <= wanted, "seed {seed}: {alive} instances, {wanted} wanted");
    }
    for activity in life.world.state().activities.values() {
        let age = life.world.clock.now().since(activity.started_at);
        let ended = activity.status != ActivityStatus::InProgress || age < REST;
        assert!(ended, "seed {seed}: has not ended: {activity:?}");
    }
}
