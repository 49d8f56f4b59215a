//! How much capacity one trigger wants: the arithmetic of target tracking and of step scaling, and nothing of what holds
//! it back (`reference/autoscaling-and-cloudwatch.md`, sections 2.4 and 3).

use std::cmp::Ordering;

use super::{LATEST_KEPT, Metric, Side, Trigger};
use crate::scaling::{AdjustmentType, Aggregation, Plan, Step, StepScaling, TargetTracking};

/// How far from a whole number a product may lie and still be that number, as a part of it: noise of a few roundings,
/// far below one instance in a million.
const ROUNDING_NOISE: f64 = 1e-9;

/// How a wanted capacity comes about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// The base times value / target, rounded up.
    Proportional { base: u32, target: f64 },
    /// The step that holds the distance of value and threshold; none may.
    Step { base: u32, kind: AdjustmentType, distance: f64, step: Option<Step> },
}

/// One value of a trigger's datapoints.
pub(super) fn metric(plan: &Plan, trigger: &Trigger<'_>) -> Option<Metric> {
    let recent = trigger.recent;
    let aggregation = match plan {
        Plan::TargetTracking(_) => Aggregation::Average,
        Plan::StepScaling(plan) => plan.aggregation.unwrap_or(Aggregation::Average),
    };
    let value = match aggregation {
        Aggregation::Average => mean(recent),
        Aggregation::Minimum => recent.iter().copied().reduce(f64::min),
        Aggregation::Maximum => recent.iter().copied().reduce(f64::max),
    };
    let beyond = |value: &&f64| match trigger.side {
        Side::High => **value > trigger.threshold,
        Side::Low => **value < trigger.threshold,
        Side::Step => false,
    };
    let beyond = recent.iter().filter(beyond).count();
    let mut latest = [0.0; LATEST_KEPT];
    let tail = &recent[recent.len().saturating_sub(LATEST_KEPT)..];
    latest[..tail.len()].copy_from_slice(tail);
    let spoilt = recent.iter().any(|value| value.is_nan());
    let value = value.filter(|value| !spoilt && !value.is_nan());
    value.map(|value| Metric { value, count: recent.len(), beyond, latest })
}

/// The mean; each value is divided first, so that great ones do not overflow.
fn mean(values: &[f64]) -> Option<f64> {
    let count = u32::try_from(values.len()).ok().filter(|count| *count > 0)?;
    let sum: f64 = values.iter().sum();
    if sum.is_finite() {
        return Some(sum / f64::from(count));
    }
    Some(values.iter().map(|value| value / f64::from(count)).sum())
}

impl TargetTracking {
    /// `ceil(base * value / target)`, never less than is needed, both ways.
    pub(super) fn law(&self, base: u32) -> Law {
        Law::Proportional { base, target: self.target_value }
    }
}

impl StepScaling {
    pub(super) fn law(&self, base: u32, value: f64, threshold: f64) -> Law {
        let distance = value - threshold;
        let step = self.steps.iter().copied().find(|step| covers(step, distance)).or_else(|| {
            // On the threshold itself, a step that ends there serves alarms that fire at or below it.
            self.steps.iter().copied().find(|step| distance == 0.0 && below(step, distance))
        });
        Law::Step { base, kind: self.adjustment, distance, step }
    }
}

impl Law {
    /// The capacity that follows, before any bound; `value` is the metric's.
    pub(super) fn wanted(self, value: f64, min_magnitude: Option<u32>) -> u32 {
        match self {
            Self::Proportional { base, target } => rounded_up(f64::from(base) * value / target),
            Self::Step { base, step: None, .. } => base,
            Self::Step { base, kind, step: Some(step), .. } => {
                adjusted(base, kind, step.adjustment, min_magnitude.unwrap_or(0))
            }
        }
    }
}

/// Rounds up, but not across the noise of a few roundings: 3.0000000001 is 3. What has no number wants nothing.
fn rounded_up(product: f64) -> u32 {
    let nearest = product.round();
    let is_noise = (product - nearest).abs() <= ROUNDING_NOISE * nearest.abs();
    saturated(if is_noise { nearest } else { product.ceil() })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates at both ends, and makes 0 of what is not a number"
)]
fn saturated(whole: f64) -> u32 {
    whole as u32
}

/// At and above the threshold, a step holds its lower bound and not its upper one; below it, the other way round.
fn covers(step: &Step, distance: f64) -> bool {
    if distance < 0.0 {
        return below(step, distance);
    }
    step.lower.is_none_or(|lower| lower <= distance)
        && step.upper.is_none_or(|upper| distance < upper)
}

fn below(step: &Step, distance: f64) -> bool {
    step.lower.is_none_or(|lower| lower < distance)
        && step.upper.is_none_or(|upper| distance <= upper)
}

fn adjusted(base: u32, kind: AdjustmentType, adjustment: i32, min_magnitude: u32) -> u32 {
    let (base, adjustment) = (i64::from(base), i64::from(adjustment));
    let after = match kind {
        AdjustmentType::ChangeInCapacity => base + adjustment,
        AdjustmentType::ExactCapacity => adjustment,
        AdjustmentType::PercentChangeInCapacity => {
            let hundredths = base * adjustment;
            let magnitude = (hundredths.abs() / 100)
                .max(i64::from(hundredths != 0))
                .max(i64::from(min_magnitude));
            match adjustment.cmp(&0) {
                Ordering::Greater => base + magnitude,
                Ordering::Less => base - magnitude,
                Ordering::Equal => base,
            }
        }
    };
    u32::try_from(after.max(0)).unwrap_or(u32::MAX)
}
