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
            Stage::InService => {}
            other => return Some(format!("{name} is {other:?}")),
        }
        let Some(live) = endpoint.live.as_ref() else {
            return Some(format!("{name} has no fleet"));
        };
        let route = table.endpoints.get(name);
        for fleet in &live.fleets {
            let own = instances.iter().filter(|one| {
                one.fleet.endpoint == *name
                    && one.fleet.deployment == live.id
                    && one.fleet.variant == fleet.variant
                    && !matches!(one.phase, Phase::Exited(_))
            });
            let own: Vec<_> = own.collect();
            let ready = own.iter().filter(|one| one.phase.is_ready()).count();
            let wanted = fleet.desired_count as usize;
            let variant = &fleet.variant;
            if ready != wanted || own.len() != wanted {
                let alive = own.len();
                return Some(format!(
                    "{name}/{variant} wants {wanted} and has {ready} ready of {alive}"
                ));
            }
            let counted = fleet.current_count == fleet.desired_count;
            if !counted || !live.is_settled() {
                return Some(format!("{name}/{variant} is told wrongly: {fleet:?}"));
            }
            let routed =
                route.and_then(|route| route.variants.iter().find(|one| one.name == *variant));
            let routed: BTreeSet<_> =
                routed.iter().flat_map(|one| &one.instances).map(|one| one.id.clone()).collect();
            if routed != own.iter().map(|one| one.id.clone()).collect() {
                return Some(format!("{name}/{variant} has the routes {routed:?}"));
            }
            explained.extend(routed);
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
