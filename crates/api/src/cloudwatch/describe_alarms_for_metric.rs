//! `DescribeAlarmsForMetric`: alarms on exactly this metric, all at once; none of metric math.

use domain::alarm::Watch;
use domain::metric::{MetricId, Statistic};
use wire::cloudwatch::{DescribeAlarmsForMetricInput, DescribeAlarmsForMetricOutput};

use super::apart::apart;
use super::{Refusal, describe_alarms, members};
use crate::{Context, Error};

pub(super) async fn describe_alarms_for_metric(
    cx: &Context,
    input: DescribeAlarmsForMetricInput,
) -> Result<DescribeAlarmsForMetricOutput, Error> {
    let dimensions = members::dimensions(input.dimensions.as_deref());
    let metric = MetricId::new(&input.namespace, &input.metric_name, dimensions);
    let mut statistics: Vec<Statistic> = Vec::new();
    if let Some(raw) = &input.extended_statistic {
        let read = raw.parse().ok().filter(|one: &Statistic| one.is_extended());
        let unsupported = || domain::alarm::Refusal::ExtendedStatistic(raw.clone());
        statistics.push(read.ok_or_else(unsupported).map_err(Refusal::from)?);
    }
    statistics.extend(input.statistic.and_then(|one| one.as_str().parse::<Statistic>().ok()));
    let (period, unit) = (input.period.map(members::count), input.unit.map(members::unit));
    let (state, scope) = (cx.store.state(), cx.scope.clone());
    let alarms = apart(move || {
        describe_alarms::all(&state, &scope, |alarm| match &alarm.config.watch {
            Watch::Metric(stat) => {
                stat.metric == metric
                    && (statistics.is_empty() || statistics.contains(&stat.statistic))
                    && (period.is_none() || stat.period == period)
                    && (unit.is_none() || stat.unit == unit)
            }
            Watch::Math(_) => false,
        })
    });
    Ok(DescribeAlarmsForMetricOutput { metric_alarms: Some(alarms.await?) })
}
