//! Metric-math expressions, checked and evaluated.

use domain::metric::math::{Window, check, evaluate};
use domain::metric::{MetricId, Point, Query, Source, Stat, Statistic};
use domain::time::Timestamp;

/// One expression over the metrics `m1` and `m2`.
pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let metric = |id: &str| Query {
        id: id.to_owned(),
        source: Source::Metric(Stat {
            metric: MetricId::new("N", id, Vec::new()),
            statistic: Statistic::Average,
            unit: None,
            period: Some(60),
        }),
        label: None,
        return_data: Some(false),
    };
    let expression = Query {
        id: "e".to_owned(),
        source: Source::Expression { text: text.to_owned(), period: None },
        label: None,
        return_data: Some(true),
    };
    let queries = [metric("m1"), metric("m2"), expression];
    if check(&queries, false).is_err() {
        return;
    }
    let at = Timestamp::from_millis;
    let window = Window { from: at(0), to: at(600_000) };
    let point = |minute: i32| Point {
        at: at(i64::from(minute) * 60_000),
        value: f64::from(minute) - 3.0,
        samples: Some(1.0),
    };
    let _ = evaluate(&queries, window, &mut |_, _| (0..10).map(point).collect());
}
