//! Carries out what `domain::scaling::decide` decides, the way of `UpdateEndpointWeightsAndCapacities`.
//!
//! A decision is made on a snapshot first: most change nothing, and cost no write. One that does is made once more
//! inside the store's own decision, on the state as it then is, so that it is never stale and never races with an
//! update, a deletion or a deregistration.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::alarm::AlarmName;
use domain::endpoint::{Endpoint, Limits};
use domain::name::EndpointKey;
use domain::scaling::{
    self, Begun, Change, Decision, Facts, Outcome, Resource, Side, Target, TargetKey, Trigger,
    Watched,
};
use domain::time::Timestamp;
use domain::uuid::Uuid;
use store::record::ActivityKey;
use store::{Changes, State, decide};

use super::alarms::{Alarms, Triggered};
use super::{Decisions, Done, Means};

/// Targets whose notes that nothing came of a call share one decision of the store: a fleet that has nothing to do any more
/// makes one for each target, all in the same minute.
const NOTES_MAX: usize = 500;

/// Decides for targets, and looks after the changes that are in flight.
#[derive(Debug)]
pub(super) struct Autoscale {
    decisions: Arc<Decisions>,
}

/// What is decided from, beside the state: owned, so that it can travel into the store's decision.
#[derive(Debug, Clone)]
struct Question {
    target: TargetKey,
    triggers: Vec<Triggered>,
    /// What the low alarms of the target's policies saw when they were evaluated last.
    lows: BTreeMap<AlarmName, f64>,
    now: Timestamp,
}

impl Autoscale {
    pub(super) const fn new(decisions: Arc<Decisions>) -> Self {
        Self { decisions }
    }

    /// Ends what has been reached, then decides for every target that something triggers.
    pub(super) async fn run(
        &self,
        means: &Means,
        alarms: &Alarms,
        triggers: Vec<Triggered>,
        now: Timestamp,
    ) -> Done {
        let mut done = Done { failed: !self.end_changes(means, now).await, ..Done::default() };
        let mut by_target: BTreeMap<TargetKey, Vec<Triggered>> = BTreeMap::new();
        for trigger in triggers {
            by_target.entry(trigger.action.target.clone()).or_default().push(trigger);
        }
        let mut notes = Vec::new();
        for (target, triggers) in by_target {
            let state = means.store.state();
            let lows = low_means(&state, alarms, &target);
            let question = Question { target, triggers, lows, now };
            let Some(decision) = answer(&state, &question) else { continue };
            if !writes(&state, &question, &decision) {
                self.decisions.tell(&question.target, decision, None);
                continue;
            }
            if matches!(decision.outcome, Outcome::NotScaled { .. }) {
                notes.push(question);
                if notes.len() >= NOTES_MAX {
                    done.failed |= !self.note(means, std::mem::take(&mut notes)).await;
                }
                continue;
            }
            match act(means, question.clone()).await {
                Ok(Some(Acted { decision, moved, refused })) => {
                    done.changed |= moved;
                    self.decisions.tell(&question.target, decision, refused);
                }
                Ok(None) => {}
                Err(why) => {
                    tracing::error!(target = %question.target, %why, "a scaling decision could not be kept");
                    done.failed = true;
                }
            }
        }
        if !notes.is_empty() {
            done.failed |= !self.note(means, notes).await;
        }
        done
    }

    /// Records that nothing came of calls. Whether the store kept it. Where a change has become possible meanwhile, the next
    /// call makes it.
    async fn note(&self, means: &Means, questions: Vec<Question>) -> bool {
        let with_id = |question| (question, Uuid::from_entropy((means.entropy)()));
        let questions: Vec<_> = questions.into_iter().map(with_id).collect();
        let kept = decide(&*means.store, move |state| -> Result<_, std::convert::Infallible> {
            let (mut changes, mut told) = (Changes::none(), Vec::with_capacity(questions.len()));
            for (question, id) in questions {
                let target = state.targets.get(&question.target);
                let (Some(target), Some(decision)) = (target, answer(state, &question)) else {
                    continue;
                };
                if let Some((target, activity)) =
                    scaling::not_scaled(target, &decision, id, question.now)
                {
                    changes = changes.put(target).put(activity);
                    told.push((question.target, decision));
                }
            }
            Ok((changes, told))
        });
        match kept.await {
            Ok(told) => {
                for (target, decision) in told {
                    self.decisions.tell(&target, decision, None);
                }
                true
            }
            Err(why) => {
                tracing::error!(%why, "scaling decisions could not be kept");
                false
            }
        }
    }

    /// Closes the activities whose change has been reached, has failed or has been overtaken. Whether the store kept it.
    async fn end_changes(&self, means: &Means, now: Timestamp) -> bool {
        let state = means.store.state();
        let in_flight =
            state.targets.iter().filter(|(_, target)| target.memory.in_flight.is_some());
        let over = in_flight.filter(|(_, target)| ended(&state, target, now).is_some());
        let over: Vec<TargetKey> = over.map(|(key, _)| key.clone()).collect();
        if over.is_empty() {
            return true;
        }
        let kept = decide(&*means.store, move |state| -> Result<_, std::convert::Infallible> {
            let ends = over.iter().filter_map(|key| ended(state, state.targets.get(key)?, now));
            let changes = ends.fold(Changes::none(), |changes, (target, activity)| {
                tracing::info!(target = %target.resource, status = activity.status.as_str(), "a scaling activity ended");
                changes.put(target).put(activity)
            });
            Ok((changes, ()))
        });
        kept.await
            .inspect_err(|why| tracing::error!(%why, "ended scaling activities could not be kept"))
            .is_ok()
    }
}

