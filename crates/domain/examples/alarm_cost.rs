//! What evaluating an alarm costs that stays in its state: `cargo run -p domain --release --example alarm_cost`.

use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use domain::alarm::{Alarm, Request, StateValue, evaluate};
use domain::metric::Point;
use domain::time::Timestamp;

const ROUNDS: u32 = 2_000_000;

#[expect(clippy::disallowed_methods, reason = "this measures real time")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout();
    let now = Timestamp::from_millis(1_789_614_216_050);
    for (period, periods, gaps) in
        [(60, 3, false), (60, 15, false), (60, 15, true), (10, 90, false)]
    {
        let request = Request {
            name: "low".to_owned(),
            metric_name: Some("InvocationsPerInstance".to_owned()),
            namespace: Some("AWS/SageMaker".to_owned()),
            statistic: Some("Sum".to_owned()),
            period: Some(period),
            evaluation_periods: Some(periods),
            threshold: Some(9.0),
            comparison: Some("LessThanThreshold".to_owned()),
            ..Request::default()
        };
        let (name, config) = request.accept()?;
        let mut alarm = Alarm::create(name, config, now);
        alarm.state.value = StateValue::Alarm;
        let (from, to) = alarm.config.needed_window(now, Duration::ZERO);
        let step = usize::try_from(period)? * 1000 * if gaps { 2 } else { 1 };
        let starts = (from.as_millis()..to.as_millis()).step_by(step);
        let point = |at| Point { at: Timestamp::from_millis(at), value: 1.0, samples: Some(1.0) };
        let points: Vec<Point> = starts.map(point).collect();
        let started = Instant::now();
        for _ in 0..ROUNDS {
            let found = evaluate(black_box(&alarm), black_box(&points), now, Duration::ZERO);
            assert!(black_box(&found).state.is_none());
        }
        let each = started.elapsed() / ROUNDS;
        writeln!(out, "{periods} periods of {period} s, gaps {gaps}: {each:?}")?;
    }
    Ok(())
}
