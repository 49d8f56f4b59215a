//! Scheduled actions as they are kept, and what one of them does when its time has come
//! (`reference/autoscaling-and-cloudwatch.md`, section 4). When that is, `schedule` says.

use serde::{Deserialize, Serialize};

use super::{Activity, ActivityStatus, Cause, Refusal, Target, TargetKey};
use crate::time::Timestamp;
use crate::uuid::Uuid;

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

impl ScheduledAction {
    /// What it sets, in the words of its activities: `min capacity to 5 and max capacity to 10`.
    pub fn effect(&self) -> String {
        let min = self.min.map(|min| format!("min capacity to {min}"));
        let max = self.max.map(|max| format!("max capacity to {max}"));
        min.into_iter().chain(max).collect::<Vec<_>>().join(" and ")
    }
}

/// What an occurrence leads to. Capacity that then lies outside the bounds is moved by [`super::correction`].
#[derive(Debug, Clone, PartialEq)]
pub struct Fired {
    /// The target with its new bounds; nothing where they would contradict each other.
    pub target: Option<Target>,
    pub activity: Activity,
}

/// Sets the bounds that an action names. Whether the target's schedules are suspended is asked before: an occurrence
/// in that time is skipped and leaves nothing.
pub fn fire(target: &Target, action: &ScheduledAction, id: Uuid, now: Timestamp) -> Fired {
    let (min, max) = (action.min.unwrap_or(target.min), action.max.unwrap_or(target.max));
    let effect = action.effect();
    let (status, message) = if min > max {
        let why = Refusal::MaximumBelowMinimum;
        (ActivityStatus::Failed, format!("Failed to set {effect}. Reason: {why}."))
    } else {
        (ActivityStatus::Successful, format!("Successfully set {effect}"))
    };
    let mut after = Target { min, max, ..target.clone() };
    after.memory.not_scaled = None;
    Fired {
        target: (min <= max).then_some(after),
        activity: Activity {
            resource: target.resource.clone(),
            id,
            description: format!("Setting {effect}"),
            cause: Cause::Schedule { action: action.name.clone() }.to_string(),
            started_at: now,
            ended_at: Some(now),
            status,
            status_message: Some(message),
            details: None,
            not_scaled: None,
        },
    }
}
