//! Evaluates alarms, records their transitions, and collects what they ask of scaling policies.

use std::sync::Arc;
use std::time::Duration;

use domain::alarm::{
    Alarm, AlarmName, Reading, State, StateValue, Watch, actions_due, evaluate, history,
};
use domain::arn::Scope;
use domain::metric::{Point, Query, Stat, math};
use domain::scaling::ActionRef;
use domain::time::Timestamp;
use metrics::{Metrics, SeriesHandle};
use store::{Changes, decide};

use super::Means;

/// Transitions that share one decision of the store: one sync for many, and none that keeps others waiting long.
const TRANSITIONS_MAX: usize = 500;

/// How old the reading of an alarm that was set by hand may be
/// (`reference/autoscaling-and-cloudwatch.md`, section 2.3: 5.7 s was accepted, 15.6 s ignored).
const BY_HAND_AGE_MAX: Duration = Duration::from_secs(10);

/// What the history says of an action that is no scaling policy of this server.
const NOT_RUN: &str = "Tidegate runs scaling policies only; this action was not run.";

/// Earlier than any change of a state.
const BEFORE_ALL: Timestamp = Timestamp::from_millis(i64::MIN);

/// The cadence of alarms of a minute and more.
const MINUTE_MILLIS: i64 = 60_000;

/// What an alarm in ALARM asks of a policy.
#[derive(Debug, Clone)]
pub(super) struct Triggered {
    pub(super) alarm: AlarmName,
    pub(super) action: Arc<ActionRef>,
    /// Oldest first.
    pub(super) recent: Vec<f64>,
    pub(super) threshold: f64,
}

/// All alarms, with what an evaluation need not find out again.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    /// In the order of their names, as the store has them.
    watched: Vec<Watched>,
    points: Vec<Point>,
    /// The state that they were taken over from.
    synced: Option<Arc<store::State>>,
}

#[derive(Debug)]
struct Watched {
    alarm: Arc<Alarm>,
    /// None where metric math is watched.
    series: Option<SeriesHandle>,
    /// The scaling policies among its actions.
    policies: Vec<Arc<ActionRef>>,
    /// When its state was last changed by an evaluation, or had been when the server started: later changes are users'.
    state_known: Timestamp,
    /// The mean of the datapoints of the last evaluation, while in ALARM.
    mean: Option<f64>,
}

/// A change of state, and what it triggers.
struct Transition {
    before: Arc<Alarm>,
    after: State,
}

impl Alarms {
    /// Evaluates those whose cadence has come round after `done` and up to `edge`: once, however often it has. Whether the
    /// store kept what was found.
    pub(super) async fn evaluate(
        &mut self,
        means: &Means,
        (done, edge): (Option<Timestamp>, Timestamp),
        now: Timestamp,
        triggers: &mut Vec<Triggered>,
    ) -> bool {
        self.sync(means);
        let minute = |at: Timestamp| at.as_millis().div_euclid(MINUTE_MILLIS);
        // The edge on the minute itself may have been passed over by a loop that was held up.
        let minute = done.is_none_or(|done| minute(done) < minute(edge));
        let (mut transitions, mut found) = (Vec::new(), Vec::new());
        let Self { watched, points, .. } = self;
        for one in watched.iter_mut() {
            let minutely =
                one.alarm.config.cadence() >= Duration::from_millis(MINUTE_MILLIS.unsigned_abs());
            if minutely && !minute {
                continue;
            }
            one.look(means, edge, points);
            let alarm = &one.alarm;
            let evaluation = evaluate(alarm, points, edge, Duration::ZERO);
            let before = alarm.state.value;
            let ringing = evaluation.value == StateValue::Alarm;
            one.mean = ringing.then(|| mean(evaluation.values())).flatten();
            let due = actions_due(before, evaluation.value, &alarm.config).next().is_some();
            // What a user has just set the alarm to have seen comes before what it sees itself.
            let called = triggers.iter().any(|trigger| trigger.alarm == alarm.name);
            if ringing && due && !called {
                for action in &one.policies {
                    found.push(Triggered {
                        alarm: alarm.name.clone(),
                        action: Arc::clone(action),
                        recent: evaluation.values().collect(),
                        threshold: evaluation.threshold,
                    });
                }
            }
            if let Some(after) = evaluation.state {
                let after = State { updated_at: now, transitioned_at: now, ..after };
                one.state_known = now;
                transitions.push(Transition { before: Arc::clone(alarm), after });
            }
        }
        let kept = record(means, transitions, now).await;
        triggers.append(&mut found);
        kept
    }

