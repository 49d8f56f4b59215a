//! What an alarm's read costs, and what a series takes of memory. Run with `--release`:
//! `cargo run --release -p metrics --example sweep_cost [series]`.

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::metric::{Distribution, MetricId, Stat, Statistic};
use domain::name::{EndpointName, VariantName};
use domain::time::{Clock, Timestamp};
use metrics::{Metrics, Sample, SeriesHandle, SeriesKey, metric_definitions};
use tokio::time::Instant;

const START: i64 = 1_740_787_200;

/// A little more than memory holds.
const MINUTES: i64 = 35;

#[derive(Debug)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::Relaxed))
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(secs * 1000)
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    kib * 1024
}

fn series(variants: usize) -> Vec<SeriesKey> {
    let name = |number| -> (EndpointName, VariantName) {
        let endpoint = format!("endpoint-{number}").parse().expect("a name");
        (endpoint, "AllTraffic".parse().expect("a name"))
    };
    (0..variants)
        .map(name)
        .flat_map(|(endpoint, variant)| {
            let one = metric_definitions::REQUESTS.series(&endpoint, &variant);
            let metric: &MetricId = &one.metric;
            let other = metric_definitions::REQUESTS_PER_INSTANCE.beside(metric);
            [one, other]
        })
        .collect()
}

/// Feeds every series once a minute, and tells what that took.
fn feed(
    metrics: &Metrics,
    clock: &Hand,
    minutes: i64,
    each: impl Fn(i64),
    out: &mut impl Write,
    count: u64,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (before, started) = (resident(), Instant::now());
    for _ in 0..minutes {
        let minute = clock.0.fetch_add(60, Ordering::Relaxed);
        each(minute);
        runtime.block_on(metrics.flush()).map_err(std::io::Error::other)?;
    }
    let taken =
        started.elapsed().as_nanos() / u128::from(count) / u128::from(minutes.unsigned_abs());
    let bytes = resident().saturating_sub(before) / count;
    writeln!(
        out,
        "{minutes} minutes: {taken} ns per series and minute, {bytes} bytes resident per series"
    )
}

fn sweep(
    metrics: &Metrics,
    handles: &[SeriesHandle],
    now: i64,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let mut points = Vec::with_capacity(32);
    for round in 0..3 {
        let (started, mut seen) = (Instant::now(), 0);
        for handle in handles {
            let read = metrics.points_of(handle, 60, at(now - 20 * 60), at(now), &mut points);
            read.map_err(std::io::Error::other)?;
            seen += black_box(&points).len();
        }
        let taken = started.elapsed().as_nanos() / handles.len() as u128;
        writeln!(
            out,
            "round {round}: {taken} ns per points_of, {} points each",
            seen / handles.len()
        )?;
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let wanted: usize =
        std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(200_000);
    let mut out = std::io::stdout().lock();
    let clock = Arc::new(Hand(AtomicI64::new(START)));
    let keys = series(wanted / 2);
    let count = keys.len() as u64;
    for busy in [false, true] {
        let folder = tempfile::tempdir()?;
        let metrics = Metrics::open(folder.path(), Arc::clone(&clock) as Arc<dyn Clock>)
            .map_err(std::io::Error::other)?;
        writeln!(out, "{count} series, {}", if busy { "busy" } else { "idle" })?;
        feed(
            &metrics,
            &clock,
            MINUTES,
            |minute| {
                if busy {
                    let sample = |series: &SeriesKey| Sample {
                        series: series.clone(),
                        at: at(minute),
                        values: Distribution::of(1.0, 600.0),
                    };
                    metrics.record(keys.iter().map(sample).collect());
                } else {
                    metrics.idle(keys.clone(), at(minute));
                }
            },
            &mut out,
            count,
        )?;
        let handles: Vec<SeriesHandle> = keys
            .iter()
            .map(|key| {
                let metric = key.metric.clone();
                metrics.resolve(&Stat {
                    metric,
                    statistic: Statistic::Sum,
                    unit: None,
                    period: Some(60),
                })
            })
            .collect();
        sweep(&metrics, &handles, clock.0.load(Ordering::Relaxed), &mut out)?;
    }
    Ok(())
}
