//! `GetMetricStatistics`: datapoints of one metric, each unit with its own (section 6.2).

use std::sync::Arc;

use domain::metric::{MetricId, Statistic};
use metrics::Bucket;
use wire::cloudwatch::{
    self as model, Datapoint, GetMetricStatisticsInput, GetMetricStatisticsOutput,
};

use super::apart::{apart, failed};
use super::{Refusal, members, window};
use crate::{Context, Error};

/// Datapoints of one request.
const POINTS_MAX: i64 = 1440;

/// An extended statistic, and how it was written.
type Extended = (String, Statistic);

pub(super) async fn get_metric_statistics(
    cx: &Context,
    input: GetMetricStatisticsInput,
) -> Result<GetMetricStatisticsOutput, Error> {
    let period = members::count(input.period);
    let (asked, to) = (members::time(input.start_time), members::time(input.end_time));
    let extended = check(&input)?;
    let from = window::start(asked, cx.clock.now(), period);
    let dimensions = members::dimensions(input.dimensions.as_deref());
    let metric = MetricId::new(&input.namespace, &input.metric_name, dimensions);
    let unit = input.unit.map(members::unit);
    let metrics = Arc::clone(&cx.metrics);
    let buckets = apart(move || metrics.statistics(&metric, unit, period, from, to)).await?;
    let basic = input.statistics.unwrap_or_default();
    let shown = buckets.map_err(failed)?.into_iter();
    Ok(GetMetricStatisticsOutput {
        label: Some(input.metric_name),
        datapoints: Some(
            shown.filter_map(|bucket| datapoint(&bucket, &basic, &extended)).collect(),
        ),
    })
}

fn check(input: &GetMetricStatisticsInput) -> Result<Vec<Extended>, Refusal> {
    let extended = input.extended_statistics.as_deref().unwrap_or_default();
    if extended.is_empty() && input.statistics.as_ref().is_none_or(Vec::is_empty) {
        let text = "Must specify either Statistics or ExtendedStatistics";
        return Err(Refusal::Combination(text.to_owned()));
    }
    if !window::is_period(members::count(input.period)) {
        let text = "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.";
        return Err(Refusal::Value(text.to_owned()));
    }
    let (from, to) = (input.start_time.0, input.end_time.0);
    if from >= to {
        let text = "The parameter StartTime must be less than the parameter EndTime.";
        return Err(Refusal::Value(text.to_owned()));
    }
    let points = to.saturating_sub(from) / (i64::from(input.period) * 1000);
    if points > POINTS_MAX {
        return Err(Refusal::Combination(format!(
            "You have requested up to {points} datapoints, which exceeds the limit of {POINTS_MAX}. You may reduce the \
             datapoints requested by increasing Period, or decreasing the time range."
        )));
    }
    let read = |raw: &String| {
        let statistic = raw.parse().ok().filter(|one: &Statistic| one.is_extended());
        let refused = domain::alarm::Refusal::ExtendedStatistic(raw.clone());
        Ok((raw.clone(), statistic.ok_or(refused)?))
    };
    extended.iter().map(read).collect()
}

/// Nothing where none of the statistics is known: percentiles of statistic sets.
fn datapoint(
    bucket: &Bucket,
    basic: &[model::Statistic],
    extended: &[Extended],
) -> Option<Datapoint> {
    let Bucket { at, unit, values } = bucket;
    let of = |wanted: model::Statistic, statistic: Statistic| {
        basic.contains(&wanted).then(|| statistic.of(values)).flatten()
    };
    let known = |(raw, statistic): &Extended| Some((raw.clone(), statistic.of(values)?));
    let extended: std::collections::BTreeMap<_, _> = extended.iter().filter_map(known).collect();
    if values.is_empty() || (basic.is_empty() && extended.is_empty()) {
        return None;
    }
    Some(Datapoint {
        timestamp: Some(members::timestamp(*at)),
        sample_count: of(model::Statistic::SampleCount, Statistic::SampleCount),
        average: of(model::Statistic::Average, Statistic::Average),
        sum: of(model::Statistic::Sum, Statistic::Sum),
        minimum: of(model::Statistic::Minimum, Statistic::Minimum),
        maximum: of(model::Statistic::Maximum, Statistic::Maximum),
        unit: members::shown_unit(*unit),
        extended_statistics: (!extended.is_empty()).then_some(extended),
    })
}
