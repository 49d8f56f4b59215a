//! What the tests share: a request over five minutes, written as rows of values with gaps.

mod hostile;
mod properties;
mod requests;
mod table;

use std::time::Duration;

use super::{MathError, Outcome, Series, Window, evaluate};
use crate::metric::{MetricId, Point, Query, Source, Stat, Statistic};
use crate::time::Timestamp;

/// Values minute by minute; nothing where there is no point.
type Row = Vec<Option<f64>>;

/// A missing point.
const GAP: Option<f64> = None;

/// Friday, 1 March 2024, 23:58:00 UTC.
const START_SECS: i64 = 1_709_337_480;

const MINUTES: u32 = 5;

fn start() -> Timestamp {
    Timestamp::from_millis(START_SECS * 1000)
}

fn minute(index: u32) -> Timestamp {
    start().plus(Duration::from_mins(1) * index)
}

fn window() -> Window {
    Window { from: start(), to: minute(MINUTES) }
}

fn stat(name: &str, period: Option<u32>) -> Stat {
    let metric = MetricId::new("Test", name, Vec::new());
    Stat { metric, statistic: Statistic::Average, unit: None, period }
}

fn metric(id: &str) -> Query {
    metric_every(id, Some(60))
}

fn metric_every(id: &str, period: Option<u32>) -> Query {
    let source = Source::Metric(stat(id, period));
    Query { id: id.to_owned(), source, label: None, return_data: Some(false) }
}

fn expression(id: &str, text: &str) -> Query {
    let source = Source::Expression { text: text.to_owned(), period: None };
    Query { id: id.to_owned(), source, label: None, return_data: None }
}

fn points(row: &[Option<f64>]) -> Vec<Point> {
    let points = (0..).zip(row).filter_map(|(index, value)| {
        Some(Point { at: minute(index), value: (*value)?, samples: Some(1.0) })
    });
    points.collect()
}

fn row(series: &Series) -> Row {
    let value = |index| series.points.iter().find(|p| p.at == minute(index)).map(|p| p.value);
    (0..MINUTES).map(value).collect()
}

/// Evaluates one expression over metrics of the given rows. A series gives one row, an array one for each series.
fn eval(text: &str, metrics: &[(&str, Row)]) -> Result<Vec<Row>, MathError> {
    let mut queries: Vec<_> = metrics.iter().map(|(id, _)| metric(id)).collect();
    queries.push(expression("out", text));
    let mut fetch = |stat: &Stat, _| {
        let row = metrics.iter().find(|(id, _)| *id == &*stat.metric.name);
        row.map(|(_, row)| points(row)).unwrap_or_default()
    };
    let mut outcomes = evaluate(&queries, window(), &mut fetch)?;
    assert_eq!(outcomes.len(), 1);
    Ok(match outcomes.remove(0).1 {
        Outcome::Series(series) => vec![row(&series)],
        Outcome::Array(array) => array.iter().map(|(_, series)| row(series)).collect(),
    })
}
