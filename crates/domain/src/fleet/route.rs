//! The part of the route table that one endpoint's instances make up.

use std::collections::BTreeMap;

use super::Seen;
use super::wanted::{Of, Wanted, wanted};
use crate::endpoint::{Deployment, Endpoint, Stage};
use crate::instance::{FleetId, Phase};
use crate::rollout::Sides;
use crate::route::{EndpointRoute, InstanceRoute, ShadowRoute, VariantRoute};

/// The route of an endpoint that takes requests: ready instances, but for those that are leaving, and of each deployment
/// as many as the update under way says.
pub fn route(endpoint: &Endpoint, instances: &[Seen]) -> Option<EndpointRoute> {
    let live = endpoint.live.as_deref().filter(|_| endpoint.stage.serves())?;
    let (all_on, takes_over) = match taking_over(endpoint) {
        Some(pending) => (pending, true),
        None => (live, false),
    };
    let wanted = wanted(endpoint);
    let ready = ready(instances);
    let helpers = if endpoint.stage == Stage::RollingBack { Of::Pending } else { Of::Live };
    let routed = all_on.runnable().into_iter().map(|(fleet, variant, _)| {
        // A name may stand for a shadow on one side and for a production variant on the other.
        let is_it = |want: &&Wanted<'_>| {
            want.fleet.variant == fleet.variant && want.fleet.shadow == fleet.shadow
        };
        let of_it: Vec<&Wanted<'_>> = wanted.iter().filter(is_it).collect();
        let route = VariantRoute {
            name: fleet.variant.clone(),
            weight: if takes_over { fleet.desired_weight } else { fleet.current_weight },
            strategy: variant.strategy,
            instances: active(&of_it, &ready, helpers),
        };
        (fleet.shadow, route)
    });
    Some(mirrored(routed))
}

/// The route of these variants, of which one may be a shadow. A config has one of each then, so that the first production
/// variant is the only one.
fn mirrored(routed: impl Iterator<Item = (bool, VariantRoute)>) -> EndpointRoute {
    let (shadows, production): (Vec<_>, Vec<_>) = routed.partition(|(shadow, _)| *shadow);
    let variants: Vec<VariantRoute> = production.into_iter().map(|(_, route)| route).collect();
    let weight = variants.first().map_or(0.0, |production| production.weight);
    let shadow = shadows.into_iter().next().map(|(_, variant)| {
        let share = ShadowRoute::share(weight, variant.weight);
        ShadowRoute { variant, share }
    });
    EndpointRoute { variants, shadow }
}

/// The pending deployment, once all traffic is to go to it.
fn taking_over(endpoint: &Endpoint) -> Option<&Deployment> {
    let rollout = endpoint.rollout()?;
    let sides: Vec<Sides> = endpoint.totals().into_iter().map(|(_, sides)| sides).collect();
    endpoint.pending.as_deref().filter(|_| rollout.is_shifted(&sides))
}

/// Ready instances that are not leaving, by their fleets, in the order of their ids.
fn ready(instances: &[Seen]) -> BTreeMap<&FleetId, Vec<InstanceRoute>> {
    let mut ready: BTreeMap<&FleetId, Vec<InstanceRoute>> = BTreeMap::new();
    for one in instances.iter().filter(|one| one.draining_since.is_none()) {
        if let Phase::Ready { address } = &one.observed.phase {
            let route = InstanceRoute { id: one.observed.id.clone(), address: address.clone() };
            ready.entry(&one.observed.fleet).or_default().push(route);
        }
    }
    ready
}

/// A variant's instances that take traffic: of each fleet as many as are to. Where those that take over lack some of their
/// own, `helpers` that stand by stand in. New instances that are on their way out are helpers of the old ones alone, and only
/// as far as what an update before has left over does not make up for them.
fn active(
    fleets: &[&Wanted<'_>],
    ready: &BTreeMap<&FleetId, Vec<InstanceRoute>>,
    helpers: Of,
) -> Vec<InstanceRoute> {
    let mut active = Vec::new();
    let mut lacking = 0;
    let mut made_up_for = 0;
    let mut standing_by = Vec::new();
    for want in fleets {
        let there = ready.get(&want.id).map(Vec::as_slice).unwrap_or_default();
        let wanted = usize::try_from(want.active).unwrap_or(usize::MAX);
        let (taken, spare) = there.split_at(wanted.min(there.len()));
        active.extend_from_slice(taken);
        if want.of == helpers {
            standing_by.extend_from_slice(spare);
        } else if want.of == Of::Stranded && helpers == Of::Pending {
            made_up_for += taken.len();
        } else {
            lacking += wanted - taken.len();
        }
    }
    standing_by.truncate(lacking.saturating_sub(made_up_for));
    active.extend(standing_by);
    active
}
