//! Records and decisions as answers show them.

use std::fmt::Write as _;

use domain::scaling::{Decision, Direction, Memory, Outcome, Recent, Target, explain};
use domain::time::Timestamp;
use wire::tidegate::{
    ExplainedCooldown, ScalingDecision, ScalingDirection, ScalingOutcome, ScalingTarget,
};

pub(super) const fn timestamp(at: Timestamp) -> wire::Timestamp {
    wire::Timestamp(at.as_millis())
}

/// A count as the wire has it. What came from the wire fits.
pub(super) fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(super) fn target(target: &Target) -> ScalingTarget {
    ScalingTarget {
        min_capacity: count(target.min),
        max_capacity: count(target.max),
        dynamic_scaling_in_suspended: target.suspended.dynamic_in,
        dynamic_scaling_out_suspended: target.suspended.dynamic_out,
        scheduled_scaling_suspended: target.suspended.scheduled,
    }
}

pub(super) fn cooldowns(memory: &Memory, now: Timestamp) -> Vec<ExplainedCooldown> {
    let shown = explain::cooldowns(memory, now).into_iter().map(|cooldown| ExplainedCooldown {
        direction: match cooldown.direction {
            Direction::Out => ScalingDirection::Out,
            Direction::In => ScalingDirection::In,
        },
        until: timestamp(cooldown.until),
        summary: cooldown.text,
    });
    shown.collect()
}

pub(super) fn decision(recent: &Recent) -> ScalingDecision {
    let decision = &recent.decision;
    let leading = decision.leading();
    let mut summary = explain::decision(decision);
    if let Some(why) = &recent.refused {
        // Writing into a string cannot fail.
        let _ = write!(summary, " It could not be done: {why}");
    }
    if recent.times > 1 {
        let secs = decision.at.since(recent.since).as_secs();
        // Writing into a string cannot fail.
        let _ = write!(summary, " The same came out {} times in {secs} s.", recent.times);
    }
    ScalingDecision {
        at: timestamp(decision.at),
        policy_name: leading.map(|one| one.policy.clone()),
        alarm_name: leading.map(|one| one.alarm.to_string()),
        outcome: match &decision.outcome {
            Outcome::ScaleTo { direction: Direction::Out, .. } => ScalingOutcome::ScaleOut,
            Outcome::ScaleTo { direction: Direction::In, .. } => ScalingOutcome::ScaleIn,
            Outcome::NotScaled { .. } | Outcome::Held(_) | Outcome::Nothing => ScalingOutcome::Hold,
        },
        from: count(decision.capacity.unwrap_or(0)),
        to: to(decision).map(count),
        wanted: decision.wanted().map(count),
        summary,
    }
}

fn to(decision: &Decision) -> Option<u32> {
    match &decision.outcome {
        Outcome::ScaleTo { change, .. } => Some(change.to),
        Outcome::NotScaled { .. } | Outcome::Held(_) | Outcome::Nothing => None,
    }
}
