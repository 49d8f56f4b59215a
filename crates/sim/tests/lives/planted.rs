//! Faults that are planted are found, each within so few seeds and by the law that is there for it.

use std::sync::Arc;

use domain::endpoint::{Deployment, Endpoint, Stage};
use domain::name::EndpointKey;
use domain::rollout;
use domain::scaling::Target;
use sim::life::planted::Planted;
use sim::life::{Plan, live};
use store::{Changes, State};

use crate::plants::{
    AnswersBeforeItCommits, DecidesOfTheStale, Lies, Meddling, RefusalsWrite, SwallowsFailures,
    entering, with_live,
};

/// Lives in which a fault must have shown itself.
const SEEDS_MAX: u64 = 60;

/// Looks for a planted fault; in the first life that shows it, one of these laws must be what it breaks.
fn found(planted: impl Planted + 'static, laws: &[&str]) {
    let planted: Arc<dyn Planted> = Arc::new(planted);
    for seed in 0..SEEDS_MAX {
        let report = live(&Plan { planted: Arc::clone(&planted), ..Plan::of(seed) });
        if let Some(violation) = &report.violation {
            assert!(laws.contains(&violation.law), "{planted:?} shows as {violation}");
            return;
        }
    }
    panic!("{planted:?} is not found in {SEEDS_MAX} lives");
}

#[test]
fn a_store_that_answers_before_it_commits() {
    found(AnswersBeforeItCommits, &["T2"]);
}

#[test]
fn a_store_that_says_nothing_of_a_failure() {
    found(SwallowsFailures, &["acknowledged"]);
}

#[test]
fn decisions_that_are_made_of_what_was_read_before() {
    found(
        DecidesOfTheStale,
        &["S1/S2", "S7", "orphan", "generation", "bounds", "T4", "update", "torn"],
    );
}

#[test]
fn a_refusal_that_changes_something() {
    found(RefusalsWrite, &["refusal"]);
}

#[test]
fn a_loop_that_drains_before_it_publishes() {
    found(Lies::RoutesAreLate, &["drain", "routes", "capacity"]);
}

#[test]
fn a_loop_that_does_not_wait_for_requests() {
    found(Lies::NobodyIsBusy, &["drain"]);
}

#[test]
fn an_update_that_promotes_before_instances_are_ready() {
    found(Lies::StartingIsReady, &["ready", "routes", "capacity"]);
}

#[test]
fn routes_that_leave_out_some_who_could_serve() {
    found(Lies::RoutesAreShort, &["capacity", "rest"]);
}

#[test]
fn routes_that_keep_those_who_have_gone() {
    found(Lies::RoutesOnlyGrow, &["routes", "drain"]);
}

#[test]
fn instances_that_are_never_stopped() {
    found(Lies::SomeAreNotStopped, &["rest"]);
}

#[test]
fn a_restart_that_forgets_what_is_running() {
    found(Lies::NothingIsFoundAgain, &["rest"]);
}

fn targets_stay(before: &State, after: &State) -> Option<Changes> {
    let (_, gone) = entering(before, after, Stage::Deleting).next()?;
    let key = EndpointKey::from(&gone.name);
    let targets = before.targets_of(&key).map(|target| Target::clone(target));
    Some(targets.fold(Changes::none(), Changes::put))
}

#[test]
fn a_deletion_that_forgets_targets() {
    found(Meddling(targets_stay), &["orphan"]);
}

fn alarms_stay(before: &State, after: &State) -> Option<Changes> {
    let lost = before.alarms.iter().filter(|(name, _)| !after.alarms.contains_key(*name));
    let lost: Vec<_> = lost.map(|(_, alarm)| domain::alarm::Alarm::clone(alarm)).collect();
    (!lost.is_empty()).then(|| lost.into_iter().fold(Changes::none(), Changes::put))
}

#[test]
fn a_deletion_that_forgets_alarms() {
    found(Meddling(alarms_stay), &["orphan"]);
}

/// Targets whose capacity is being changed by a decision, with what it is changed to.
fn beginning<'a>(before: &'a State, after: &'a State) -> impl Iterator<Item = (&'a Target, u32)> {
    after.targets.iter().filter_map(|(key, target)| {
        let flight = target.memory.in_flight?;
        let was = before.targets.get(key).and_then(|target| target.memory.in_flight);
        (was != Some(flight)).then_some((&**target, flight.to))
    })
}

