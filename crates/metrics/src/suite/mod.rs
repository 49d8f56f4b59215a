//! What metrics promise, on disk and in memory.

mod basics;
mod bounds;
mod data;
mod durable;
mod model;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::metric::{Dimension, Distribution, MetricId, Point, Stat, Statistic, Unit};
use domain::time::{Clock, Timestamp};

use crate::{Metrics, Resolution, Sample, SeriesKey};

/// A moment on the grid of hours: 2025-03-01T00:00:00Z.
const START: i64 = 1_740_787_200;

/// Time that stands still until it is told otherwise.
#[derive(Debug, Default)]
struct Hand(AtomicI64);

impl Hand {
    fn at(secs: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(secs)))
    }

    fn secs(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn forward(&self, secs: i64) {
        self.0.fetch_add(secs, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        at(self.secs())
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }
}

/// Both kinds of metrics; the folder lives as long as the one on disk.
struct Both {
    clock: Arc<Hand>,
    all: [Metrics; 2],
    _folder: tempfile::TempDir,
}

fn both() -> Both {
    let clock = Hand::at(START);
    let folder = tempfile::tempdir().unwrap();
    let all = [
        Metrics::in_memory(Arc::clone(&clock) as Arc<dyn Clock>).unwrap(),
        Metrics::open(folder.path(), Arc::clone(&clock) as Arc<dyn Clock>).unwrap(),
    ];
    Both { clock, all, _folder: folder }
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(secs * 1000)
}

fn metric(name: &str) -> MetricId {
    let dimension = Dimension { name: "Queue".into(), value: "orders".into() };
    MetricId::new("Shop", name, vec![dimension])
}

fn series(name: &str, resolution: Resolution) -> SeriesKey {
    SeriesKey { metric: metric(name), unit: Unit::Count, resolution }
}

fn sample(series: &SeriesKey, secs: i64, value: f64) -> Sample {
    Sample { series: series.clone(), at: at(secs), values: Distribution::of(value, 1.0) }
}

fn stat(name: &str, statistic: Statistic) -> Stat {
    Stat { metric: metric(name), statistic, unit: None, period: Some(60) }
}

/// Points as seconds since the start, and values.
fn plain(points: &[Point]) -> Vec<(i64, f64)> {
    points.iter().map(|point| (point.at.as_millis() / 1000 - START, point.value)).collect()
}

fn read(metrics: &Metrics, stat: &Stat, period: u32, from: i64, to: i64) -> Vec<(i64, f64)> {
    plain(&metrics.points(stat, period, at(START + from), at(START + to)).unwrap())
}
