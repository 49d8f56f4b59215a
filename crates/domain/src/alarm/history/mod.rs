//! What an alarm's history records (section 6.3; the members of a configuration as native histories show them).
//! Histories outlive their alarms.

#[cfg(test)]
mod tests;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::java::{JavaDouble, long_date};
use super::{Alarm, AlarmName, HistoryItem, HistoryKind, State, Watch};
use crate::arn::Scope;
use crate::metric::{Dimension, MetricId, Query, Source, Stat};
use crate::time::Timestamp;

/// The most characters of a summary.
pub const SUMMARY_CHARS_MAX: usize = 255;
/// The most characters of the data.
pub const DATA_CHARS_MAX: usize = 4095;

/// How much of a text is kept where the data would be too long otherwise: two of them leave room for the rest, even
/// where each character is written as `\u0000`.
const CHARS_KEPT: usize = 250;

/// `PutMetricAlarm` made the alarm.
pub fn created(alarm: &Alarm, scope: &Scope, at: Timestamp, sequence: u64) -> HistoryItem {
    configuration(alarm, scope, ["Create", "created"], (at, sequence))
}

/// The alarm was configured anew.
pub fn updated(alarm: &Alarm, scope: &Scope, at: Timestamp, sequence: u64) -> HistoryItem {
    configuration(alarm, scope, ["Update", "updated"], (at, sequence))
}

/// The alarm, as it was last, was deleted.
pub fn deleted(alarm: &Alarm, scope: &Scope, at: Timestamp, sequence: u64) -> HistoryItem {
    configuration(alarm, scope, ["Delete", "deleted"], (at, sequence))
}

/// The alarm went from one state to another. Where both with their datapoints are too long, those of the old state are
/// left out first.
pub fn state_update(
    alarm: &AlarmName,
    before: &State,
    after: &State,
    at: Timestamp,
    sequence: u64,
) -> HistoryItem {
    let [old, new] = [before, after].map(|state| state.reason_data.as_deref());
    let shorter = new.and_then(without_evaluated);
    let data = |old, new, chars| {
        let [old, new] =
            [(before, old), (after, new)].map(|(state, data)| state_json(state, data, chars));
        format!("{{\"version\":\"1.0\",\"oldState\":{old},\"newState\":{new}}}")
    };
    let all = usize::MAX;
    let tries =
        [(old, new, all), (None, new, all), (None, shorter.as_deref(), all), (None, None, all)];
    let found =
        tries.into_iter().map(|(old, new, chars)| data(old, new, chars)).find(|data| fits(data));
    HistoryItem {
        alarm: alarm.clone(),
        at,
        sequence,
        kind: HistoryKind::StateUpdate,
        summary: format!(
            "Alarm updated from {} to {}",
            before.value.as_str(),
            after.value.as_str()
        ),
        data: found.unwrap_or_else(|| data(None, None, CHARS_KEPT)),
    }
}

/// An action ran, or could not; `state` is the one that it ran for.
pub fn action(
    alarm: &AlarmName,
    action: &str,
    error: Option<&str>,
    state: &State,
    at: Timestamp,
    sequence: u64,
) -> HistoryItem {
    let (outcome, done) = match error {
        None => ("Succeeded", "Successfully executed"),
        Some(_) => ("Failed", "Failed to execute"),
    };
    let error = error.map_or_else(|| "null".to_owned(), |text| quoted(cut(text, CHARS_KEPT)));
    let data = |resource: &str| {
        format!(
            "{{\"actionState\":\"{outcome}\",\"stateUpdateTimestamp\":{},\"notificationResource\":{},\
             \"publishedMessage\":null,\"error\":{error},\"muteWindowEndTimestamp\":null}}",
            state.updated_at.as_millis(),
            quoted(resource),
        )
    };
    let whole = Some(data(action)).filter(|data| fits(data));
    let data = whole.unwrap_or_else(|| data(cut(action, CHARS_KEPT)));
    let summary = cut(&format!("{done} action {action}"), SUMMARY_CHARS_MAX).to_owned();
    HistoryItem { alarm: alarm.clone(), at, sequence, kind: HistoryKind::Action, summary, data }
}

/// `change` as the type of the change, and as a participle.
fn configuration(
    alarm: &Alarm,
    scope: &Scope,
    [change, done]: [&str; 2],
    (at, sequence): (Timestamp, u64),
) -> HistoryItem {
    let mut members = members(alarm, scope);
    let wrap = |members: &[Member]| {
        format!("{{\"version\":\"1.0\",\"type\":\"{change}\",\"{done}Alarm\":{}}}", object(members))
    };
    let mut data = wrap(&members);
    for longest in [
        "metrics",
        "alarmDescription",
        "insufficientDataActions",
        "okactions",
        "alarmActions",
        "dimensions",
    ] {
        if fits(&data) {
            break;
        }
        members.retain(|(name, _)| *name != longest);
        data = wrap(&members);
    }
    let summary = format!("Alarm \"{}\" {done}", alarm.name);
    HistoryItem {
        alarm: alarm.name.clone(),
        at,
        sequence,
        kind: HistoryKind::ConfigurationUpdate,
        summary: cut(&summary, SUMMARY_CHARS_MAX).to_owned(),
        data,
    }
}

