//! An alarm as the Describe operations show it (section 6.3, "Echo").

use domain::alarm::{Alarm, Watch};
use domain::arn::Scope;
use domain::members::Members;
use serde_json::Value as Json;
use wire::cloudwatch::MetricAlarm;
use wire::{Document, Shape, Value};

use super::{members, query};

/// Members of `PutMetricAlarm` that are kept and given back, and nothing else.
pub(super) const KEPT: [&str; 5] = [
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
    "ActionConfiguration",
];

/// What was not given and has no default is absent; lists are there.
pub(super) fn alarm(alarm: &Alarm, scope: &Scope) -> MetricAlarm {
    let Alarm { config, state, .. } = alarm;
    let shown = MetricAlarm {
        alarm_name: Some(alarm.name.to_string()),
        alarm_arn: Some(alarm.arn(scope)),
        alarm_description: config.description.clone(),
        alarm_configuration_updated_timestamp: Some(members::timestamp(alarm.configured_at)),
        actions_enabled: Some(config.actions_enabled),
        ok_actions: Some(config.ok_actions.clone()),
        alarm_actions: Some(config.alarm_actions.clone()),
        insufficient_data_actions: Some(config.insufficient_data_actions.clone()),
        state_value: state.value.as_str().parse().ok(),
        state_reason: Some(state.reason.clone()),
        state_reason_data: state.reason_data.clone(),
        state_updated_timestamp: Some(members::timestamp(state.updated_at)),
        state_transitioned_timestamp: Some(members::timestamp(state.transitioned_at)),
        evaluation_periods: Some(members::shown_count(config.evaluation_periods)),
        datapoints_to_alarm: config.datapoints_to_alarm.map(members::shown_count),
        threshold: Some(config.threshold),
        comparison_operator: config.comparison.as_str().parse().ok(),
        treat_missing_data: config.treat_missing.map(|treat| treat.as_str().to_owned()),
        evaluate_low_sample_count_percentile: config
            .evaluate_low_samples
            .map(|low| low.as_str().to_owned()),
        ..kept(&config.kept)
    };
    watched(shown, &config.watch)
}

fn watched(shown: MetricAlarm, watch: &Watch) -> MetricAlarm {
    match watch {
        Watch::Metric(stat) => {
            let statistic = stat.statistic.to_string();
            let extended = stat.statistic.is_extended();
            MetricAlarm {
                metric_name: Some(stat.metric.name.to_string()),
                namespace: Some(stat.metric.namespace.to_string()),
                statistic: statistic.parse().ok(),
                extended_statistic: extended.then_some(statistic),
                dimensions: Some(members::shown_dimensions(&stat.metric)),
                period: stat.period.map(members::shown_count),
                unit: stat.unit.and_then(members::shown_unit),
                ..shown
            }
        }
        Watch::Math(queries) => MetricAlarm {
            dimensions: Some(Vec::new()),
            metrics: Some(queries.iter().map(query::shown).collect()),
            ..shown
        },
    }
}

/// Their form was checked when they came.
fn kept(members: &Members) -> MetricAlarm {
    let document = Document::from_json(MetricAlarm::schema(), &Json::Object(members.0.clone()));
    let read = document.ok().and_then(|document| MetricAlarm::from_document(&document).ok());
    read.unwrap_or_default()
}
