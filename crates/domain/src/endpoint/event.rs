//! What happened to an endpoint's fleets, and where that takes the endpoint. What is not listed is an error.

use std::sync::Arc;

use super::{Deployment, Endpoint, LastUpdate, Stage, UpdateOutcome, failure_reason};
use crate::name::VariantName;
use crate::time::Timestamp;

/// An event that `control` tells after it has seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Some instances of the fleet that is being built or resized have become ready.
    Advanced(Vec<Reached>),
    /// The pending fleet is complete and ready.
    Deployed,
    /// The pending fleet cannot be built.
    DeploymentFailed { reason: String },
    /// The old fleet's last instance is gone.
    Retired,
    /// The live fleet has reached its desired counts.
    Resized,
    /// The live fleet cannot reach its desired counts.
    ResizeFailed { reason: String },
}

/// How many instances of a variant are ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    pub variant: VariantName,
    pub count: u32,
}

/// An event that cannot happen at this stage: a fault of whoever told it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen to an endpoint that is {stage:?}")]
pub struct Illegal {
    pub stage: Stage,
    pub event: Event,
}

impl Endpoint {
    /// The endpoint after an event.
    pub fn after(&self, event: Event, now: Timestamp) -> Result<Self, Illegal> {
        use Event::{Advanced, Deployed, DeploymentFailed, ResizeFailed, Resized, Retired};
        use Stage::{Creating, Deploying, Failed, InService, Resizing, Retiring};

        let at = |stage| Self { stage, modified_at: now, ..self.clone() };
        match (self.stage, event) {
            (Creating | Deploying, Advanced(reached)) => Ok(Self {
                pending: self.pending.as_deref().map(|fleet| counted(fleet, &reached)),
                ..self.clone()
            }),
            (Resizing, Advanced(reached)) => Ok(Self {
                live: self.live.as_deref().map(|fleet| counted(fleet, &reached)),
                ..self.clone()
            }),
            (Creating, Deployed) => Ok(self.promoted(at(InService))),
            (Deploying, Deployed) => Ok(self.promoted(at(Retiring))),
            (Creating, DeploymentFailed { reason }) => Ok(Self {
                pending: None,
                failure_reason: Some(failure_reason(reason)),
                ..at(Failed)
            }),
            // A failed update leaves the old fleet serving under its old config: section 2, "Facts that surprise".
            (Deploying, DeploymentFailed { reason }) => {
                let reason = failure_reason(reason);
                let rolled_back = UpdateOutcome::RolledBack { reason: reason.clone() };
                Ok(Self {
                    pending: None,
                    failure_reason: Some(reason),
                    last_update: self.updated(rolled_back, now),
                    ..at(InService)
                })
            }
            (Retiring, Retired) => Ok(Self {
                failure_reason: None,
                last_update: self.updated(UpdateOutcome::Applied, now),
                ..at(InService)
            }),
            (Resizing, Resized) => Ok(Self {
                live: self.live.as_deref().map(reached),
                failure_reason: None,
                ..at(InService)
            }),
            (Resizing, ResizeFailed { reason }) => Ok(Self {
                live: self.live.as_deref().map(kept),
                failure_reason: Some(failure_reason(reason)),
                ..at(InService)
            }),
            (stage, event) => Err(Illegal { stage, event }),
        }
    }

    fn updated(&self, outcome: UpdateOutcome, now: Timestamp) -> Option<LastUpdate> {
        self.last_update.as_ref().map(|update| update.ended(outcome, now))
    }

    /// The pending fleet takes the place of the live one.
    fn promoted(&self, to: Self) -> Self {
        let Some(pending) = &self.pending else { return to };
        Self {
            config_name: pending.config.name.clone(),
            live: Some(reached(pending)),
            pending: None,
            failure_reason: None,
            ..to
        }
    }
}

fn map_fleets(
    deployment: &Deployment,
    mut change: impl FnMut(&mut super::Fleet),
) -> Arc<Deployment> {
    let mut deployment = deployment.clone();
    deployment.fleets.iter_mut().for_each(&mut change);
    Arc::new(deployment)
}

fn counted(deployment: &Deployment, reached: &[Reached]) -> Arc<Deployment> {
    map_fleets(deployment, |fleet| {
        if let Some(reached) = reached.iter().find(|one| one.variant == fleet.variant) {
            fleet.current_count = reached.count;
        }
    })
}

fn reached(deployment: &Deployment) -> Arc<Deployment> {
    map_fleets(deployment, |fleet| {
        fleet.current_count = fleet.desired_count;
        fleet.settled_count = fleet.desired_count;
        fleet.current_weight = fleet.desired_weight;
    })
}

/// Wants again what was there before: the change of capacity is given up.
fn kept(deployment: &Deployment) -> Arc<Deployment> {
    map_fleets(deployment, |fleet| {
        fleet.desired_count = fleet.settled_count;
        fleet.current_count = fleet.settled_count;
        fleet.desired_weight = fleet.current_weight;
    })
}
