//! The one place that decides what a target's policies do (promise T4): facts in, a decision with its reasons out.
//!
//! Nothing here changes anything: `progress` says what a decision makes of the records, `explain` says it in plain words.
//! (`reference/autoscaling-and-cloudwatch.md`, sections 2.4 to 2.7, 2.10, 3 and 5.1.)

mod law;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod weigh;

use crate::alarm::{AlarmName, StateValue};
use crate::scaling::{Change, NotScaled, Policy, Resource, Target};
use crate::time::Timestamp;

pub use law::Law;
pub use weigh::decide;

/// What is known of one target at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub target: &'a Target,
    /// All policies of the target.
    pub policies: &'a [Watched<'a>],
    /// Nothing where the endpoint is gone or has no fleet that serves.
    pub resource: Option<Resource>,
    /// The alarms that call their policies now, each once.
    pub triggers: &'a [Trigger<'a>],
    pub now: Timestamp,
}

/// A policy with the state of its low alarm, by which it agrees to a scale-in.
#[derive(Debug, Clone, Copy)]
pub struct Watched<'a> {
    pub policy: &'a Policy,
    /// Absent for step scaling, without scale-in, and where the alarm was deleted.
    pub low: Option<StateValue>,
    /// The mean of what the low alarm saw when it was evaluated last, if that is known. While the alarm is in ALARM it
    /// tells how much capacity the policy would keep, also between the moments at which it calls.
    pub low_mean: Option<f64>,
}

/// An alarm in ALARM that calls a policy.
#[derive(Debug, Clone, Copy)]
pub struct Trigger<'a> {
    pub policy: &'a str,
    pub alarm: &'a AlarmName,
    pub side: Side,
    /// The datapoints that the alarm looked at, oldest first.
    pub recent: &'a [f64],
    pub threshold: f64,
}

/// What an alarm is to its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `AlarmHigh` of target tracking: it only raises.
    High,
    /// `AlarmLow` of target tracking: it only lowers.
    Low,
    /// A user's alarm with a step policy: it does what the matching step says.
    Step,
}

impl Side {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "High",
            Self::Low => "Low",
            Self::Step => "Step",
        }
    }

    /// What `alarm` is to `policy`; nothing where it is a stranger to a target tracking policy.
    pub fn of(policy: &Policy, alarm: &AlarmName) -> Option<Self> {
        match (&policy.plan, policy.alarms.as_slice()) {
            (super::Plan::StepScaling(_), _) => Some(Self::Step),
            (super::Plan::TargetTracking(_), [high, ..]) if high == alarm => Some(Self::High),
            (super::Plan::TargetTracking(_), [_, low, ..]) if low == alarm => Some(Self::Low),
            (super::Plan::TargetTracking(_), _) => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Out,
    In,
}

impl Direction {
    /// How `explain` names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Out => "ScaleOut",
            Self::In => "ScaleIn",
        }
    }

    pub fn of(from: u32, to: u32) -> Option<Self> {
        match to.cmp(&from) {
            std::cmp::Ordering::Greater => Some(Self::Out),
            std::cmp::Ordering::Less => Some(Self::In),
            std::cmp::Ordering::Equal => None,
        }
    }
}

/// What to do now, and what each trigger would have done. It stands on its own, so that it can be kept and told later.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub at: Timestamp,
    /// The desired capacity that was decided from; nothing without a resource.
    pub capacity: Option<u32>,
    pub outcome: Outcome,
    /// In the order of the triggers.
    pub considered: Vec<Considered>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Change the capacity: [`super::begin`].
    ScaleTo { direction: Direction, change: Change },
    /// Change nothing, for a reason that AWS has a code for: [`super::not_scaled`].
    NotScaled { policy: String, alarm: AlarmName, why: NotScaled },
    /// Change nothing, for a reason that AWS leaves no trace of.
    Held(Hold),
    /// No trigger wants anything.
    Nothing,
}

/// What one trigger wanted, before and after each constraint.
#[derive(Debug, Clone, PartialEq)]
pub struct Considered {
    pub policy: String,
    pub alarm: AlarmName,
    pub side: Side,
    pub metric: Metric,
    pub threshold: f64,
    /// How the wanted capacity comes about.
    pub law: Option<Law>,
    /// What it would have done without any constraint.
    pub wanted: Option<u32>,
    /// What it wants given what the scale-out that is cooling down already added (section 2.6).
    pub credited: Option<u32>,
    /// The same within the target's bounds; where it is chosen, what there will be.
    pub bounded: Option<u32>,
    pub verdict: Verdict,
}

/// The datapoints of a trigger, as far as a decision keeps them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// The one value made of them: their mean, or what a step policy's aggregation says.
    pub value: f64,
    pub count: usize,
    /// How many of them lie beyond the threshold: above it for a high alarm, below it for a low one.
    pub beyond: usize,
    /// The latest ones, oldest first; as many as there are, at most five.
    pub latest: [f64; LATEST_KEPT],
}

/// As many datapoints as an alarm's own reason lists (section 6.5).
pub(in crate::scaling) const LATEST_KEPT: usize = 5;

impl Metric {
    /// The latest datapoints, oldest first.
    pub fn latest(&self) -> &[f64] {
        &self.latest[..self.count.min(LATEST_KEPT)]
    }
}

/// What became of a trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The decision is what it wants.
    Chosen,
    /// Another policy wants more, or wants to scale out.
    Outweighed {
        by: String,
    },
    NotScaled(NotScaled),
    Held(Hold),
}

/// Why a trigger is held back without a trace in the activities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// It asks for no more than the scale-out that is cooling down gave.
    ScaleOutCooldown {
        until: Timestamp,
    },
    ScaleInCooldown {
        until: Timestamp,
    },
    Suspended(Direction),
    /// Another target tracking policy is not ready to scale in: its low alarm is in this state, or is gone.
    Vetoed {
        by: String,
        low: Option<StateValue>,
    },
    /// The policy was deleted while its alarm was being evaluated.
    NoPolicy,
    /// The endpoint does not serve the variant.
    NoResource,
    /// No datapoints, or one that is not a number.
    NoValue,
    /// A capacity of 0 cannot be multiplied (section 2.4).
    FromZero,
}
