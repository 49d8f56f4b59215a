//! `MetricDataQuery`, as `GetMetricData` and metric-math alarms have it.

use domain::alarm;
use domain::metric::{MetricId, Query, Source, Stat};
use wire::cloudwatch::{MetricDataQuery, MetricStat};

use super::{Refusal, members};

/// Reads the queries of a request; `list` is the member that they stand in.
pub(super) fn read(
    queries: &[MetricDataQuery],
    list: &str,
    account: &str,
) -> Result<Vec<Query>, Refusal> {
    let read = |(position, query)| read_one(query, &format!("{list}.member.{position}"), account);
    (1_usize..).zip(queries).map(read).collect()
}

fn read_one(query: &MetricDataQuery, path: &str, account: &str) -> Result<Query, Refusal> {
    if query.account_id.as_ref().is_some_and(|asked| asked != account) {
        let text = format!(
            "The parameter {path}.AccountId must be this account: metrics of others are not here."
        );
        return Err(Refusal::Invalid(text));
    }
    let source = match (&query.metric_stat, &query.expression) {
        (Some(_), Some(_)) => return Err(alarm::Refusal::ExpressionAndStat.into()),
        (None, None) => return Err(absent(&format!("{path}.MetricStat"))),
        (Some(stat), None) => Source::Metric(read_stat(stat, &format!("{path}.MetricStat"))?),
        (None, Some(text)) => {
            Source::Expression { text: text.clone(), period: query.period.map(members::count) }
        }
    };
    Ok(Query {
        id: query.id.clone(),
        source,
        label: query.label.clone(),
        return_data: query.return_data,
    })
}

fn read_stat(stat: &MetricStat, path: &str) -> Result<Stat, Refusal> {
    let metric = &stat.metric;
    let member = |name: &str| absent(&format!("{path}.Metric.{name}"));
    let namespace = metric.namespace.as_deref().ok_or_else(|| member("Namespace"))?;
    let name = metric.metric_name.as_deref().ok_or_else(|| member("MetricName"))?;
    let unsupported = |_| {
        Refusal::Invalid(format!(
            "The value {} for parameter {path}.Stat is not supported.",
            stat.stat
        ))
    };
    Ok(Stat {
        metric: MetricId::new(namespace, name, members::dimensions(metric.dimensions.as_deref())),
        statistic: stat.stat.parse().map_err(unsupported)?,
        unit: stat.unit.map(members::unit),
        period: Some(members::count(stat.period)),
    })
}

/// AWS's text ends in a newline.
fn absent(path: &str) -> Refusal {
    Refusal::Invalid(format!("The parameter {path} is required.\n"))
}

/// A query as it was given.
pub(super) fn shown(query: &Query) -> MetricDataQuery {
    let (metric_stat, expression, period) = match &query.source {
        Source::Metric(stat) => (Some(shown_stat(stat)), None, None),
        Source::Expression { text, period } => (None, Some(text.clone()), *period),
    };
    MetricDataQuery {
        id: query.id.clone(),
        metric_stat,
        expression,
        label: query.label.clone(),
        return_data: query.return_data,
        period: period.map(members::shown_count),
        account_id: None,
    }
}

fn shown_stat(stat: &Stat) -> MetricStat {
    MetricStat {
        metric: members::shown_metric(&stat.metric),
        period: stat.period.map_or(0, members::shown_count),
        stat: stat.statistic.to_string(),
        unit: stat.unit.and_then(members::shown_unit),
    }
}