    /// Collects what alarms ask whose state a user has just set to ALARM, with datapoints of the user's own.
    pub(super) fn set_by_hand(
        &mut self,
        means: &Means,
        now: Timestamp,
        triggers: &mut Vec<Triggered>,
    ) {
        self.sync(means);
        for one in &mut self.watched {
            let state = &one.alarm.state;
            if state.updated_at <= one.state_known {
                continue;
            }
            one.state_known = state.updated_at;
            let reading = state.reason_data.as_deref().and_then(Reading::of);
            let fresh = |reading: &Reading| now.since(reading.evaluated_at) <= BY_HAND_AGE_MAX;
            let Some(reading) = reading.filter(fresh) else { continue };
            if state.value != StateValue::Alarm || !one.alarm.config.actions_enabled {
                continue;
            }
            triggers.extend(one.policies.iter().map(|action| Triggered {
                alarm: one.alarm.name.clone(),
                action: Arc::clone(action),
                recent: reading.recent.clone(),
                threshold: reading.threshold,
            }));
        }
    }

    /// The mean of what an alarm saw when it was evaluated last, while it is in ALARM.
    pub(super) fn mean_of(&self, name: &AlarmName) -> Option<f64> {
        let found = self.watched.binary_search_by(|one| one.alarm.name.cmp(name)).ok()?;
        self.watched.get(found)?.mean
    }

    /// Takes over the alarms as they are now. Both lists are sorted by name, so that one pass does; mostly all are what
    /// they were, and that is seen without looking into them.
    fn sync(&mut self, means: &Means) {
        let state = means.store.state();
        if self.synced.as_ref().is_some_and(|synced| Arc::ptr_eq(synced, &state)) {
            return;
        }
        let same = |(one, alarm): (&Watched, &Arc<Alarm>)| Arc::ptr_eq(&one.alarm, alarm);
        let unchanged = self.watched.len() == state.alarms.size()
            && self.watched.iter().zip(state.alarms.values()).all(same);
        if !unchanged {
            self.take_over(means, &state);
        }
        self.synced = Some(state);
    }

    fn take_over(&mut self, means: &Means, state: &store::State) {
        let known = std::mem::take(&mut self.watched);
        self.watched.reserve(state.alarms.size());
        let mut known = known.into_iter().peekable();
        for alarm in state.alarms.values() {
            if let Some(same) = known.next_if(|one| Arc::ptr_eq(&one.alarm, alarm)) {
                self.watched.push(same);
                continue;
            }
            while known.next_if(|one| one.alarm.name < alarm.name).is_some() {}
            let before = known.next_if(|one| one.alarm.name == alarm.name);
            self.watched.push(match before {
                Some(one) if one.alarm.config == alarm.config => {
                    Watched { alarm: Arc::clone(alarm), ..one }
                }
                before => {
                    // At the start nobody knows who has set a state.
                    let start = match self.synced {
                        Some(_) => BEFORE_ALL,
                        None => alarm.state.updated_at,
                    };
                    let known = before.map_or(start, |one| one.state_known);
                    Watched::new(means, alarm, known)
                }
            });
        }
    }
}

impl Watched {
    fn new(means: &Means, alarm: &Arc<Alarm>, state_known: Timestamp) -> Self {
        let series = match &alarm.config.watch {
            Watch::Metric(stat) => Some(means.metrics.resolve(stat)),
            Watch::Math(_) => None,
        };
        let read = |action: &String| ActionRef::read(&means.scope, action).map(Arc::new);
        Self {
            alarm: Arc::clone(alarm),
            series,
            policies: alarm.config.alarm_actions.iter().filter_map(read).collect(),
            state_known,
            mean: None,
        }
    }

