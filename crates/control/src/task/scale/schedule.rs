//! Runs scheduled actions when they are due: sets their target's bounds, and moves a capacity that then lies outside.

use std::sync::Arc;
use std::time::Duration;

use domain::scaling::schedule::Schedule;
use domain::scaling::{self, Fired, Resource, ScheduledAction, Target, TargetKey};
use domain::time::Timestamp;
use domain::uuid::Uuid;
use store::{Changes, State, decide};

use super::autoscale::{begun, put};
use super::{Done, Means};

/// How much later a correction begins than the action that calls for it, so that they are told in this order.
const AFTERWARDS: Duration = Duration::from_millis(1);

/// The scheduled actions, with what need not be found out again.
#[derive(Debug, Default)]
pub(super) struct Schedules {
    /// In the order of their keys, as the store has them.
    known: Vec<Known>,
    /// The state that they were taken over from.
    synced: Option<Arc<State>>,
}

#[derive(Debug)]
struct Known {
    action: Arc<ScheduledAction>,
    /// None where the record cannot be read: it then never runs.
    schedule: Option<Schedule>,
    next: Option<Timestamp>,
}

impl Schedules {
    pub(super) async fn run(&mut self, means: &Means, now: Timestamp) -> Done {
        self.sync(means.store.state());
        let mut done = Done::default();
        for known in self.known.iter().filter(|known| known.next.is_some_and(|next| next <= now)) {
            match fire(means, known, now).await {
                Ok(moved) => done.changed |= moved,
                Err(why) => {
                    tracing::error!(action = known.action.name, %why, "a scheduled action could not be kept");
                    done.failed = true;
                }
            }
        }
        self.sync(means.store.state());
        done.next = self.known.iter().filter_map(|known| known.next).min();
        done
    }

    /// Takes over the actions as they are now. Both lists are sorted alike, so that one pass does.
    fn sync(&mut self, state: Arc<State>) {
        if self.synced.as_ref().is_some_and(|synced| Arc::ptr_eq(synced, &state)) {
            return;
        }
        let mut known = std::mem::take(&mut self.known).into_iter().peekable();
        for ((target, name), action) in &state.scheduled_actions {
            let key = (target, name);
            while known.next_if(|one| one.key() < key).is_some() {}
            let before = known.next_if(|one| one.key() == key);
            let same = before.filter(|one| Arc::ptr_eq(&one.action, action));
            self.known.push(same.unwrap_or_else(|| Known::new(action)));
        }
        self.synced = Some(state);
    }
}

impl Known {
    fn key(&self) -> (&TargetKey, &String) {
        (&self.action.target, &self.action.name)
    }

    fn new(action: &Arc<ScheduledAction>) -> Self {
        let schedule = Schedule::parse(&action.schedule, action.timezone.as_deref()).ok();
        let next = schedule.as_ref().and_then(|schedule| schedule.next_of(action));
        Self { action: Arc::clone(action), schedule, next }
    }
}

/// Runs an action, if it still is what it was. Whether a capacity was moved.
async fn fire(means: &Means, known: &Known, now: Timestamp) -> Result<bool, String> {
    let Some(due) = known.schedule.as_ref().and_then(|schedule| schedule.due(&known.action, now))
    else {
        return Ok(false);
    };
    let (action, limits) = (Arc::clone(&known.action), Arc::clone(&means.limits));
    // In the order in which they are to be read: both activities are of one moment.
    let mut ids = [(); 2].map(|()| Uuid::from_entropy((means.entropy)()));
    ids.sort_unstable();
    let kept = decide(&*means.store, move |state| -> Result<_, std::convert::Infallible> {
        let key = (action.target.clone(), action.name.clone());
        let current = state.scheduled_actions.get(&key);
        let target = state.targets.get(&action.target);
        let (Some(current), Some(target)) = (current, target) else {
            return Ok((Changes::none(), false));
        };
        if !Arc::ptr_eq(current, &action) {
            return Ok((Changes::none(), false));
        }
        let done =
            ScheduledAction { done_until: due.done_until, ..ScheduledAction::clone(&action) };
        let changes = Changes::none().put(done);
        if target.suspended.scheduled {
            // An occurrence meanwhile is skipped, and leaves nothing.
            return Ok((changes, false));
        }
        let Fired { target: bounded, activity } = scaling::fire(target, &action, ids[0], now);
        tracing::info!(target = %target.resource, action = action.name, status = activity.status.as_str(),
            "a scheduled action ran");
        let changes = changes.put(activity);
        let Some(bounded) = bounded else { return Ok((changes, false)) };
        let change = correction(state, &action.target, &bounded);
        let moved = change.and_then(|change| {
            begun(state, &bounded, &change, &limits, (ids[1], now.plus(AFTERWARDS)))
        });
        Ok(match moved {
            Some(moved) => (put(changes, moved), true),
            None => (changes.put(bounded), false),
        })
    });
    kept.await.map_err(|why| why.to_string())
}

fn correction(state: &State, key: &TargetKey, target: &Target) -> Option<scaling::Change> {
    let endpoint = state.endpoints.get(&key.endpoint)?;
    scaling::correction(target, Resource::of(endpoint, &key.variant)?.desired)
}
