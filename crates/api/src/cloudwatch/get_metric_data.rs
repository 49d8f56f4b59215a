//! `GetMetricData`: many metrics and expressions over them, in pages of so many datapoints (section 6.2).

use std::sync::Arc;

use domain::metric::math::{PERIOD_DEFAULT_SECS, POINTS_MAX, QUERIES_MAX};
use domain::metric::{Point, Query, Source};
use metrics::{Data, DataError, Order};
use serde::{Deserialize, Serialize};
use wire::cloudwatch::{
    GetMetricDataInput, GetMetricDataOutput, MessageData, MetricDataResult, ScanBy, StatusCode,
};

use super::apart::{apart, failed};
use super::{Refusal, members, query, token, window};
use crate::{Context, Error};

/// Where a page begins: in which result, and behind which of its datapoints.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Place {
    result: usize,
    /// Server time in milliseconds.
    after: Option<i64>,
}

pub(super) async fn get_metric_data(
    cx: &Context,
    input: GetMetricDataInput,
) -> Result<GetMetricDataOutput, Error> {
    let most = check(&input)?;
    let queries = query::read(&input.metric_data_queries, LIST, &cx.scope.account)?;
    check_periods(&queries)?;
    let order = match input.scan_by {
        Some(ScanBy::TimestampAscending) => Order::Ascending,
        Some(ScanBy::TimestampDescending) | None => Order::Descending,
    };
    let list = format!("GetMetricData {order:?} {}", queries.len());
    let place = token::read(&list, input.next_token.as_deref())?.unwrap_or_default();
    let shortest = queries.iter().map(period).min().unwrap_or(PERIOD_DEFAULT_SECS);
    let from = window::start(members::time(input.start_time), cx.clock.now(), shortest);
    let to = members::time(input.end_time);
    let metrics = Arc::clone(&cx.metrics);
    let read = move || {
        let found = metrics.data(&queries, from, to, order)?;
        Ok(page(found, place, most, order))
    };
    let (results, next) = apart(read).await?.map_err(|why| match why {
        DataError::Math(refused) => Refusal::from(refused).into(),
        DataError::Metrics(why) => failed(why),
    })?;
    Ok(GetMetricDataOutput {
        metric_data_results: Some(results),
        next_token: next.map(|place| token::write(&list, place)),
        messages: Some(Vec::new()),
    })
}

const LIST: &str = "MetricDataQueries";

/// What AWS says of a request as a whole; how many datapoints it wants at once.
fn check(input: &GetMetricDataInput) -> Result<usize, Refusal> {
    let invalid = |text: &str| Err(Refusal::Invalid(text.to_owned()));
    if input.metric_data_queries.len() > QUERIES_MAX {
        let text =
            format!("The collection {LIST} must not have a size greater than {QUERIES_MAX}.");
        return Err(Refusal::Invalid(text));
    }
    if input.start_time == input.end_time {
        return invalid("The parameter StartTime must not equal parameter EndTime.");
    }
    if input.start_time > input.end_time {
        return invalid("The parameter EndTime must be greater than StartTime.");
    }
    let Some(asked) = input.max_datapoints else { return Ok(POINTS_MAX) };
    let most = usize::try_from(asked).ok().filter(|most| (1..=POINTS_MAX).contains(most));
    most.ok_or_else(|| {
        Refusal::Invalid(format!("The value {asked} for parameter MaxDatapoints is invalid."))
    })
}

fn check_periods(queries: &[Query]) -> Result<(), Refusal> {
    for (position, query) in (1_usize..).zip(queries) {
        let member = match &query.source {
            Source::Metric(_) => "MetricStat.Period",
            Source::Expression { .. } => "Period",
        };
        if !window::is_period(period(query)) {
            return Err(Refusal::Invalid(format!(
                "The parameter {LIST}.member.{position}.{member} must be 1, 5, 10, 20, 30 or a multiple of 60."
            )));
        }
    }
    Ok(())
}

