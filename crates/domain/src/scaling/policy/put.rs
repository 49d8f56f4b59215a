//! `PutScalingPolicy`: what it accepts, how an update merges with what is there, and which alarms come and go
//! (`reference/autoscaling-and-cloudwatch.md`, sections 1.5, 1.6 and 1.8).

use super::{
    AdjustmentType, Aggregation, Customized, Plan, Policy, PolicyType, PredefinedMetric, Step,
    StepScaling, TargetTracking, TrackedMetric, alarms, steps,
};
use crate::alarm::{Alarm, AlarmName, JavaDouble, Watch};
use crate::arn::Scope;
use crate::metric::math;
use crate::scaling::refusal::{POLICIES_MAX, TARGET_VALUES};
use crate::scaling::{Refusal, ResourceId, Target, TargetKey};
use crate::time::Timestamp;
use crate::uuid::Uuid;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyRequest {
    pub resource: ResourceId,
    pub name: String,
    pub kind: Option<PolicyType>,
    pub step: Option<StepRequest>,
    pub tracking: Option<TrackingRequest>,
    /// Whether there is a `PredictiveScalingPolicyConfiguration`.
    pub predictive: bool,
}

/// `StepScalingPolicyConfiguration` of a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StepRequest {
    pub adjustment: Option<AdjustmentType>,
    pub steps: Option<Vec<Step>>,
    pub min_magnitude: Option<i32>,
    pub cooldown_secs: Option<i32>,
    pub aggregation: Option<Aggregation>,
}

/// `TargetTrackingScalingPolicyConfiguration` of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackingRequest {
    pub target_value: f64,
    pub predefined: Option<PredefinedMetric>,
    pub customized: Option<Customized>,
    pub scale_out_cooldown_secs: Option<i32>,
    pub scale_in_cooldown_secs: Option<i32>,
    pub disable_scale_in: Option<bool>,
}

/// What is there when the request comes.
#[derive(Debug, Clone, Copy)]
pub struct PolicyBook<'a> {
    pub scope: &'a Scope,
    pub target: Option<&'a Target>,
    pub existing: Option<&'a Policy>,
    /// The target's other policies.
    pub others: &'a [&'a Policy],
}

/// Ids that nothing had before.
#[derive(Debug, Clone, Copy)]
pub struct PolicyIds {
    pub created_by: Uuid,
    pub high: Uuid,
    pub low: Uuid,
}

/// The records to write and to remove.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyPut {
    pub policy: Policy,
    pub create: Vec<Alarm>,
    pub delete: Vec<AlarmName>,
}

/// Makes a policy, or changes one. Each change of a target tracking policy replaces its alarms.
pub fn put_policy(
    book: &PolicyBook<'_>,
    request: &PolicyRequest,
    ids: PolicyIds,
    now: Timestamp,
) -> Result<PolicyPut, Refusal> {
    let target = book.target.ok_or_else(|| Refusal::NotRegistered(request.resource.clone()))?;
    let kind = kind(book.existing, request)?;
    let before = book.existing.map(|policy| &policy.plan);
    let plan = match kind {
        PolicyType::StepScaling => Plan::StepScaling(step_plan(before, request.step.as_ref())?),
        PolicyType::TargetTrackingScaling => {
            let given = request.tracking.as_ref().ok_or(Refusal::ConfigurationMissing(kind))?;
            Plan::TargetTracking(tracking_plan(before, given, target, book.others)?)
        }
        PolicyType::PredictiveScaling => return Err(Refusal::Predictive),
    };
    if book.existing.is_none() && book.others.len() >= POLICIES_MAX {
        return Err(Refusal::TooManyPolicies);
    }
    let mut policy = Policy {
        target: TargetKey::from(&target.resource),
        name: request.name.clone(),
        plan: plan.clone(),
        created_at: book.existing.map_or(now, |policy| policy.created_at),
        created_by: book.existing.map_or(ids.created_by, |policy| policy.created_by),
        alarms: Vec::new(),
    };
    let create = match &plan {
        Plan::TargetTracking(plan) => {
            alarms::pair(&policy, plan, target, (book.scope, ids.high, ids.low), now)
        }
        Plan::StepScaling(_) => Vec::new(),
    };
    for alarm in &create {
        alarm.config.check().map_err(|why| Refusal::Alarm(why.to_string()))?;
        if let Watch::Math(queries) = &alarm.config.watch {
            math::check(queries, true).map_err(|why| Refusal::Alarm(why.to_string()))?;
        }
    }
    policy.alarms = create.iter().map(|alarm| alarm.name.clone()).collect();
    let delete = book.existing.map(|policy| policy.alarms.clone()).unwrap_or_default();
    Ok(PolicyPut { policy, create, delete })
}

