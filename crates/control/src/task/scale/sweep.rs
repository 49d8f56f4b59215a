//! Removes what is too old to be shown, a little at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::alarm::HistoryItem;
use domain::scaling::Activity;
use domain::time::Timestamp;
use store::record::{ActivityKey, HistoryKey};
use store::{Changes, State, decide};

use super::Means;

/// How long activities can be read (`reference/autoscaling-and-cloudwatch.md`, section 1.4).
const ACTIVITY_AGE_MAX: Duration = Duration::from_hours(42 * 24);

/// How long an alarm's history can be read (section 6.3).
const HISTORY_AGE_MAX: Duration = Duration::from_hours(30 * 24);

/// Records kept of one target or alarm, however young: a policy that scales each minute fills it in a day and a half.
const KEPT_MAX: usize = 2000;

/// Records removed at once, so that no write waits long for it.
const REMOVED_MAX: usize = 1000;

/// Server time between two looks.
const PERIOD: Duration = Duration::from_mins(10);

#[derive(Debug, Default)]
pub(super) struct Sweep {
    looked_at: Option<Timestamp>,
}

impl Sweep {
    /// Whether the store kept it.
    pub(super) async fn run(&mut self, means: &Means, now: Timestamp) -> bool {
        if self.looked_at.is_some_and(|at| now.since(at) < PERIOD) {
            return true;
        }
        let (activities, items) = stale(&means.store.state(), now);
        // Where there is more, the next run goes on.
        let more = activities.len() + items.len() >= REMOVED_MAX;
        self.looked_at = (!more).then_some(now);
        if activities.is_empty() && items.is_empty() {
            return true;
        }
        let kept = decide(&*means.store, move |_: &State| -> Result<_, std::convert::Infallible> {
            let changes = activities.into_iter().fold(Changes::none(), Changes::delete::<Activity>);
            Ok((items.into_iter().fold(changes, Changes::delete::<HistoryItem>), ()))
        });
        kept.await
            .inspect_err(|why| tracing::warn!(%why, "old records could not be removed"))
            .is_ok()
    }
}

/// What is to go: too old, or too many of one kind. The change that is in flight stays whatever its age.
fn stale(state: &State, now: Timestamp) -> (Vec<ActivityKey>, Vec<HistoryKey>) {
    let mut counts = BTreeMap::new();
    for key in state.activities.keys() {
        *counts.entry(&key.target).or_insert(0_usize) += 1;
    }
    let in_flight = |key: &ActivityKey| {
        let flight = state.targets.get(&key.target).and_then(|target| target.memory.in_flight);
        flight.is_some_and(|flight| flight.activity == key.id)
    };
    let old = |key: &&ActivityKey| {
        let surplus = counts.get_mut(&key.target).is_some_and(|count| {
            let over = *count > KEPT_MAX;
            *count -= usize::from(over);
            over
        });
        (surplus || now.since(key.started_at) > ACTIVITY_AGE_MAX) && !in_flight(key)
    };
    let activities: Vec<_> =
        state.activities.keys().filter(old).take(REMOVED_MAX).cloned().collect();
    let mut counts = BTreeMap::new();
    for key in state.alarm_history.keys() {
        *counts.entry(&key.alarm).or_insert(0_usize) += 1;
    }
    let old = |key: &&HistoryKey| {
        let surplus = counts.get_mut(&key.alarm).is_some_and(|count| {
            let over = *count > KEPT_MAX;
            *count -= usize::from(over);
            over
        });
        surplus || now.since(key.at) > HISTORY_AGE_MAX
    };
    let items = state.alarm_history.keys().filter(old).take(REMOVED_MAX).cloned().collect();
    (activities, items)
}
