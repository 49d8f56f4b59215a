//! An alarm of a policy: the datapoints that it looks at, and what it waits for.

use std::time::Duration;

use domain::alarm::{Alarm, Comparison, Config, Evaluation, StateValue, Watch, evaluate};
use domain::arn::Scope;
use domain::metric::Point;
use domain::scaling::{ActionRef, Plan, Policy, Side, Target, TargetKey, explain};
use domain::time::Timestamp;
use metrics::{DataError, Order};
use store::State;
use wire::tidegate::{AlarmDatapoint, AlarmSide, AlarmState, ExplainedAlarm};

use super::shown;
use crate::{Context, Error};

/// By then the control loop has looked at a period that ended, at the usual pace and at a fast one: one step of its grid.
const SETTLE: Duration = Duration::from_secs(10);

/// Datapoints that a sentence tells; all of them are in the answer beside it.
const TOLD_MAX: usize = 5;

/// Decimals of a number in a sentence.
const DECIMALS: usize = 3;

/// From here on a number is told as a power of ten, so that none takes a line.
const PLAIN_BELOW: f64 = 1e9;

/// The alarms that call a policy: its own, or those that users made for it, in the order of their names.
pub(super) fn of<'a>(
    state: &'a State,
    scope: &Scope,
    target: &Target,
    policy: &Policy,
) -> Vec<&'a Alarm> {
    match &policy.plan {
        Plan::TargetTracking(_) => policy
            .alarms
            .iter()
            .filter_map(|name| state.alarms.get(name))
            .map(|alarm| &**alarm)
            .collect(),
        Plan::StepScaling(_) => {
            let key = TargetKey::from(&target.resource);
            let calls = |action: &String| {
                ActionRef::read(scope, action).is_some_and(|action| {
                    action.target == key
                        && action.target_id == target.id
                        && action.policy == policy.name
                })
            };
            let calls = |alarm: &&Alarm| alarm.config.alarm_actions.iter().any(calls);
            state.alarms.values().map(|alarm| &**alarm).filter(calls).collect()
        }
    }
}

pub(super) fn explained(
    cx: &Context,
    policy: &Policy,
    alarm: &Alarm,
    now: Timestamp,
) -> Result<ExplainedAlarm, Error> {
    let config = &alarm.config;
    let looked_at = looked_at(alarm, now);
    let window = config.needed_window(looked_at, Duration::ZERO);
    let points = points(cx, config, window)?;
    let evaluation = evaluate(alarm, &points, looked_at, Duration::ZERO);
    let side = Side::of(policy, &alarm.name).unwrap_or(Side::Step);
    let datapoints = datapoints(config, &points, window.1);
    Ok(ExplainedAlarm {
        alarm_name: alarm.name.to_string(),
        side: drawn(side, config.comparison),
        state: match alarm.state.value {
            StateValue::Ok => AlarmState::Ok,
            StateValue::Alarm => AlarmState::Alarm,
            StateValue::InsufficientData => AlarmState::InsufficientData,
        },
        state_reason: alarm.state.reason.clone(),
        threshold: config.threshold,
        period: i32::try_from(config.period().as_secs()).unwrap_or(i32::MAX),
        summary: format!(
            "{} {} {}",
            explain::alarm(side, alarm),
            seen(config, &datapoints),
            awaited(alarm, &evaluation)
        ),
        datapoints,
    })
}

/// When it was evaluated last: a moment ago, or when its state changed.
fn looked_at(alarm: &Alarm, now: Timestamp) -> Timestamp {
    let settle = i64::try_from(SETTLE.as_millis()).unwrap_or(i64::MAX);
    let settled = Timestamp::from_millis(now.as_millis().saturating_sub(settle));
    settled.max(alarm.state.updated_at)
}

/// On which side of its threshold an alarm goes off.
const fn drawn(side: Side, comparison: Comparison) -> AlarmSide {
    match (side, comparison) {
        (Side::High, _)
        | (
            Side::Step,
            Comparison::GreaterThanOrEqualToThreshold | Comparison::GreaterThanThreshold,
        ) => AlarmSide::High,
        (Side::Low, _)
        | (Side::Step, Comparison::LessThanThreshold | Comparison::LessThanOrEqualToThreshold) => {
            AlarmSide::Low
        }
    }
}

