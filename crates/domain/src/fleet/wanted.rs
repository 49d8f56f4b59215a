//! Which fleets of an endpoint should stand, with how many instances, and how many of those take traffic.

use crate::endpoint::{Deployment, Endpoint, Fleet, Stage};
use crate::instance::FleetId;
use crate::rollout::Sides;

/// A fleet that should stand.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) id: FleetId,
    pub(super) fleet: &'a Fleet,
    pub(super) of: Of,
    /// Instances that should stand.
    pub(super) count: u32,
    /// Of those that are ready, so many take traffic.
    pub(super) active: u32,
}

/// Which deployment a fleet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Live,
    Pending,
    Stranded,
}

pub(super) fn wanted(endpoint: &Endpoint) -> Vec<Wanted<'_>> {
    if matches!(endpoint.stage, Stage::Deleting | Stage::Failed) {
        return Vec::new();
    }
    let rollout = endpoint.rollout();
    // Most endpoints are at rest, and every one is looked at each time.
    let totals = rollout.as_ref().map(|_| endpoint.totals()).unwrap_or_default();
    let sides: Vec<Sides> = totals.iter().map(|(_, sides)| *sides).collect();
    let whole = rollout.as_ref().is_some_and(|rollout| rollout.is_shifted(&sides));
    // Wanted and active instances of a fleet.
    let counts = |fleet: &Fleet, of: Of| {
        let sides_of = totals.iter().find(|(variant, _)| *variant == fleet.variant);
        let (Some(rollout), Some((_, variant))) = (&rollout, sides_of) else {
            return (fleet.desired_count, if of == Of::Pending { 0 } else { u32::MAX });
        };
        let (stands, active) = (rollout.wanted(&sides, *variant), rollout.active(&sides, *variant));
        match of {
            Of::Live => (stands.0, active.0),
            Of::Pending => (stands.1, active.1),
            Of::Stranded => (fleet.desired_count, if whole { 0 } else { fleet.desired_count }),
        }
    };
    let mut wanted = Vec::new();
    let live = endpoint.live.iter().map(|one| (one, Of::Live));
    let pending = endpoint.pending.iter().map(|one| (one, Of::Pending));
    let stranded = endpoint.stranded.iter().map(|one| (one, Of::Stranded));
    for (deployment, of) in live.chain(pending).chain(stranded) {
        for fleet in &deployment.fleets {
            let (count, active) = counts(fleet, of);
            let id = fleet_id(endpoint, deployment, fleet);
            wanted.push(Wanted { id, fleet, of, count, active });
        }
    }
    wanted
}

fn fleet_id(endpoint: &Endpoint, deployment: &Deployment, fleet: &Fleet) -> FleetId {
    FleetId {
        endpoint: endpoint.name.clone(),
        deployment: deployment.id,
        variant: fleet.variant.clone(),
    }
}