    /// Reads the datapoints that an evaluation at `edge` looks at.
    fn look(&self, means: &Means, edge: Timestamp, points: &mut Vec<Point>) {
        points.clear();
        let config = &self.alarm.config;
        let (from, to) = config.needed_window(edge, Duration::ZERO);
        let period_secs = u32::try_from(config.period().as_secs()).unwrap_or(u32::MAX);
        let read = match (&self.series, &config.watch) {
            (Some(series), _) => means.metrics.points_of(series, period_secs, from, to, points),
            (None, Watch::Math(queries)) => {
                computed(&means.metrics, queries, from, to).map(|found| *points = found)
            }
            (None, Watch::Metric(_)) => Ok(()),
        };
        if let Err(why) = read {
            // As without data: what the alarm makes of that is its own.
            tracing::error!(alarm = %self.alarm.name, %why, "the metrics of an alarm could not be read");
        }
    }
}

/// The one series that metric math returns. An expression that cannot be computed now has no datapoints.
fn computed(
    metrics: &Metrics,
    queries: &[Query],
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Point>, metrics::Error> {
    let mut failed = None;
    let mut fetch = |stat: &Stat, period: u32| {
        metrics.points(stat, period, from, to).unwrap_or_else(|why| {
            failed = Some(why);
            Vec::new()
        })
    };
    let outcomes =
        math::evaluate(queries, math::Window { from, to }, &mut fetch).unwrap_or_default();
    let returned = outcomes.into_iter().find_map(|(index, outcome)| match outcome {
        math::Outcome::Series(series) if queries.get(index)?.return_data != Some(false) => {
            Some(series.points)
        }
        _ => None,
    });
    failed.map_or_else(|| Ok(returned.unwrap_or_default()), Err)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

/// Writes transitions with their history, a batch at a time. Whether the store kept them; an alarm that has been
/// changed or deleted meanwhile stays as it is.
async fn record(means: &Means, transitions: Vec<Transition>, now: Timestamp) -> bool {
    let mut transitions = transitions.into_iter().peekable();
    while transitions.peek().is_some() {
        let batch: Vec<Transition> = transitions.by_ref().take(TRANSITIONS_MAX).collect();
        let scope = means.scope.clone();
        let kept = decide(&*means.store, move |state| -> Result<_, std::convert::Infallible> {
            let changes = batch.iter().fold(Changes::none(), |changes, one| {
                let current = state.alarms.get(&one.before.name);
                match current.filter(|current| Arc::ptr_eq(current, &one.before)) {
                    Some(_) => written(
                        changes,
                        one,
                        state.next_history_sequence(&one.before.name),
                        &scope,
                        now,
                    ),
                    None => changes,
                }
            });
            Ok((changes, ()))
        });
        if let Err(why) = kept.await {
            tracing::error!(%why, "the states of alarms could not be kept");
            return false;
        }
    }
    true
}

/// A transition, its history, and that of the actions it runs. Only scaling policies are run here: other actions (a
/// topic of SNS, say) are nobody's on this server, and their history says so.
fn written(
    changes: Changes,
    Transition { before, after }: &Transition,
    sequence: u64,
    scope: &Scope,
    now: Timestamp,
) -> Changes {
    tracing::info!(alarm = %before.name, from = before.state.value.as_str(), to = after.value.as_str(), "an alarm changed its state");
    let name = &before.name;
    let changes = changes.put(before.enter(after.clone())).put(history::state_update(
        name,
        &before.state,
        after,
        now,
        sequence,
    ));
    let due = actions_due(before.state.value, after.value, &before.config);
    due.zip(sequence + 1..).fold(changes, |changes, (action, sequence)| {
        let error = ActionRef::read(scope, action).is_none().then_some(NOT_RUN);
        changes.put(history::action(name, action, error, after, now, sequence))
    })
}