fn ended(state: &State, target: &Target, now: Timestamp) -> Option<(Target, scaling::Activity)> {
    let flight = target.memory.in_flight?;
    let key = TargetKey::from(&target.resource);
    let endpoint = state.endpoints.get(&key.endpoint).map(|endpoint| &**endpoint);
    let key = ActivityKey { target: key, started_at: flight.started_at, id: flight.activity };
    // A correction begins a moment after what calls for it, and may be there at once.
    scaling::finish(target, state.activities.get(&key)?, endpoint, now.max(flight.started_at))
}

/// What a question comes to in this state; nothing where its target is not registered, or is another one by now.
fn answer(state: &State, question: &Question) -> Option<Decision> {
    let target = state.targets.get(&question.target)?;
    let policies: Vec<_> = state.policies_of(&question.target).collect();
    let in_state =
        |name: Option<&AlarmName>| state.alarms.get(name?).map(|alarm| alarm.state.value);
    let watched = policies.iter().map(|policy| Watched {
        policy,
        low: in_state(policy.alarms.get(1)),
        low_mean: policy.alarms.get(1).and_then(|low| question.lows.get(low).copied()),
    });
    let watched: Vec<Watched<'_>> = watched.collect();
    let triggers = question.triggers.iter().filter_map(|trigger| {
        if trigger.action.target_id != target.id {
            return None;
        }
        let policy = policies.iter().find(|policy| policy.name == trigger.action.policy)?;
        Some(Trigger {
            policy: &trigger.action.policy,
            alarm: &trigger.alarm,
            side: Side::of(policy, &trigger.alarm)?,
            recent: &trigger.recent,
            threshold: trigger.threshold,
        })
    });
    let triggers: Vec<Trigger<'_>> = triggers.collect();
    if triggers.is_empty() {
        return None;
    }
    let endpoint = state.endpoints.get(&question.target.endpoint);
    let resource = endpoint.and_then(|endpoint| Resource::of(endpoint, &question.target.variant));
    let facts =
        Facts { target, policies: &watched, resource, triggers: &triggers, now: question.now };
    Some(scaling::decide(&facts))
}

/// Whether a decision changes a record.
fn writes(state: &State, question: &Question, decision: &Decision) -> bool {
    match &decision.outcome {
        Outcome::ScaleTo { .. } => true,
        Outcome::NotScaled { .. } => {
            let noted = |target: &Arc<Target>| {
                scaling::not_scaled(target, decision, Uuid::MIN, question.now).is_some()
            };
            state.targets.get(&question.target).is_some_and(noted)
        }
        Outcome::Held(_) | Outcome::Nothing => false,
    }
}

/// A decision, and what came of it.
struct Acted {
    decision: Decision,
    /// A capacity is changed by it.
    moved: bool,
    /// Why the change was refused, if it was.
    refused: Option<String>,
}

/// Decides and does it, in one.
async fn act(means: &Means, question: Question) -> Result<Option<Acted>, String> {
    let id = Uuid::from_entropy((means.entropy)());
    let limits = Arc::clone(&means.limits);
    let kept = decide(&*means.store, move |state| -> Result<_, std::convert::Infallible> {
        let Some(decision) = answer(state, &question) else { return Ok((Changes::none(), None)) };
        let Some(target) = state.targets.get(&question.target) else {
            return Ok((Changes::none(), None));
        };
        let (mut moved, mut refused) = (false, None);
        let changes = match &decision.outcome {
            Outcome::ScaleTo { change, .. } => {
                let begun = begun(state, target, change, &limits, (id, question.now));
                if let Some(begun) = &begun {
                    moved = begun.endpoint.is_some();
                    refused = begun.activity.status_message.clone().filter(|_| !moved);
                }
                begun.map_or_else(Changes::none, |begun| put(Changes::none(), begun))
            }
            Outcome::NotScaled { .. } => {
                match scaling::not_scaled(target, &decision, id, question.now) {
                    Some((target, activity)) => Changes::none().put(target).put(activity),
                    None => Changes::none(),
                }
            }
            Outcome::Held(_) | Outcome::Nothing => Changes::none(),
        };
        Ok((changes, Some(Acted { decision, moved, refused })))
    });
    kept.await.map_err(|why| why.to_string())
}

/// A change that begins under this id at this time. Without an endpoint there is nothing to change.
pub(super) fn begun(
    state: &State,
    target: &Target,
    change: &Change,
    limits: &Limits,
    (id, now): (Uuid, Timestamp),
) -> Option<Begun> {
    let endpoint = state.endpoints.get(&EndpointKey::from(&target.resource.endpoint))?;
    let admit = |after: &Endpoint| state.admit(limits, Some(endpoint), after);
    let begun = scaling::begin(target, endpoint, change, id, now, admit);
    tracing::info!(target = %target.resource, from = change.from, to = change.to,
        cause = begun.activity.cause, status = begun.activity.status.as_str(), "scaling");
    Some(begun)
}

/// Its records.
pub(super) fn put(changes: Changes, Begun { target, endpoint, activity }: Begun) -> Changes {
    let changes = changes.put(target).put(activity);
    match endpoint {
        Some(endpoint) => changes.put(endpoint),
        None => changes,
    }
}

fn low_means(state: &State, alarms: &Alarms, target: &TargetKey) -> BTreeMap<AlarmName, f64> {
    let lows = state.policies_of(target).filter_map(|policy| policy.alarms.get(1));
    lows.filter_map(|low| Some((low.clone(), alarms.mean_of(low)?))).collect()
}
