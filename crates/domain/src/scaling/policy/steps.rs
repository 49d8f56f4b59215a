//! Which lists of steps a policy may have (`reference/autoscaling-and-cloudwatch.md`, section 3): they leave no gap, do
//! not overlap, and go on for ever on each side of the threshold that they serve.

use super::{AdjustmentType, Step};
use crate::scaling::{Refusal, refusal::STEPS_MAX};

pub(super) fn check(kind: AdjustmentType, steps: &[Step]) -> Result<(), Refusal> {
    if steps.is_empty() {
        return Err(Refusal::NoSteps);
    }
    if steps.len() > STEPS_MAX {
        return Err(Refusal::TooManySteps);
    }
    check_each(kind, steps)?;
    let count = |open: fn(&Step) -> bool| steps.iter().filter(|step| open(step)).count();
    let (lowest, highest) =
        (count(|step| step.lower.is_none()), count(|step| step.upper.is_none()));
    if lowest > 1 {
        return Err(Refusal::TwoLowest);
    }
    if highest > 1 {
        return Err(Refusal::TwoHighest);
    }
    check_neighbours(steps)?;
    let some = |bound: fn(&Step) -> bool| steps.iter().any(bound);
    if lowest == 0 && some(|step| step.lower.is_some_and(|lower| lower < 0.0)) {
        return Err(Refusal::NoLowest);
    }
    if highest == 0 && some(|step| step.upper.is_some_and(|upper| upper > 0.0)) {
        return Err(Refusal::NoHighest);
    }
    Ok(())
}

fn check_each(kind: AdjustmentType, steps: &[Step]) -> Result<(), Refusal> {
    for step in steps {
        if step.lower.is_none() && step.upper.is_none() {
            return Err(Refusal::StepUnbounded);
        }
        let (lower, upper) = interval(step);
        // What is not a number is on neither side of anything.
        if lower.is_nan() || upper.is_nan() || lower >= upper {
            return Err(Refusal::StepEmpty);
        }
        if kind == AdjustmentType::ExactCapacity && step.adjustment < 0 {
            return Err(Refusal::AdjustmentNegative(kind));
        }
    }
    Ok(())
}

/// Between which distances from the threshold a step lies.
fn interval(step: &Step) -> (f64, f64) {
    (step.lower.unwrap_or(f64::NEG_INFINITY), step.upper.unwrap_or(f64::INFINITY))
}

/// Gaps are told before overlaps.
fn check_neighbours(steps: &[Step]) -> Result<(), Refusal> {
    let mut sorted: Vec<(f64, f64)> = steps.iter().map(interval).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let neighbours = || sorted.windows(2).map(|pair| (pair[0].1, pair[1].0));
    if neighbours().any(|(end, begin)| end < begin) {
        return Err(Refusal::Gap);
    }
    if neighbours().any(|(end, begin)| end > begin) {
        return Err(Refusal::Overlap);
    }
    Ok(())
}
