//! An update under way as `DescribeEndpoint` tells it of each variant: `VariantStatus`
//! (`reference/sagemaker-hosting.md`, section 2, message templates).

use domain::endpoint::{Deployment, Endpoint, Fleet};
use domain::rollout::{Policy, Rollout, Sides, Stage};
use domain::time::Timestamp;
use wire::sagemaker::{ProductionVariantStatus, VariantStatus};

use super::members::timestamp;

/// A variant of an update under way.
struct Moving {
    rollout: Rollout,
    sides: Vec<Sides>,
    variant: Sides,
}

impl Moving {
    fn of(endpoint: &Endpoint, fleet: &Fleet) -> Option<Self> {
        let rollout = endpoint.rollout()?;
        let totals = endpoint.totals();
        let (_, variant) = *totals.iter().find(|(name, _)| *name == fleet.variant)?;
        let sides = totals.iter().map(|(_, sides)| *sides).collect();
        Some(Self { rollout, sides, variant })
    }

    /// Instances of the old and of the new fleet that should stand.
    fn wanted(&self) -> (u32, u32) {
        self.rollout.wanted(&self.sides, self.variant)
    }

    /// Instances of the new fleet that take traffic.
    fn active(&self) -> u32 {
        self.rollout.active(&self.sides, self.variant).1
    }

    /// What the last stage has left behind to take traffic.
    fn status(&self, status: VariantStatus, message: String) -> ProductionVariantStatus {
        at(status, message, self.rollout.since)
    }
}

/// A variant of the fleet that serves: only what leaves or comes back has something to tell.
pub(super) fn of_live(endpoint: &Endpoint, fleet: &Fleet) -> Option<ProductionVariantStatus> {
    let moving = Moving::of(endpoint, fleet)?;
    let (old, _) = moving.wanted();
    match &moving.rollout.stage {
        Stage::Terminating { .. } => {
            let leaving = fleet.current_count.saturating_sub(old);
            Some(moving.status(VariantStatus::Deleting, terminating(leaving)))
        }
        Stage::RollingBack { .. } if old > fleet.current_count => {
            let coming = old - fleet.current_count;
            Some(moving.status(VariantStatus::Creating, launching(coming)))
        }
        _ => None,
    }
}

/// A variant of the fleet that is to serve, or that the first deployment is building.
pub(super) fn of_pending(
    endpoint: &Endpoint,
    pending: &Deployment,
    fleet: &Fleet,
) -> ProductionVariantStatus {
    let Some(moving) = Moving::of(endpoint, fleet) else {
        return at(VariantStatus::Creating, launching(fleet.desired_count), pending.started_at);
    };
    let (_, wanted) = moving.wanted();
    match moving.rollout.stage {
        Stage::Provisioning { step: 1 } => {
            at(VariantStatus::Creating, launching(wanted), pending.started_at)
        }
        Stage::Provisioning { .. } => moving
            .status(VariantStatus::Updating, launching(wanted.saturating_sub(moving.active()))),
        Stage::Baking { step, .. } => moving.status(VariantStatus::Baking, baking(&moving, step)),
        Stage::Terminating { .. } => {
            let active = moving.active();
            let message = format!("Activating traffic on canary capacity of {active} instance(s).");
            moving.status(VariantStatus::ActivatingTraffic, message)
        }
        Stage::RollingBack { .. } => {
            let leaving = fleet.current_count.saturating_sub(wanted);
            moving.status(VariantStatus::Deleting, terminating(leaving))
        }
    }
}

/// The new fleet's weight as far as it takes traffic: it grows with the part that is active.
pub(super) fn active_weight(endpoint: &Endpoint, fleet: &Fleet) -> f64 {
    let Some(moving) = Moving::of(endpoint, fleet) else { return fleet.current_weight };
    if moving.variant.new.total == 0 {
        return 0.0;
    }
    fleet.desired_weight * f64::from(moving.active()) / f64::from(moving.variant.new.total)
}

fn baking(moving: &Moving, step: u32) -> String {
    let active = moving.active();
    let whole = moving.rollout.is_shifted(&moving.sides);
    let capacity = if whole { "full" } else { "canary" };
    let secs = moving.rollout.guardrails.bake_secs(step, moving.rollout.steps(&moving.sides));
    let blue_green = matches!(moving.rollout.guardrails.policy, Policy::BlueGreen { .. });
    let wait =
        if whole && blue_green { "TerminationWaitInSeconds" } else { "WaitIntervalInSeconds" };
    format!(
        "Baking for {secs} seconds ({wait}) with traffic enabled on {capacity} capacity of {active} instance(s)."
    )
}

fn launching(count: u32) -> String {
    format!("Launching {count} instance(s).")
}

fn terminating(count: u32) -> String {
    format!("Terminating {count} instance(s).")
}

fn at(status: VariantStatus, message: String, since: Timestamp) -> ProductionVariantStatus {
    ProductionVariantStatus {
        status,
        status_message: Some(message),
        start_time: Some(timestamp(since)),
    }
}