/// What it watches in a window, oldest first. An expression that cannot be computed has no datapoints.
fn points(
    cx: &Context,
    config: &Config,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Point>, Error> {
    let period_secs = u32::try_from(config.period().as_secs()).unwrap_or(u32::MAX);
    let failed = |why: metrics::Error| Error::Internal(why.to_string());
    match &config.watch {
        Watch::Metric(stat) => cx.metrics.points(stat, period_secs, from, to).map_err(failed),
        Watch::Math(queries) => match cx.metrics.data(queries, from, to, Order::Ascending) {
            Ok(data) => Ok(data.into_iter().next().map(|one| one.points).unwrap_or_default()),
            Err(DataError::Math(_)) => Ok(Vec::new()),
            Err(DataError::Metrics(why)) => Err(failed(why)),
        },
    }
}

/// The last N periods before `end`, newest first.
fn datapoints(config: &Config, points: &[Point], end: Timestamp) -> Vec<AlarmDatapoint> {
    let period = i64::try_from(config.period().as_millis()).unwrap_or(i64::MAX);
    let starts = (1..=i64::from(config.evaluation_periods)).map(|age| {
        Timestamp::from_millis(end.as_millis().saturating_sub(period.saturating_mul(age)))
    });
    let value = |at: Timestamp| {
        let found = points.binary_search_by_key(&at, |point| point.at).ok()?;
        points.get(found).map(|point| point.value)
    };
    starts.map(|at| AlarmDatapoint { timestamp: shown::timestamp(at), value: value(at) }).collect()
}

/// The newest datapoints.
fn seen(config: &Config, datapoints: &[AlarmDatapoint]) -> String {
    let told = datapoints.iter().take(TOLD_MAX);
    let told: Vec<String> =
        told.map(|point| point.value.map_or_else(|| "none".to_owned(), number)).collect();
    let period = config.period().as_secs();
    match (datapoints, told.as_slice()) {
        ([AlarmDatapoint { value: None, .. }], _) => {
            format!("It saw no data in the last {period} s.")
        }
        (_, [one]) => format!("It saw {one} in the last {period} s."),
        (all, _) if all.iter().all(|point| point.value.is_none()) => {
            format!("It saw no data in the last {} periods of {period} s.", all.len())
        }
        (all, told) => {
            let of =
                if all.len() > told.len() { format!(" of {}", all.len()) } else { String::new() };
            format!(
                "The last {}{of} periods of {period} s, newest first: {}.",
                told.len(),
                told.join(", ")
            )
        }
    }
}

/// What it takes for the alarm to call its policy, or what it does while it lasts.
fn awaited(alarm: &Alarm, evaluation: &Evaluation<'_>) -> String {
    let config = &alarm.config;
    if alarm.state.value == StateValue::Alarm {
        let every = config.cadence().as_secs();
        return format!("While that lasts, it calls the policy every {every} s.");
    }
    let missing = evaluation.needed.saturating_sub(towards(config, evaluation));
    let secs = config.period().as_secs().saturating_mul(missing.into());
    match missing {
        0 => "It goes off with its next evaluation.".to_owned(),
        1 => format!("One more period like that, {secs} s, would set it off."),
        _ => format!(
            "It would take {missing} more periods beyond the threshold, {secs} s, to set it off."
        ),
    }
}

/// How many of the periods that it takes are there already: those in a row up to now where all have to be, or all.
fn towards(config: &Config, evaluation: &Evaluation<'_>) -> u32 {
    if evaluation.needed < config.evaluation_periods {
        return evaluation.breaching;
    }
    let breaches = |point: &&Point| config.comparison.breached(point.value, config.threshold);
    let in_a_row = evaluation.recent.iter().rev().take_while(breaches).count();
    u32::try_from(in_a_row).unwrap_or(u32::MAX)
}

/// At most three decimals and at least one, as in `domain`'s sentences.
fn number(value: f64) -> String {
    if value.abs() >= PLAIN_BELOW || !value.is_finite() {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.DECIMALS$}");
    let Some((whole, decimals)) = text.split_once('.') else { return text };
    let decimals = decimals.trim_end_matches('0');
    format!("{whole}.{}", if decimals.is_empty() { "0" } else { decimals })
}