/// The policy's type, once it is clear that the configuration fits it.
fn kind(existing: Option<&Policy>, request: &PolicyRequest) -> Result<PolicyType, Refusal> {
    let kept = existing.map(|policy| policy.plan.kind());
    let kind = request.kind.or(kept).ok_or(Refusal::TypeMissing)?;
    let given = [
        (request.step.is_some(), PolicyType::StepScaling),
        (request.tracking.is_some(), PolicyType::TargetTrackingScaling),
        (request.predictive, PolicyType::PredictiveScaling),
    ];
    let given: Vec<PolicyType> =
        given.into_iter().filter_map(|(is_given, kind)| is_given.then_some(kind)).collect();
    if given.is_empty() {
        match kind {
            // An existing step policy keeps what it has.
            PolicyType::StepScaling if kept == Some(kind) => {}
            PolicyType::StepScaling | PolicyType::TargetTrackingScaling => {
                return Err(Refusal::ConfigurationMissing(kind));
            }
            PolicyType::PredictiveScaling => return Err(Refusal::PredictiveConfigurationMissing),
        }
    } else if given != [kind] {
        return Err(Refusal::ConfigurationMismatch);
    }
    let is_step = |kind| kind == PolicyType::StepScaling;
    if kept.is_some_and(|kept| is_step(kept) != is_step(kind)) {
        return Err(Refusal::TypeChanged);
    }
    Ok(kind)
}

/// Adjustment type and steps stay where they are not given; the other members go unless they are.
fn step_plan(before: Option<&Plan>, given: Option<&StepRequest>) -> Result<StepScaling, Refusal> {
    let before = match before {
        Some(Plan::StepScaling(plan)) => Some(plan),
        Some(Plan::TargetTracking(_)) | None => None,
    };
    let (given, kept) = match (given, before) {
        (None, Some(plan)) => return Ok(plan.clone()),
        (given, kept) => (given.cloned().unwrap_or_default(), kept),
    };
    let adjustment = given.adjustment.or_else(|| kept.map(|plan| plan.adjustment));
    let adjustment = adjustment.ok_or(Refusal::AdjustmentTypeMissing)?;
    let kept_steps = || kept.map(|plan| plan.steps.clone()).unwrap_or_default();
    let steps = given.steps.unwrap_or_else(kept_steps);
    steps::check(adjustment, &steps)?;
    if given.min_magnitude.is_some() && adjustment != AdjustmentType::PercentChangeInCapacity {
        return Err(Refusal::MagnitudeOfOtherType);
    }
    let magnitude = given.min_magnitude.map(|magnitude| {
        let positive = u32::try_from(magnitude).ok().filter(|magnitude| *magnitude > 0);
        positive.ok_or(Refusal::MagnitudeNotPositive)
    });
    Ok(StepScaling {
        adjustment,
        steps,
        min_magnitude: magnitude.transpose()?,
        cooldown_secs: cooldown(given.cooldown_secs)?,
        aggregation: given.aggregation,
    })
}

fn cooldown(given: Option<i32>) -> Result<Option<u32>, Refusal> {
    given.map(|secs| u32::try_from(secs).map_err(|_| Refusal::CooldownNegative)).transpose()
}

/// The metric stays where none is given; the other members go unless they are given.
fn tracking_plan(
    before: Option<&Plan>,
    given: &TrackingRequest,
    target: &Target,
    others: &[&Policy],
) -> Result<TargetTracking, Refusal> {
    let scale_out_cooldown_secs = cooldown(given.scale_out_cooldown_secs)?;
    let scale_in_cooldown_secs = cooldown(given.scale_in_cooldown_secs)?;
    if !(TARGET_VALUES.0..=TARGET_VALUES.1).contains(&given.target_value) {
        return Err(Refusal::TargetValue(JavaDouble(given.target_value).to_string()));
    }
    let kept = match before {
        Some(Plan::TargetTracking(plan)) => Some(&plan.metric),
        Some(Plan::StepScaling(_)) | None => None,
    };
    let metric = match (&given.predefined, &given.customized) {
        (Some(_), Some(_)) => return Err(Refusal::TwoMetrics),
        (Some(predefined), None) => TrackedMetric::try_from(predefined)?,
        (None, Some(customized)) => TrackedMetric::try_from(customized)?,
        (None, None) => kept.cloned().ok_or(Refusal::MetricMissing)?,
    };
    let tracked = |other: &&Policy| match &other.plan {
        Plan::TargetTracking(other) => other.metric.is_same(&metric, &target.resource),
        Plan::StepScaling(_) => false,
    };
    if others.iter().any(tracked) {
        return Err(Refusal::MetricTracked);
    }
    Ok(TargetTracking {
        target_value: given.target_value,
        metric,
        scale_out_cooldown_secs,
        scale_in_cooldown_secs,
        disable_scale_in: given.disable_scale_in,
    })
}
