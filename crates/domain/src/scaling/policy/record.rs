//! Scaling policies as they are kept: what was given, and the ids that were drawn for it.

use serde::{Deserialize, Serialize};

use crate::alarm::{AlarmName, Watch};
use crate::metric::{INVOCATIONS, MetricId, Query, Source, Stat, Statistic};
use crate::scaling::{ResourceId, TargetKey};
use crate::time::Timestamp;
use crate::uuid::Uuid;

/// The cooldown of a policy that names none, both ways (`reference/autoscaling-and-cloudwatch.md`, section 2.6).
pub const COOLDOWN_SECS: u32 = 300;

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

impl Plan {
    pub const fn kind(&self) -> PolicyType {
        match self {
            Self::TargetTracking(_) => PolicyType::TargetTrackingScaling,
            Self::StepScaling(_) => PolicyType::StepScaling,
        }
    }

    pub fn scale_out_cooldown_secs(&self) -> u32 {
        match self {
            Self::TargetTracking(plan) => plan.scale_out_cooldown_secs,
            Self::StepScaling(plan) => plan.cooldown_secs,
        }
        .unwrap_or(COOLDOWN_SECS)
    }

    pub fn scale_in_cooldown_secs(&self) -> u32 {
        match self {
            Self::TargetTracking(plan) => plan.scale_in_cooldown_secs,
            Self::StepScaling(plan) => plan.cooldown_secs,
        }
        .unwrap_or(COOLDOWN_SECS)
    }
}

/// `PolicyType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyType {
    StepScaling,
    TargetTrackingScaling,
    /// AWS offers it for ECS alone (section 1.4).
    PredictiveScaling,
}

impl PolicyType {
    /// The one of this name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        [Self::StepScaling, Self::TargetTrackingScaling, Self::PredictiveScaling]
            .into_iter()
            .find(|one| one.as_str() == name)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StepScaling => "StepScaling",
            Self::TargetTrackingScaling => "TargetTrackingScaling",
            Self::PredictiveScaling => "PredictiveScaling",
        }
    }
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

impl TargetTracking {
    /// Whether the policy takes capacity away, and so has a say in whether others may.
    pub fn scales_in(&self) -> bool {
        self.disable_scale_in != Some(true)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TrackedMetric {
    InvocationsPerInstance,
    ConcurrentRequestsPerModelHighResolution,
    Customized(Stat),
    CustomizedMath(Vec<Query>),
}

impl TrackedMetric {
    /// `PredefinedMetricType`, for the predefined ones.
    pub const fn predefined(&self) -> Option<&'static str> {
        match self {
            Self::InvocationsPerInstance => Some("SageMakerVariantInvocationsPerInstance"),
            Self::ConcurrentRequestsPerModelHighResolution => {
                Some("SageMakerVariantConcurrentRequestsPerModelHighResolution")
            }
            Self::Customized(_) | Self::CustomizedMath(_) => None,
        }
    }

    /// The predefined metric of this name, if it is one of a variant's instance count.
    pub fn of_predefined(name: &str) -> Option<Self> {
        [Self::InvocationsPerInstance, Self::ConcurrentRequestsPerModelHighResolution]
            .into_iter()
            .find(|metric| metric.predefined() == Some(name))
    }

    /// The period, in seconds, of the alarms on this metric (section 2.1).
    pub const fn period_secs(&self) -> u32 {
        match self {
            Self::ConcurrentRequestsPerModelHighResolution => 10,
            Self::InvocationsPerInstance | Self::Customized(_) | Self::CustomizedMath(_) => 60,
        }
    }

    /// What the alarms on this metric watch.
    pub fn watch(&self, resource: &ResourceId) -> Watch {
        let period = Some(self.period_secs());
        let of_variant = |name: &str, statistic| {
            let metric =
                MetricId::of_variant(INVOCATIONS, name, &resource.endpoint, &resource.variant);
            Watch::Metric(Stat { metric, statistic, unit: None, period })
        };
        match self {
            Self::InvocationsPerInstance => of_variant("InvocationsPerInstance", Statistic::Sum),
            Self::ConcurrentRequestsPerModelHighResolution => {
                of_variant("ConcurrentRequestsPerModel", Statistic::Maximum)
            }
            Self::Customized(stat) => Watch::Metric(Stat { period, ..stat.clone() }),
            Self::CustomizedMath(queries) => {
                Watch::Math(queries.iter().map(|query| at_period(query, period)).collect())
            }
        }
    }
}

/// A query of a policy as its alarm has it: with the period that Application Auto Scaling chooses.
fn at_period(query: &Query, period: Option<u32>) -> Query {
    let source = match &query.source {
        Source::Metric(stat) => Source::Metric(Stat { period, ..stat.clone() }),
        Source::Expression { text, .. } => Source::Expression { text: text.clone(), period },
    };
    Query { source, ..query.clone() }
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

impl AdjustmentType {
    /// The one of this name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        [Self::ChangeInCapacity, Self::PercentChangeInCapacity, Self::ExactCapacity]
            .into_iter()
            .find(|one| one.as_str() == name)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChangeInCapacity => "ChangeInCapacity",
            Self::PercentChangeInCapacity => "PercentChangeInCapacity",
            Self::ExactCapacity => "ExactCapacity",
        }
    }
}

/// How a step policy makes one value of its alarm's recent datapoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aggregation {
    Average,
    Minimum,
    Maximum,
}

impl Aggregation {
    /// The one of this name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Average, Self::Minimum, Self::Maximum].into_iter().find(|one| one.as_str() == name)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Average => "Average",
            Self::Minimum => "Minimum",
            Self::Maximum => "Maximum",
        }
    }
}

/// One step; bounds are offsets from the alarm's threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub adjustment: i32,
}
