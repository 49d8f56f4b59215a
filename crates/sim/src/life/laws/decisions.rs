//! What a decision may change, and what must hold in every state that is kept.

use std::sync::Arc;
use std::time::Duration;

use control::task::scale::Decisions;
use domain::endpoint::{Deployment, Endpoint, Stage};
use domain::instance::{Observed, Phase};
use domain::name::EndpointKey;
use domain::rollout::{self, Sides};
use domain::scaling::{Outcome, Target, TargetKey};
use serde_json::Value;
use store::State;
use store::record::ActivityKey;

use crate::laws;
use crate::life::gate::Made;
use crate::life::server::{Asked, Who};
use crate::life::witness::Witness;
use crate::world::parts;

/// Looks at one decision.
pub(in crate::life) fn decided(who: &Who, made: &Made, witness: &Witness) {
    if !made.wrote {
        return;
    }
    let (before, after) = (&*made.before, &*made.after);
    if let Some(orphan) = laws::orphan(after, &parts::scope()) {
        witness.accuse("orphan", format_args!("after {}: {orphan}", name(who)));
    }
    if after.last_deployment() < before.last_deployment() {
        witness.accuse("generation", "a deployment's number is given twice");
    }
    an_update_is_left_alone(who, before, after, witness);
    match who {
        Who::Fleets(instances) => of_fleets(instances, before, after, witness),
        Who::Scaling => of_scaling(before, after, witness),
        Who::Client(asked) => of_client(asked, before, after, witness),
    }
}

fn name(who: &Who) -> &'static str {
    match who {
        Who::Fleets(_) => "the fleets' loop",
        Who::Scaling => "the scaling loop",
        Who::Client(asked) => asked.operation,
    }
}

/// The endpoints that are in both states and differ.
fn changed<'a>(
    before: &'a State,
    after: &'a State,
) -> impl Iterator<Item = (&'a Endpoint, &'a Endpoint)> {
    let both =
        before.endpoints.iter().filter_map(|(key, was)| Some((was, after.endpoints.get(key)?)));
    both.filter(|(was, is)| !Arc::ptr_eq(was, is)).map(|(was, is)| (&**was, &**is))
}

/// While an endpoint is updated, nobody changes the counts of what serves or of what is built (promise S7).
fn an_update_is_left_alone(who: &Who, before: &State, after: &State, witness: &Witness) {
    for (was, is) in changed(before, after) {
        let of = |endpoint: &Endpoint| {
            endpoint.live.iter().chain(&endpoint.pending).map(|one| counts(one)).collect::<Vec<_>>()
        };
        let (stood, stands) = (of(was), of(is));
        let updating = was.pending.is_some() && is.pending.is_some();
        if updating && was.created_at == is.created_at && stood != stands {
            let by = name(who);
            witness
                .accuse("S7", format_args!("{by} makes of {stood:?} during an update {stands:?}"));
        }
    }
}

fn counts(deployment: &Deployment) -> (u64, Vec<u32>) {
    (deployment.id.0, deployment.fleets.iter().map(|fleet| fleet.desired_count).collect())
}

/// An endpoint moves on when its instances have done so.
fn of_fleets(instances: &[Observed], before: &State, after: &State, witness: &Witness) {
    let exited = |one: &Observed| matches!(one.phase, Phase::Exited(_));
    for (key, was) in &before.endpoints {
        let own = |one: &&Observed| EndpointKey::from(&one.fleet.endpoint) == *key;
        let Some(is) = after.endpoints.get(key) else {
            if let Some(left) = instances.iter().filter(own).find(|one| !exited(one)) {
                witness
                    .accuse("instances", format_args!("{} is gone and leaves {left:?}", was.name));
            }
            continue;
        };
        let own: Vec<Observed> = instances.iter().filter(own).cloned().collect();
        an_update_waits_for_instances(was, is, &own, witness);
        a_bake_lasts(was, is, witness);
        let ends = matches!(was.stage, Stage::Retiring | Stage::RollingBack)
            && matches!(is.stage, Stage::InService | Stage::UpdateRollbackFailed);
        let known = |one: &Observed| is.deployments().any(|own| own.id == one.fleet.deployment);
        if ends && let Some(old) = own.iter().find(|one| !exited(one) && !known(one)) {
            witness.accuse("instances", format_args!("{} is updated and has {old:?}", is.name));
        }
    }
}

