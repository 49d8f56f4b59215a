//! Application Auto Scaling: scalable targets, policies, scheduled actions and what they decide
//! (`reference/autoscaling-and-cloudwatch.md`, sections 1 to 5).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::alarm::AlarmName;
use crate::metric::{Query, Stat};
use crate::name::{EndpointKey, EndpointName, VariantName};
use crate::time::Timestamp;
use crate::uuid::Uuid;

/// What is scaled: `endpoint/NAME/variant/NAME` in the dimension `sagemaker:variant:DesiredInstanceCount`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ResourceId {
    /// As it was spelled.
    pub endpoint: EndpointName,
    pub variant: VariantName,
}

impl fmt::Display for ResourceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "endpoint/{}/variant/{}", self.endpoint, self.variant)
    }
}

/// A target's identity: endpoints differ by more than case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetKey {
    pub endpoint: EndpointKey,
    pub variant: VariantName,
}

impl From<&ResourceId> for TargetKey {
    fn from(id: &ResourceId) -> Self {
        Self { endpoint: EndpointKey::from(&id.endpoint), variant: id.variant.clone() }
    }
}

impl fmt::Display for TargetKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "endpoint/{}/variant/{}", self.endpoint.as_str(), self.variant)
    }
}

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
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Memory {}

/// A scaling policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub target: TargetKey,
    pub name: String,
    pub plan: Plan,
    pub created_at: Timestamp,
    /// The `createdBy` id of its alarm actions (section 2.2).
    pub created_by: Uuid,
    /// Names of the alarms that the policy owns: high, then low. None for step scaling.
    pub alarms: Vec<AlarmName>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Plan {
    TargetTracking(TargetTracking),
    StepScaling(StepScaling),
}

/// `TargetTrackingScalingPolicyConfiguration`. Optional members stay absent where they were not given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetTracking {
    pub target_value: f64,
    pub metric: TrackedMetric,
    pub scale_out_cooldown_secs: Option<u32>,
    pub scale_in_cooldown_secs: Option<u32>,
    pub disable_scale_in: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TrackedMetric {
    InvocationsPerInstance,
    ConcurrentRequestsPerModelHighResolution,
    Customized(Stat),
    CustomizedMath(Vec<Query>),
}

/// `StepScalingPolicyConfiguration` (section 3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepScaling {
    pub adjustment: AdjustmentType,
    pub steps: Vec<Step>,
    pub min_magnitude: Option<u32>,
    pub cooldown_secs: Option<u32>,
    pub aggregation: Option<Aggregation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdjustmentType {
    ChangeInCapacity,
    PercentChangeInCapacity,
    ExactCapacity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aggregation {
    Average,
    Minimum,
    Maximum,
}

/// One step; bounds are offsets from the alarm's threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub adjustment: i32,
}

/// A scheduled action (section 4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduledAction {
    pub target: TargetKey,
    pub name: String,
    /// As it was given: `at(…)`, `rate(…)` or `cron(…)`.
    pub schedule: String,
    pub timezone: Option<String>,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub min: Option<u32>,
    pub max: Option<u32>,
    pub created_at: Timestamp,
    /// Up to when its occurrences are done with: the next one lies after this.
    pub done_until: Timestamp,
}

/// A scaling activity (section 5.2). It outlives its target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    pub resource: ResourceId,
    pub id: Uuid,
    pub description: String,
    pub cause: String,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub status: ActivityStatus,
    pub status_message: Option<String>,
    pub details: Option<String>,
    /// Only of activities that came to nothing (section 5.3).
    pub not_scaled: Option<NotScaled>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActivityStatus {
    Pending,
    InProgress,
    Successful,
    Overridden,
    Unfulfilled,
    Failed,
}

/// Why nothing was changed, with the capacity that AWS names beside the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotScaled {
    AlreadyAtMaxCapacity { max: u32 },
    AlreadyAtMinCapacity { min: u32 },
    AlreadyAtDesiredCapacity { current: Option<u32> },
    TargetServicePutResourceAsUnscalable,
    AutoScalingAnticipatedFlapping,
}
