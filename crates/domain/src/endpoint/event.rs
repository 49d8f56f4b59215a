//! What happened to an endpoint's fleets, and where that takes the endpoint. What is not listed is an error.

use std::sync::Arc;

use super::{Deployment, Endpoint, LastUpdate, Stage, UpdateOutcome, failure_reason};
use crate::instance::DeploymentId;
use crate::name::VariantName;
use crate::rollout::{self, Rollout};
use crate::time::Timestamp;

/// An event that `control` tells after it has seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Some instances of a fleet that is being built, resized or replaced have become ready, or have left.
    Advanced(Vec<Reached>),
    /// The update has come to another stage.
    Moved(Rollout),
    /// The pending fleet is complete, ready, and has all the traffic.
    Deployed,
    /// The first fleet cannot be built.
    DeploymentFailed { reason: String },
    /// The live fleet is as it was before the update, and nothing of the pending one is left.
    RolledBack { reason: String },
    /// The live fleet's instances do not come back.
    RollbackFailed { reason: String },
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
    pub deployment: DeploymentId,
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
        use Event::{
            Advanced, Deployed, DeploymentFailed, Moved, ResizeFailed, Resized, Retired,
            RollbackFailed, RolledBack,
        };
        use Stage::{Creating, Deploying, Failed, InService, Resizing, Retiring, RollingBack};

        let at = |stage| Self { stage, modified_at: now, ..self.clone() };
        match (self.stage, event) {
            (Creating | Deploying | RollingBack | Resizing, Advanced(reached)) => Ok(Self {
                live: self.live.as_deref().map(|fleet| counted(fleet, &reached)),
                pending: self.pending.as_deref().map(|fleet| counted(fleet, &reached)),
                ..self.clone()
            }),
            (Deploying | RollingBack, Moved(rollout)) => {
                let back = matches!(rollout.stage, rollout::Stage::RollingBack { .. });
                let stage = if back { RollingBack } else { Deploying };
                Ok(Self { rollout: Some(rollout), ..at(stage) })
            }
            (Creating, Deployed) => Ok(self.promoted(at(InService))),
            (Deploying, Deployed) => Ok(self.promoted(at(Retiring))),
            (Creating, DeploymentFailed { reason }) => Ok(Self {
                pending: None,
                failure_reason: Some(failure_reason(reason)),
                ..at(Failed)
            }),
            // A failed update leaves the old fleet serving under its old config: section 2, "Facts that surprise".
            (RollingBack, RolledBack { reason }) => Ok(self.back(reason, now)),
            (RollingBack, RollbackFailed { reason }) => Ok(self.stuck(reason, now)),
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

    /// The update has gone, and the endpoint is where it was before.
    fn back(&self, reason: String, now: Timestamp) -> Self {
        let reason = failure_reason(reason);
        let outcome = UpdateOutcome::RolledBack { reason: reason.clone() };
        let was_whole = self.stranded.is_empty();
        Self {
            stage: if was_whole { Stage::InService } else { Stage::UpdateRollbackFailed },
            modified_at: now,
            live: self
                .live
                .as_deref()
                .map(|live| if was_whole { reached(live) } else { Arc::new(live.clone()) }),
            pending: None,
            rollout: None,
            failure_reason: Some(reason),
            last_update: self.updated(outcome, now),
            ..self.clone()
        }
    }

    /// The update can go neither on nor back.
    fn stuck(&self, reason: String, now: Timestamp) -> Self {
        let reason = failure_reason(reason);
        let outcome = UpdateOutcome::RollbackFailed { reason: reason.clone() };
        let standing = match self.rollout.as_ref().map(|rollout| &rollout.stage) {
            Some(rollout::Stage::RollingBack { new, .. }) => *new,
            _ => 0,
        };
        Self {
            stage: Stage::UpdateRollbackFailed,
            modified_at: now,
            stranded: self.with_stranded(standing),
            pending: None,
            rollout: None,
            failure_reason: Some(reason),
            last_update: self.updated(outcome, now),
            ..self.clone()
        }
    }

    /// The pending fleet takes the place of the live one.
    fn promoted(&self, to: Self) -> Self {
        let Some(pending) = &self.pending else { return to };
        Self {
            config_name: pending.config.name.clone(),
            live: Some(reached(pending)),
            pending: None,
            rollout: None,
            stranded: Vec::new(),
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
        let of_it =
            |one: &&Reached| one.deployment == deployment.id && one.variant == fleet.variant;
        if let Some(reached) = reached.iter().find(of_it) {
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
