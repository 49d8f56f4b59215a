//! Scheduled actions that should have run while they were not there: one that was missed counts once, as it does after a
//! server was down (`reference/autoscaling-and-cloudwatch.md`, section 4).

use serde_json::Value;

use super::saved::{SCHEDULED, SavedAction, SavedTarget, count};
use crate::scaling::schedule::Schedule;
use crate::scaling::{ResourceId, ScheduledAction, TargetKey};
use crate::time::Timestamp;

impl SavedTarget {
    /// Input of `RegisterScalableTarget`, with the bounds that scheduled actions have led to by now.
    pub(super) fn due(&self, now: Timestamp) -> Value {
        let (min, max) = self.due_bounds(now);
        let mut target = self.target.clone();
        if let Some(members) = target.as_object_mut().filter(|_| (min, max) != self.bounds()) {
            members.insert("MinCapacity".to_owned(), min.into());
            members.insert("MaxCapacity".to_owned(), max.into());
        }
        target
    }

    fn due_bounds(&self, now: Timestamp) -> (u32, u32) {
        if self.suspends(SCHEDULED) {
            return self.bounds();
        }
        let missed = self.scheduled_actions.iter().filter_map(|(name, action)| {
            let action = self.read(name, action)?;
            let schedule = Schedule::parse(&action.schedule, action.timezone.as_deref()).ok()?;
            let due = schedule.due(&action, now)?;
            Some((due.scheduled_at, action))
        });
        let mut missed: Vec<_> = missed.collect();
        missed.sort_by_key(|(at, _)| *at);
        missed.into_iter().fold(self.bounds(), |(min, max), (_, action)| {
            let after = (action.min.unwrap_or(min), action.max.unwrap_or(max));
            // Bounds that contradict each other are refused when an action runs, and nothing changes.
            if after.0 <= after.1 { after } else { (min, max) }
        })
    }

    /// Whether an action never runs again. A schedule that cannot be read here may.
    pub(super) fn is_over(&self, name: &str, action: &SavedAction, now: Timestamp) -> bool {
        let Some(action) = self.read(name, action) else { return false };
        let schedule = Schedule::parse(&action.schedule, action.timezone.as_deref());
        schedule.is_ok_and(|schedule| {
            schedule.next_after(now, action.created_at, action.start, action.end).is_none()
        })
    }

    fn read(&self, name: &str, saved: &SavedAction) -> Option<ScheduledAction> {
        let SavedAction { created_at, action } = saved;
        let text = |name: &str| action.get(name).and_then(Value::as_str).map(str::to_owned);
        let bound = |name: &str| {
            let bounds = action.get("ScalableTargetAction")?;
            bounds.get(name)?.as_f64().map(count)
        };
        let resource = self.target.get("ResourceId").and_then(Value::as_str)?;
        Some(ScheduledAction {
            target: TargetKey::from(&resource.parse::<ResourceId>().ok()?),
            name: name.to_owned(),
            schedule: text("Schedule")?,
            timezone: text("Timezone"),
            start: action.get("StartTime").and_then(instant),
            end: action.get("EndTime").and_then(instant),
            min: bound("MinCapacity"),
            max: bound("MaxCapacity"),
            created_at: *created_at,
            done_until: self.as_of,
        })
    }
}

/// Seconds since the epoch, with a fraction of milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast saturates at both ends, and no schedule reaches there"
)]
fn instant(seconds: &Value) -> Option<Timestamp> {
    Some(Timestamp::from_millis((seconds.as_f64()? * 1000.0).round() as i64))
}
