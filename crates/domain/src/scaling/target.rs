//! A scalable target, and what it remembers of its own scaling.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{NotScaled, ResourceId};
use crate::endpoint::{Endpoint, Stage};
use crate::name::VariantName;
use crate::time::Timestamp;
use crate::uuid::Uuid;

/// A variant that serves requests directly has at least one instance: SageMaker refuses none
/// (`reference/autoscaling-and-cloudwatch.md`, section 2.8). A target may be registered with less all the same.
pub const CAPACITY_FLOOR: u32 = 1;

/// A scalable target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub resource: ResourceId,
    /// The UUID that the target's, its policies' and its scheduled actions' ARNs share (section 1.3).
    pub id: Uuid,
    pub min: u32,
    pub max: u32,
    pub suspended: Suspended,
    pub created_at: Timestamp,
    /// What the target remembers of its own scaling.
    pub memory: Memory,
}

/// `SuspendedState` (section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Suspended {
    pub dynamic_in: bool,
    pub dynamic_out: bool,
    pub scheduled: bool,
}

/// Facts of earlier scaling that later decisions go by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Memory {
    /// The last scale-out by a policy that was completed.
    pub scaled_out: Option<ScaledOut>,
    /// The last scale-in by a policy that was completed; forgotten when a scale-out begins.
    pub scaled_in: Option<ScaledIn>,
    /// The change that the endpoint is carrying out.
    pub in_flight: Option<InFlight>,
    /// The last trigger that came to nothing, so that the same one is recorded once (section 5.3).
    pub not_scaled: Option<Noted>,
}

/// A completed scale-out, whose cooldown holds back what asks for no more than it gave (section 2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaledOut {
    pub at: Timestamp,
    /// Capacity before it.
    pub base: u32,
    pub cooldown_secs: u32,
}

/// A completed scale-in, whose cooldown holds back the next one (section 2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaledIn {
    pub at: Timestamp,
    pub cooldown_secs: u32,
}

impl ScaledOut {
    pub fn until(self) -> Timestamp {
        self.at.plus(Duration::from_secs(self.cooldown_secs.into()))
    }
}

impl ScaledIn {
    pub fn until(self) -> Timestamp {
        self.at.plus(Duration::from_secs(self.cooldown_secs.into()))
    }
}

/// A change of capacity that has begun and is not yet reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// With `started_at`, the key of its activity.
    pub activity: Uuid,
    pub started_at: Timestamp,
    pub from: u32,
    pub to: u32,
    /// The cooldown that its success opens; none where a policy did not cause it.
    pub cooldown_secs: Option<u32>,
}

/// A trigger that came to nothing: which policy's, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    pub policy: String,
    pub why: NotScaled,
}

/// Where capacity may lie: never below what SageMaker runs, whatever was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub min: u32,
    pub max: u32,
}

impl Target {
    pub fn bounds(&self) -> Bounds {
        let min = self.min.max(CAPACITY_FLOOR);
        Bounds { min, max: self.max.max(min) }
    }
}

impl Bounds {
    pub fn clamp(self, wanted: u32) -> u32 {
        wanted.clamp(self.min, self.max)
    }
}

/// What the endpoint says of the scaled variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    pub stage: Stage,
    /// `DesiredInstanceCount` of the fleet that serves.
    pub desired: u32,
    /// `CurrentInstanceCount` of the fleet that serves.
    pub current: u32,
}

impl Resource {
    /// Nothing where the endpoint does not serve this variant: it is being created, failed, or has never had it.
    pub fn of(endpoint: &Endpoint, variant: &VariantName) -> Option<Self> {
        let fleet = endpoint.live.as_deref()?.fleet(variant)?;
        Some(Self {
            stage: endpoint.stage,
            desired: fleet.desired_count,
            current: fleet.current_count,
        })
    }

    /// Whether the endpoint takes a change of capacity now.
    pub const fn is_scalable(self) -> bool {
        matches!(self.stage, Stage::InService)
    }
}