fn fits(data: &str) -> bool {
    data.chars().count() <= DATA_CHARS_MAX
}

/// A member's name and its value in JSON. A list of them keeps AWS's order, which a map of `serde_json` would not.
type Member = (&'static str, String);

fn members(alarm: &Alarm, scope: &Scope) -> Vec<Member> {
    let config = &alarm.config;
    let mut all = vec![("alarmName", quoted(alarm.name.as_str()))];
    all.extend(config.description.as_deref().map(|text| ("alarmDescription", quoted(text))));
    all.push(("alarmArn", quoted(&alarm.arn(scope))));
    all.push(("alarmConfigurationUpdatedTimestamp", date(alarm.configured_at)));
    match &config.watch {
        Watch::Metric(stat) => all.extend(watched(stat)),
        Watch::Math(queries) => {
            all.push(("dimensions", "[]".to_owned()));
            all.push(("metrics", list(queries.iter().map(query))));
        }
    }
    all.push(("threshold", JavaDouble(config.threshold).to_string()));
    all.push(("comparisonOperator", quoted(config.comparison.as_str())));
    all.push(("evaluationPeriods", config.evaluation_periods.to_string()));
    all.extend(config.datapoints_to_alarm.map(|needed| ("datapointsToAlarm", needed.to_string())));
    all.extend(config.treat_missing.map(|treat| ("treatMissingData", quoted(treat.as_str()))));
    let low = config.evaluate_low_samples;
    all.extend(low.map(|low| ("evaluateLowSampleCountPercentile", quoted(low.as_str()))));
    all.push(("stateValue", quoted(alarm.state.value.as_str())));
    all.push(("stateUpdatedTimestamp", date(alarm.state.updated_at)));
    all.push(("actionsEnabled", config.actions_enabled.to_string()));
    let actions = |all: &[String]| list(all.iter().map(|one| quoted(one)));
    all.push(("alarmActions", actions(&config.alarm_actions)));
    all.push(("insufficientDataActions", actions(&config.insufficient_data_actions)));
    all.push(("okactions", actions(&config.ok_actions)));
    all
}

fn watched(stat: &Stat) -> Vec<Member> {
    let kind = if stat.statistic.is_extended() { "extendedStatistic" } else { "statistic" };
    let mut all = vec![
        ("namespace", quoted(&stat.metric.namespace)),
        ("metricName", quoted(&stat.metric.name)),
        (kind, quoted(&stat.statistic.to_string())),
    ];
    all.extend(stat.period.map(|period| ("period", period.to_string())));
    all.push(("dimensions", dimensions(&stat.metric)));
    all.extend(stat.unit.map(|unit| ("unit", quoted(unit.as_str()))));
    all
}

fn query(query: &Query) -> String {
    let mut all = Vec::new();
    match &query.source {
        Source::Metric(stat) => {
            let metric = object(&[
                ("dimensions", dimensions(&stat.metric)),
                ("metricName", quoted(&stat.metric.name)),
                ("namespace", quoted(&stat.metric.namespace)),
            ]);
            let mut inner = vec![("metric", metric)];
            inner.extend(stat.period.map(|period| ("period", period.to_string())));
            inner.push(("stat", quoted(&stat.statistic.to_string())));
            inner.extend(stat.unit.map(|unit| ("unit", quoted(unit.as_str()))));
            all.push(("id", quoted(&query.id)));
            all.push(("metricStat", object(&inner)));
        }
        Source::Expression { text, period } => {
            all.push(("expression", quoted(text)));
            all.push(("id", quoted(&query.id)));
            all.extend(period.map(|period| ("period", period.to_string())));
        }
    }
    all.extend(query.label.as_deref().map(|label| ("label", quoted(label))));
    all.extend(query.return_data.map(|returns| ("returnData", returns.to_string())));
    object(&all)
}

fn dimensions(metric: &MetricId) -> String {
    let one = |Dimension { name, value }: &Dimension| {
        object(&[("value", quoted(value)), ("name", quoted(name))])
    };
    list(metric.dimensions().iter().map(one))
}

fn state_json(state: &State, data: Option<&str>, chars: usize) -> String {
    let mut all = vec![
        ("stateValue", quoted(state.value.as_str())),
        ("stateReason", quoted(cut(&state.reason, chars))),
    ];
    // It is JSON already: what an evaluation made, or SetAlarmState has checked.
    all.extend(data.map(|data| ("stateReasonData", data.to_owned())));
    object(&all)
}

/// A state's data less the datapoints that decided, which stand last in it.
fn without_evaluated(data: &str) -> Option<String> {
    let (rest, _) = data.split_once(",\"evaluatedDatapoints\":")?;
    let shorter = format!("{rest}}}");
    serde_json::from_str::<IgnoredAny>(&shorter).is_ok().then_some(shorter)
}

fn object(members: &[Member]) -> String {
    let shown: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", shown.join(","))
}

fn list(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn date(at: Timestamp) -> String {
    format!("\"{}\"", long_date(at))
}

/// The first `chars` characters.
fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}