fn period(query: &Query) -> u32 {
    let given = match &query.source {
        Source::Metric(stat) => stat.period,
        Source::Expression { period, .. } => *period,
    };
    given.unwrap_or(PERIOD_DEFAULT_SECS)
}

/// The datapoints behind a place, so many, and the place where the next page begins. Where a result goes on there, it is
/// partial.
fn page(
    all: Vec<Data>,
    place: Place,
    most: usize,
    order: Order,
) -> (Vec<MetricDataResult>, Option<Place>) {
    let mut left = most;
    let mut results = Vec::new();
    for (index, mut data) in all.into_iter().enumerate().skip(place.result) {
        if let Some(after) = place.after.filter(|_| index == place.result) {
            data.points.retain(|point| match order {
                Order::Ascending => point.at.as_millis() > after,
                Order::Descending => point.at.as_millis() < after,
            });
        }
        if left == 0 && !data.points.is_empty() {
            return (results, Some(Place { result: index, after: None }));
        }
        let more = data.points.len() > left;
        data.points.truncate(left);
        left -= data.points.len();
        let last = data.points.last().map(|point| point.at.as_millis());
        results
            .push(shown(data, if more { StatusCode::PartialData } else { StatusCode::Complete }));
        if more {
            return (results, Some(Place { result: index, after: last }));
        }
    }
    (results, None)
}

fn shown(data: Data, status: StatusCode) -> MetricDataResult {
    let Data { id, label, points, messages } = data;
    let message = |message: metrics::Message| MessageData {
        code: Some(message.code.to_owned()),
        value: Some(message.value),
    };
    let messages: Vec<_> = messages.into_iter().map(message).collect();
    MetricDataResult {
        id: Some(id),
        label: Some(label),
        timestamps: Some(points.iter().map(|point| members::timestamp(point.at)).collect()),
        values: Some(points.iter().map(|point: &Point| point.value).collect()),
        status_code: Some(status),
        messages: (!messages.is_empty()).then_some(messages),
    }
}

#[cfg(test)]
mod tests {
    use domain::time::Timestamp;

    use super::*;

    fn results(order: Order) -> Vec<Data> {
        let data = |(id, count): (&str, i64)| {
            let mut points: Vec<Point> = (0..count)
                .map(|at| Point { at: Timestamp::from_millis(at), value: 1.0, samples: None })
                .collect();
            if order == Order::Descending {
                points.reverse();
            }
            Data { id: id.to_owned(), label: id.to_owned(), points, messages: Vec::new() }
        };
        [("none", 0), ("a", 5), ("empty", 0), ("b", 3), ("c", 1), ("last", 0)].map(data).into()
    }

    #[test]
    fn pages_show_every_datapoint_once_and_every_result_at_least_once() {
        for order in [Order::Ascending, Order::Descending] {
            for most in 1..=10 {
                let (mut place, mut seen, mut pages) = (Place::default(), Vec::new(), 0);
                loop {
                    let (results, next) = page(results(order), place, most, order);
                    let count: usize =
                        results.iter().flat_map(|one| &one.values).map(Vec::len).sum();
                    assert!(count <= most);
                    for one in &results {
                        let partial = one.status_code == Some(StatusCode::PartialData);
                        let is_last = one.id == results.last().unwrap().id;
                        assert!(!partial || (is_last && next.is_some()), "{results:?}");
                    }
                    seen.extend(
                        results.into_iter().map(|one| (one.id.unwrap(), one.timestamps.unwrap())),
                    );
                    pages += 1;
                    assert!(pages <= 20);
                    match next {
                        Some(next) => place = next,
                        None => break,
                    }
                }
                for data in results(order) {
                    let own = seen.iter().filter(|(id, _)| *id == data.id);
                    assert!(own.clone().count() > 0, "{} of {most}", data.id);
                    let times: Vec<i64> =
                        own.flat_map(|(_, times)| times.iter().map(|at| at.0)).collect();
                    let all: Vec<i64> =
                        data.points.iter().map(|point| point.at.as_millis()).collect();
                    assert_eq!(times, all, "{} of {most}", data.id);
                }
            }
        }
    }
}