fn bounds_are_ignored(before: &State, after: &State) -> Option<Changes> {
    let (target, _) = beginning(before, after).next()?;
    let endpoint = after.endpoints.get(&EndpointKey::from(&target.resource.endpoint))?;
    let more = target.bounds().max + 1;
    let endpoint = with_live(endpoint, |live| {
        let own = |fleet: &&mut domain::endpoint::Fleet| fleet.variant == target.resource.variant;
        live.fleets.iter_mut().filter(own).for_each(|fleet| fleet.desired_count = more);
    })?;
    let mut target = target.clone();
    target.memory.in_flight.as_mut()?.to = more;
    Some(Changes::none().put(endpoint).put(target))
}

#[test]
fn an_activity_that_is_applied_without_bounds() {
    found(Meddling(bounds_are_ignored), &["bounds"]);
}

/// Whatever is recorded of scaling during an update gives one instance more.
fn updates_are_scaled(before: &State, after: &State) -> Option<Changes> {
    let changed = after.activities.size() > before.activities.size();
    let endpoint = after.endpoints.values().find(|one| one.stage == Stage::Deploying)?;
    let changed = changed && entering(before, after, Stage::Deploying).next().is_none();
    let more =
        |live: &mut Deployment| live.fleets.iter_mut().for_each(|one| one.desired_count += 1);
    changed.then(|| with_live(endpoint, more))?.map(|endpoint| Changes::none().put(endpoint))
}

#[test]
fn an_update_during_which_scaling_goes_on() {
    found(Meddling(updates_are_scaled), &["S7", "bounds", "bystander"]);
}

/// The pending fleet gets what its config says.
fn nothing_is_retained(before: &State, after: &State) -> Option<Changes> {
    let (_, endpoint) = entering(before, after, Stage::Deploying).next()?;
    let mut pending = Deployment::clone(endpoint.pending.as_deref()?);
    for variant in pending.config.variants().unwrap() {
        let own = |fleet: &&mut domain::endpoint::Fleet| fleet.variant == variant.name;
        for fleet in pending.fleets.iter_mut().filter(own) {
            fleet.desired_count = variant.initial_instance_count;
        }
    }
    let endpoint = Endpoint { pending: Some(Arc::new(pending)), ..endpoint.clone() };
    Some(Changes::none().put(endpoint))
}

#[test]
fn an_update_that_retains_nothing() {
    found(Meddling(nothing_is_retained), &["S6"]);
}

/// Whoever makes a config has it put into an endpoint that is at rest.
fn somebody_else_is_changed(before: &State, after: &State) -> Option<Changes> {
    let changes = after.endpoint_configs.size() > before.endpoint_configs.size();
    let config = after
        .endpoint_configs
        .values()
        .find(|config| config.instance_type(&"a".parse().unwrap()) == Some("ml.c5.large"))?;
    let endpoint = after.endpoints.values().find(|one| one.stage == Stage::InService)?;
    let touched = with_live(endpoint, |live| live.config = Arc::clone(config))?;
    changes.then(|| Changes::none().put(touched))
}

#[test]
fn a_call_that_changes_somebody_elses_endpoint() {
    found(Meddling(somebody_else_is_changed), &["bystander", "orphan"]);
}

/// The waits of an update are over when they begin.
fn nothing_bakes(before: &State, after: &State) -> Option<Changes> {
    let endpoint = after.endpoints.iter().find_map(|(key, is)| {
        let was = before.endpoints.get(key).and_then(|was| was.rollout.clone());
        (was != is.rollout).then_some(is)
    })?;
    let mut rollout = endpoint.rollout.clone()?;
    let rollout::Stage::Baking { step, .. } = rollout.stage else { return None };
    rollout.stage = rollout::Stage::Baking { step, until: rollout.since };
    Some(Changes::none().put(Endpoint { rollout: Some(rollout), ..Endpoint::clone(endpoint) }))
}

#[test]
fn an_update_that_does_not_bake() {
    found(Meddling(nothing_bakes), &["bake"]);
}

/// What an update has built takes all the traffic at its first step.
fn shifts_at_once(before: &State, after: &State) -> Option<Changes> {
    let endpoint = after.endpoints.iter().find_map(|(key, is)| {
        let was = before.endpoints.get(key).and_then(|was| was.rollout.clone());
        (was.is_some() && was != is.rollout).then_some(is)
    })?;
    let mut rollout = endpoint.rollout.clone()?;
    let rollout::Stage::Baking { step: 1, until } = rollout.stage else { return None };
    rollout.stage = rollout::Stage::Baking { step: 99, until };
    Some(Changes::none().put(Endpoint { rollout: Some(rollout), ..Endpoint::clone(endpoint) }))
}

#[test]
fn an_update_by_batches_that_takes_all_before_all_is_there() {
    found(Meddling(shifts_at_once), &["ready", "capacity", "shares"]);
}
