//! What must hold when a server has come back, and when everything has come to rest.

use std::collections::BTreeSet;

use domain::endpoint::Stage;
use domain::instance::Phase;
use domain::name::{EndpointKey, EndpointName};
use domain::scaling::ActivityStatus;
use runtime::driver::Driver;
use store::State;

use crate::interleave::same;
use crate::life::machine::Machine;
use crate::life::witness::Witness;

/// What was committed before a server's end is there after it, and nothing else (promise T2).
pub(in crate::life) fn remembered(before: &State, after: &State, witness: &Witness) {
    if !same(before, after) || before.server_time() != after.server_time() {
        let counts = |state: &State| {
            (
                state.endpoints.size(),
                state.targets.size(),
                state.activities.size(),
                state.last_deployment(),
            )
        };
        let (had, has) = (counts(before), counts(after));
        witness.accuse(
            "T2",
            format_args!("endpoints, targets, activities, deployments: {had:?} were acknowledged, {has:?} are there"),
        );
    }
}

/// Whether nothing is to be expected any more.
pub(in crate::life) fn has_come_to_rest(state: &State, machine: &Machine) -> bool {
    unrest(state, machine).is_none()
}

/// Everything has come to rest, and is what is wanted.
pub(in crate::life) fn rested(state: &State, machine: &Machine, witness: &Witness) {
    if let Some(unrest) = unrest(state, machine) {
        witness.accuse("rest", unrest);
    }
}

fn unrest(state: &State, machine: &Machine) -> Option<String> {
    let instances = machine.driver.observe();
    let table = machine.traffic.table();
    let mut explained = BTreeSet::new();
    for endpoint in state.endpoints.values() {
        let name = &endpoint.name;
        match endpoint.stage {
            Stage::Failed => continue,
            Stage::InService | Stage::UpdateRollbackFailed => {}
            other => return Some(format!("{name} is {other:?}")),
        }
        if endpoint.live.is_none() || endpoint.pending.is_some() || endpoint.rollout.is_some() {
            return Some(format!("{name} is not at rest: {endpoint:?}"));
        }
        let route = table.endpoints.get(name);
        let routed: BTreeSet<_> = route
            .iter()
            .flat_map(|route| &route.variants)
            .flat_map(|variant| &variant.instances)
            .map(|one| one.id.clone())
            .collect();
        for deployment in endpoint.deployments() {
            let told = endpoint.stage == Stage::UpdateRollbackFailed || deployment.is_settled();
            if !told {
                return Some(format!("{name} is told wrongly: {:?}", deployment.fleets));
            }
            for fleet in &deployment.fleets {
                let own = instances.iter().filter(|one| {
                    one.fleet.endpoint == *name
                        && one.fleet.deployment == deployment.id
                        && one.fleet.variant == fleet.variant
                        && !matches!(one.phase, Phase::Exited(_))
                });
                let own: Vec<_> = own.collect();
                let ready = own.iter().filter(|one| one.phase.is_ready()).count();
                let (wanted, variant) = (fleet.desired_count as usize, &fleet.variant);
                if ready != wanted || own.len() != wanted {
                    let alive = own.len();
                    return Some(format!(
                        "{name}/{variant} wants {wanted} and has {ready} ready of {alive}"
                    ));
                }
                if let Some(one) = own.iter().find(|one| !routed.contains(&one.id)) {
                    return Some(format!("{name}/{variant} has no route to {}", one.id));
                }
                explained.extend(own.iter().map(|one| one.id.clone()));
            }
        }
        if let Some(stranger) = routed.iter().find(|id| !explained.contains(*id)) {
            return Some(format!("{name} has a route to {stranger}"));
        }
    }
    let mut running = instances.iter().filter(|one| !matches!(one.phase, Phase::Exited(_)));
    if let Some(orphan) = running.find(|one| !explained.contains(&one.id)) {
        return Some(format!("an orphan: {orphan:?}"));
    }
    let has_endpoint = |name: &EndpointName| state.endpoints.contains_key(&EndpointKey::from(name));
    if let Some(name) = table.endpoints.keys().find(|name| !has_endpoint(name)) {
        return Some(format!("{name} is gone and has routes"));
    }
    let mut activities = state.activities.values();
    let open = activities.find(|one| one.status == ActivityStatus::InProgress);
    open.map(|open| format!("an activity has not ended: {open:?}"))
}