/// New instances get requests when they are ready: all that the step needs of them.
fn an_update_waits_for_instances(
    was: &Endpoint,
    is: &Endpoint,
    own: &[Observed],
    witness: &Witness,
) {
    let built = match &was.rollout {
        Some(rollout) => matches!(rollout.stage, rollout::Stage::Provisioning { .. }),
        None => was.stage == Stage::Creating,
    };
    let Some(pending) = was.pending.as_ref().filter(|_| built) else { return };
    let promoted = is.live.as_ref().is_some_and(|live| live.id == pending.id);
    let step = is.rollout.as_ref().filter(|rollout| {
        matches!(rollout.stage, rollout::Stage::Baking { .. } | rollout::Stage::Terminating { .. })
    });
    let totals = is.totals();
    let sides: Vec<Sides> = totals.iter().map(|(_, sides)| *sides).collect();
    for fleet in &pending.fleets {
        let of_step = step.and_then(|step| {
            let (_, sides_of) = totals.iter().find(|(name, _)| *name == fleet.variant)?;
            Some(step.wanted(&sides, *sides_of).1)
        });
        let Some(wanted) = of_step.or_else(|| promoted.then_some(fleet.desired_count)) else {
            continue;
        };
        let ready = own.iter().filter(|one| {
            one.fleet.deployment == pending.id
                && one.fleet.variant == fleet.variant
                && one.phase.is_ready()
        });
        let ready = ready.count();
        if ready < wanted as usize {
            let (name, variant) = (&is.name, &fleet.variant);
            witness
                .accuse("ready", format_args!("{name}/{variant} goes on with {ready} of {wanted}"));
        }
    }
}

/// Guardrails wait as long as they were told to.
fn a_bake_lasts(was: &Endpoint, is: &Endpoint, witness: &Witness) {
    let Some(rollout) = was.rollout.as_ref().filter(|_| is.stage != Stage::RollingBack) else {
        return;
    };
    let rollout::Stage::Baking { step, .. } = rollout.stage else { return };
    if is.rollout.as_ref().is_some_and(|now| now.stage == rollout.stage) {
        return;
    }
    let sides: Vec<Sides> = was.totals().into_iter().map(|(_, sides)| sides).collect();
    let secs = rollout.guardrails.bake_secs(step, rollout.steps(&sides));
    if is.modified_at.since(rollout.since) < Duration::from_secs(secs.into()) {
        witness.accuse(
            "bake",
            format_args!(
                "{} bakes {secs} s from {:?} to {:?}",
                is.name, rollout.since, is.modified_at
            ),
        );
    }
}

/// Scaling changes the counts of endpoints that are at rest, within their bounds, and says so in an activity.
fn of_scaling(before: &State, after: &State, witness: &Witness) {
    for (was, is) in changed(before, after) {
        let name = &is.name;
        if was.stage != Stage::InService {
            witness.accuse("S7", format_args!("{name} is scaled while it is {:?}", was.stage));
        }
        let (Some(had), Some(has)) = (&was.live, &is.live) else { continue };
        for (old, new) in had.fleets.iter().zip(&has.fleets) {
            if old.desired_count == new.desired_count {
                continue;
            }
            let key = TargetKey { endpoint: EndpointKey::from(name), variant: new.variant.clone() };
            let target = after.targets.get(&key);
            match target {
                None => witness.accuse(
                    "bounds",
                    format_args!("{name}/{} is scaled and no target", new.variant),
                ),
                Some(target) => scaled(after, target, new.desired_count, witness),
            }
        }
    }
}

fn scaled(after: &State, target: &Target, to: u32, witness: &Witness) {
    let bounds = target.bounds();
    if bounds.clamp(to) != to {
        witness.accuse(
            "bounds",
            format_args!("{} gets {to}, which is not in {bounds:?}", target.resource),
        );
    }
    let key = TargetKey::from(&target.resource);
    let activity = target.memory.in_flight.and_then(|flight| {
        let key = ActivityKey { target: key, started_at: flight.started_at, id: flight.activity };
        after.activities.get(&key).filter(|_| flight.to == to)
    });
    let says = format!("Setting desired instance count to {to}.");
    if activity.is_none_or(|activity| activity.description != says) {
        witness
            .accuse("T4", format_args!("{} gets {to}, and {activity:?} says why", target.resource));
    }
}

