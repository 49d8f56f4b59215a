//! The pair of alarms through which a target tracking policy sees its metric, exactly as AWS makes them
//! (`reference/autoscaling-and-cloudwatch.md`, section 2.2).

use super::{Policy, TargetTracking, TrackedMetric};
use crate::alarm::{Alarm, AlarmName, Comparison, Config};
use crate::arn::Scope;
use crate::members::Members;
use crate::scaling::Target;
use crate::time::Timestamp;
use crate::uuid::Uuid;

/// A low alarm's threshold, as a part of the policy's target value.
const LOW_PART: f64 = 0.9;

/// Periods that a high alarm looks at.
pub(in crate::scaling) const HIGH_PERIODS: u32 = 3;

/// Seconds that a low alarm looks at, whatever its period: 15 x 60 s, or 90 x 10 s.
const LOW_SECS: u32 = 900;

pub(in crate::scaling) fn low_threshold(plan: &TargetTracking) -> f64 {
    LOW_PART * plan.target_value
}

pub(in crate::scaling) const fn low_periods(metric: &TrackedMetric) -> u32 {
    LOW_SECS / metric.period_secs()
}

/// High, then low; no low one without scale-in. Each gets an id of its own.
pub(super) fn pair(
    policy: &Policy,
    plan: &TargetTracking,
    target: &Target,
    (scope, high, low): (&Scope, Uuid, Uuid),
    now: Timestamp,
) -> Vec<Alarm> {
    let alarm = |name: &str, id: Uuid, comparison, threshold, periods| {
        Alarm::create(
            AlarmName::from(format!("TargetTracking-{}-{name}-{id}", target.resource).as_str()),
            config(policy, &plan.metric, target, scope, (comparison, threshold, periods)),
            now,
        )
    };
    let value = plan.target_value;
    let mut alarms =
        vec![alarm("AlarmHigh", high, Comparison::GreaterThanThreshold, value, HIGH_PERIODS)];
    if plan.scales_in() {
        let (threshold, periods) = (low_threshold(plan), low_periods(&plan.metric));
        alarms.push(alarm("AlarmLow", low, Comparison::LessThanThreshold, threshold, periods));
    }
    alarms
}

fn config(
    policy: &Policy,
    metric: &TrackedMetric,
    target: &Target,
    scope: &Scope,
    (comparison, threshold, evaluation_periods): (Comparison, f64, u32),
) -> Config {
    let action = target.alarm_action(scope, policy);
    let description = format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {action}.");
    Config {
        description: Some(description),
        actions_enabled: true,
        ok_actions: Vec::new(),
        alarm_actions: vec![action],
        insufficient_data_actions: Vec::new(),
        watch: metric.watch(&target.resource),
        evaluation_periods,
        datapoints_to_alarm: None,
        threshold,
        comparison,
        treat_missing: None,
        evaluate_low_samples: None,
        kept: Members::default(),
    }
}
