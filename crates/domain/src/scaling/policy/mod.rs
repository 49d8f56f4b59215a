//! Scaling policies: what is kept of them, what `PutScalingPolicy` accepts, and the alarms that they own.

mod alarms;
mod metric;
mod put;
mod record;
mod steps;
#[cfg(test)]
mod tests;

pub(super) use alarms::{HIGH_PERIODS, low_periods, low_threshold};
pub use metric::{Customized, PredefinedMetric};
pub use put::{
    PolicyBook, PolicyIds, PolicyPut, PolicyRequest, StepRequest, TrackingRequest, put_policy,
};
pub use record::{
    AdjustmentType, Aggregation, COOLDOWN_SECS, Plan, Policy, PolicyType, Step, StepScaling,
    TargetTracking, TrackedMetric,
};