/// A policy that has just changed a capacity can say why (promise T4).
pub(in crate::life) fn explained(
    (before, after): (&State, &State),
    decisions: &Decisions,
    witness: &Witness,
) {
    for (key, target) in &after.targets {
        let was = before.targets.get(key).and_then(|target| target.memory.in_flight);
        let flight = target.memory.in_flight.filter(|flight| was != Some(*flight));
        let Some(flight) = flight.filter(|flight| flight.cooldown_secs.is_some()) else { continue };
        let told = decisions.of(key).into_iter().any(|recent| {
            matches!(recent.decision.outcome, Outcome::ScaleTo { change, .. } if change.to == flight.to)
        });
        if !told {
            let resource = &target.resource;
            witness
                .accuse("T4", format_args!("{resource} gets {} and nothing says why", flight.to));
        }
    }
}

fn of_client(asked: &Asked, before: &State, after: &State, witness: &Witness) {
    let named = asked.input["EndpointName"].as_str().and_then(|name| name.parse().ok());
    let resource =
        asked.input["ResourceId"].as_str().and_then(|id| id.split('/').nth(1)?.parse().ok());
    let named = named.or(resource).map(|name| EndpointKey::from(&name));
    a_bystander_is_left_alone(asked, named.as_ref(), before, after, witness);
    let Some(key) = named else { return };
    match asked.operation {
        "UpdateEndpoint" => an_update_is_lawful(&key, asked, before, after, witness),
        "DeleteEndpoint" => {
            let goes = |state: &State| {
                state.endpoints.get(&key).is_none_or(|one| one.stage == Stage::Deleting)
            };
            let deleted = !goes(before) && goes(after);
            if deleted && asked.restricted && before.targets_of(&key).next().is_some() {
                witness.accuse(
                    "S9",
                    "an endpoint was deleted by somebody who may not touch its targets",
                );
            }
        }
        _ => {}
    }
}

/// A call about one endpoint changes no other.
fn a_bystander_is_left_alone(
    asked: &Asked,
    named: Option<&EndpointKey>,
    before: &State,
    after: &State,
    witness: &Witness,
) {
    let own = |key: &EndpointKey| named == Some(key);
    let touched = before
        .endpoints
        .iter()
        .filter(|(key, _)| !own(key))
        .find(|(key, was)| after.endpoints.get(*key).is_none_or(|is| !Arc::ptr_eq(was, is)));
    let lost = before
        .targets
        .iter()
        .filter(|(key, _)| !own(&key.endpoint))
        .find(|(key, was)| after.targets.get(*key).is_none_or(|is| !Arc::ptr_eq(was, is)));
    if touched.is_some() || lost.is_some() {
        witness.accuse(
            "bystander",
            format_args!("{} {} touches another endpoint", asked.operation, asked.input),
        );
    }
}

/// Promises S1, S2 and S6, at the moment of the decision.
fn an_update_is_lawful(
    key: &EndpointKey,
    asked: &Asked,
    before: &State,
    after: &State,
    witness: &Witness,
) {
    let (Some(was), Some(is)) = (before.endpoints.get(key), after.endpoints.get(key)) else {
        return;
    };
    let (Some(live), Some(wanted)) = (&was.live, &is.pending) else {
        witness.accuse("update", format_args!("an update of {was:?} was accepted"));
        return;
    };
    for target in before.targets_of(key) {
        let variant = &target.resource.variant;
        let had = live.config.instance_type(variant);
        if had.is_some() && wanted.config.instance_type(variant) != had {
            witness.accuse(
                "S1/S2",
                format_args!("an update of {}, which is registered, went through", target.resource),
            );
        }
    }
    let retains = asked.input["RetainAllVariantProperties"] == Value::Bool(true);
    let left_out = asked.input["ExcludeRetainedVariantProperties"].as_array();
    let excludes = |property: &str| {
        left_out.is_some_and(|list| list.iter().any(|one| one["VariantPropertyType"] == property))
    };
    let variants = wanted.config.variants().unwrap_or_default();
    for fleet in &wanted.fleets {
        let Some(variant) = variants.iter().find(|one| one.name == fleet.variant) else { continue };
        let kept = live.fleet(&fleet.variant).filter(|_| retains);
        let count =
            kept.filter(|_| !excludes("DesiredInstanceCount")).map(|kept| kept.desired_count);
        let weight = kept.filter(|_| !excludes("DesiredWeight")).map(|kept| kept.desired_weight);
        let expected = (
            count.unwrap_or(variant.initial_instance_count),
            weight.unwrap_or(variant.initial_weight),
        );
        let got = (fleet.desired_count, fleet.desired_weight);
        if got.0 != expected.0 || got.1.to_bits() != expected.1.to_bits() {
            let variant = &fleet.variant;
            witness.accuse(
                "S6",
                format_args!("{variant} gets {got:?} and not {expected:?}: {}", asked.input),
            );
        }
    }
}
