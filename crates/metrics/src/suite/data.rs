//! `GetMetricData`: math, labels, units, order.

use domain::metric::{Query, Source, Stat, Statistic, Unit};

use super::{START, at, both, plain, sample, series, stat};
use crate::{DataError, Order, Resolution, SeriesKey};

fn query(id: &str, source: Source) -> Query {
    Query { id: id.into(), source, label: None, return_data: None }
}

fn expression(id: &str, text: &str) -> Query {
    query(id, Source::Expression { text: text.into(), period: None })
}

#[tokio::test]
async fn math_over_series_in_the_order_that_is_asked_for() {
    for metrics in &both().all {
        let (backlog, workers) =
            (series("Backlog", Resolution::Minute), series("Workers", Resolution::Minute));
        let samples = [-180, -120, -60].map(|secs| sample(&backlog, START + secs, 12.0));
        metrics.put(samples.into()).await.unwrap();
        let samples =
            [(-180, 2.0), (-60, 4.0)].map(|(secs, value)| sample(&workers, START + secs, value));
        metrics.put(samples.into()).await.unwrap();
        let hidden = Query {
            return_data: Some(false),
            ..query("m1", Source::Metric(stat("Backlog", Statistic::Sum)))
        };
        let shown = query("m2", Source::Metric(stat("Workers", Statistic::Sum)));
        let queries = [hidden, shown, expression("e1", "m1 / m2")];
        let (from, to) = (at(START - 180), at(START));
        let data = metrics.data(&queries, from, to, Order::Ascending).unwrap();
        let points: Vec<_> =
            data.iter().map(|data| (&*data.id, &*data.label, plain(&data.points))).collect();
        let expected = [
            ("m2", "Workers", vec![(-180, 2.0), (-60, 4.0)]),
            ("e1", "e1", vec![(-180, 6.0), (-60, 3.0)]),
        ];
        assert_eq!(points, expected);
        let mut reversed = metrics.data(&queries, from, to, Order::Descending).unwrap();
        for data in &mut reversed {
            data.points.reverse();
        }
        assert_eq!(reversed, data);
    }
}

#[tokio::test]
async fn a_metric_without_data_has_an_empty_result_and_a_wrong_expression_an_error() {
    for metrics in &both().all {
        let nothing = [query("m1", Source::Metric(stat("Nothing", Statistic::Sum)))];
        let data = metrics.data(&nothing, at(START - 60), at(START), Order::default()).unwrap();
        assert_eq!((data.len(), data[0].points.len(), data[0].messages.len()), (1, 0, 0));
        let wrong = [expression("e1", "m9 + 1")];
        let error = metrics.data(&wrong, at(START - 60), at(START), Order::default()).unwrap_err();
        assert!(matches!(error, DataError::Math(_)), "{error}");
    }
}

/// Section 6.2: the message of several units.
#[tokio::test]
async fn several_units_are_told_and_not_added_up() {
    for metrics in &both().all {
        let millis = SeriesKey { unit: Unit::Milliseconds, ..series("M", Resolution::Minute) };
        let seconds = SeriesKey { unit: Unit::Seconds, ..millis.clone() };
        let samples = vec![sample(&seconds, START - 60, 1.0), sample(&millis, START - 60, 1000.0)];
        metrics.put(samples).await.unwrap();
        let any = stat("M", Statistic::Sum);
        let one = Stat { unit: Some(Unit::Seconds), ..any.clone() };
        let queries = [query("m1", Source::Metric(any)), query("m2", Source::Metric(one))];
        let data = metrics.data(&queries, at(START - 60), at(START), Order::default()).unwrap();
        assert_eq!(data[0].points, []);
        assert_eq!(data[0].messages.len(), 1);
        assert_eq!(data[0].messages[0].code, "MultipleUnits");
        assert_eq!(data[0].messages[0].value, "Multiple units returned: '[Milliseconds, Seconds]'");
        assert_eq!(plain(&data[1].points), [(-60, 1.0)]);
        assert_eq!(data[1].messages, []);
    }
}

/// Section 6.2: metrics of one name are told apart by what differs.
#[tokio::test]
async fn labels_say_what_differs() {
    let both = both();
    let with = |statistic, period| {
        Source::Metric(Stat { period: Some(period), ..stat("metric1", statistic) })
    };
    let queries = [
        query("m1", with(Statistic::Sum, 60)),
        query("m2", with(Statistic::Maximum, 60)),
        query("m3", Source::Metric(stat("metric2", Statistic::Sum))),
        Query { label: Some("mine".into()), ..query("m4", with(Statistic::Sum, 300)) },
    ];
    let data = both.all[0].data(&queries, at(START - 60), at(START), Order::default()).unwrap();
    let labels: Vec<&str> = data.iter().map(|data| &*data.label).collect();
    assert_eq!(labels, ["metric1 Sum 60", "metric1 Maximum 60", "metric2", "mine"]);
}
