//! `PutMetricAlarm`: makes an alarm, or replaces the configuration of the one of that name. Its state stays then, and
//! tags count only for a new one (section 6.3).

use domain::alarm::{self, Alarm, history};
use domain::members::Members;
use domain::tag::Tags;
use serde_json::{Map, Value as Json};
use store::Changes;
use store::record::Tagged;
use wire::cloudwatch::PutMetricAlarmInput;
use wire::{Shape, Value};

use super::{Refusal, members, query, shown, tagging};
use crate::{Context, Error};

pub(super) async fn put_metric_alarm(
    cx: &Context,
    mut input: PutMetricAlarmInput,
) -> Result<(), Error> {
    let given = tagging::with(&Tags::default(), input.tags.take().unwrap_or_default())?;
    let (name, config) = request(input, &cx.scope.account)?.accept().map_err(Refusal::from)?;
    let (scope, now) = (cx.scope.clone(), cx.clock.now());
    cx.decide(move |state| {
        let sequence = state.next_history_sequence(&name);
        if let Some(before) = state.alarms.get(&name) {
            let changes = before.configure(config, now).map(|after| {
                let item = history::updated(&after, &scope, now, sequence);
                Changes::none().put(item).put(after)
            });
            return Ok((changes.unwrap_or_default(), ()));
        }
        let alarm = Alarm::create(name, config, now);
        let item = history::created(&alarm, &scope, now, sequence);
        let tagged = (!given.0.is_empty()).then(|| Tagged { arn: alarm.arn(&scope), tags: given });
        let changes = Changes::none().put(item).put(alarm);
        Ok((tagged.into_iter().fold(changes, Changes::put), ()))
    })
    .await
}

fn request(input: PutMetricAlarmInput, account: &str) -> Result<alarm::Request, Refusal> {
    let kept = kept(&input);
    Ok(alarm::Request {
        name: input.alarm_name,
        description: input.alarm_description,
        actions_enabled: input.actions_enabled,
        ok_actions: input.ok_actions.unwrap_or_default(),
        alarm_actions: input.alarm_actions.unwrap_or_default(),
        insufficient_data_actions: input.insufficient_data_actions.unwrap_or_default(),
        metric_name: input.metric_name,
        namespace: input.namespace,
        statistic: input.statistic.map(|statistic| statistic.as_str().to_owned()),
        extended_statistic: input.extended_statistic,
        dimensions: input.dimensions.map(|given| members::dimensions(Some(&given))),
        period: input.period.map(members::count),
        unit: input.unit.map(members::unit),
        evaluation_periods: input.evaluation_periods.map(members::count),
        datapoints_to_alarm: input.datapoints_to_alarm.map(members::count),
        threshold: input.threshold,
        threshold_metric_id: input.threshold_metric_id,
        comparison: input.comparison_operator.map(|one| one.as_str().to_owned()),
        treat_missing: input.treat_missing_data,
        evaluate_low_samples: input.evaluate_low_sample_count_percentile,
        metrics: query::read(&input.metrics.unwrap_or_default(), "Metrics", account)?,
        kept,
    })
}

fn kept(input: &PutMetricAlarmInput) -> Members {
    let mut members = match input.to_document().to_json(PutMetricAlarmInput::schema()) {
        Json::Object(members) => members,
        _ => Map::new(),
    };
    members.retain(|name, value| !value.is_null() && shown::KEPT.contains(&name.as_str()));
    Members(members)
}
