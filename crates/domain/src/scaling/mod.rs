//! Application Auto Scaling: scalable targets, policies, scheduled actions and what they decide
//! (`reference/autoscaling-and-cloudwatch.md`, sections 1 to 5).
//!
//! `decide` alone says what is to be done; `register`, `policy` and `put_scheduled_action` say what becomes of requests;
//! `progress` makes records of changes, and `explain` sentences.

mod activity;
mod decide;
pub mod explain;
mod policy;
mod progress;
mod put_scheduled_action;
mod recent;
mod refusal;
mod register;
mod resource;
pub mod schedule;
mod scheduled_action;
mod target;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use activity::{Activity, ActivityStatus, Cause, Change, NotScaled};
pub use decide::{
    Considered, Decision, Direction, Facts, Hold, Law, Metric, Outcome, Side, Trigger, Verdict,
    Watched, decide,
};
pub use policy::{
    AdjustmentType, Aggregation, COOLDOWN_SECS, Customized, Plan, Policy, PolicyBook, PolicyIds,
    PolicyPut, PolicyRequest, PolicyType, PredefinedMetric, Step, StepRequest, StepScaling,
    TargetTracking, TrackedMetric, TrackingRequest, put_policy,
};
pub use progress::{Begun, FULFILMENT_TIMEOUT, abandon, begin, finish, not_scaled};
pub use put_scheduled_action::{
    BoundsChange, ScheduleBook, ScheduledActionRequest, put_scheduled_action,
};
pub use recent::Recent;
pub use refusal::{
    POLICIES_MAX, Refusal, RefusalKind, SCHEDULED_ACTIONS_MAX, STEPS_MAX, TARGETS_MAX,
};
pub use register::{
    Registered, Registration, Registry, SuspendedChange, correction, is_burstable, register,
};
pub use resource::{
    ActionRef, DIMENSION, NAMESPACE, NotResourceId, ResourceId, TargetKey, check_dimension,
    target_id_of_arn,
};
pub use scheduled_action::{Fired, ScheduledAction, fire};
pub use target::{
    Bounds, CAPACITY_FLOOR, InFlight, Memory, Noted, Resource, ScaledIn, ScaledOut, Suspended,
    Target,
};
