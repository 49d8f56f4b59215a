//! Whatever comes in whatever order: the same as a list of values would answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::metric::Statistic;
use domain::time::Clock;
use proptest::prelude::*;

use super::{Hand, START, at, read, sample, series, stat};
use crate::tier::start_of;
use crate::{Metrics, Resolution, Sample};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Names of series with the resolutions of their samples; the last has idle zeros of neither.
const SERIES: [(&str, &[Resolution]); 4] = [
    ("minutes", &[Resolution::Minute]),
    ("tens", &[Resolution::TenSeconds]),
    ("seconds", &[Resolution::Second]),
    ("mixed", &[Resolution::Minute, Resolution::TenSeconds, Resolution::Second]),
];

const PERIODS: [u32; 7] = [1, 5, 10, 60, 300, 900, 3600];

#[derive(Debug, Clone)]
enum Step {
    /// Samples of one series: which resolution, how long ago, what.
    Put(usize, Vec<(usize, i64, i32)>),
    Record(usize, usize, i64, i32),
    Idle(usize, i64),
    Forward(i64),
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    // Most of it around now and around the edge of memory, some where rows move on.
    let ago = prop_oneof![
        8 => 0..5 * MINUTE,
        4 => 25 * MINUTE..35 * MINUTE,
        2 => 2 * HOUR..4 * HOUR,
        1 => 14 * DAY - HOUR..15 * DAY + 2 * HOUR,
    ];
    let value = 0..40;
    let one = (0..3_usize, ago.clone(), value.clone());
    prop_oneof![
        4 => (0..4_usize, prop::collection::vec(one, 1..5)).prop_map(|(s, samples)| Step::Put(s, samples)),
        4 => (0..4_usize, 0..3_usize, ago, value).prop_map(|(s, r, ago, v)| Step::Record(s, r, ago, v)),
        6 => (0..3_usize, 0..40 * MINUTE).prop_map(|(s, ago)| Step::Idle(s, ago)),
        2 => prop_oneof![4 => 0..10 * MINUTE, 2 => 0..4 * HOUR, 1 => 0..16 * DAY, 1 => 0..80 * DAY].prop_map(Step::Forward),
        1 => Just(Step::Sweep),
    ]
}

/// One sample that was taken: when, with which resolution, and how old it was then.
#[derive(Debug, Clone)]
struct Taken {
    secs: i64,
    resolution: Resolution,
    age: i64,
    value: f64,
}

#[derive(Debug, Default)]
struct Model {
    taken: [Vec<Taken>; 4],
    /// Native buckets that were marked as idle while they had no sample, or before.
    idle: [BTreeSet<i64>; 4],
}

const fn secs_of(resolution: Resolution) -> i64 {
    match resolution {
        Resolution::Second => 1,
        Resolution::TenSeconds => 10,
        Resolution::Minute => MINUTE,
    }
}

impl Model {
    fn add(&mut self, which: usize, sample: &Sample, now: i64) {
        let secs = sample.at.as_millis() / 1000;
        let (resolution, value) = (sample.series.resolution, sample.values.summary().sum);
        self.taken[which].push(Taken { secs, resolution, age: now - secs, value });
    }

    /// Values by period, as section 6.2 says what is kept for how long.
    fn values(&self, which: usize, period: i64, now: i64) -> BTreeMap<i64, Vec<f64>> {
        let native = secs_of(SERIES[which].1[0]);
        let real = &self.taken[which];
        // A sample that comes when its fine bucket is not kept any more does not know that there was a zero.
        let replaces = |taken: &Taken| native == MINUTE || taken.age < 3 * HOUR;
        let has =
            |at: i64| move |taken: &Taken| start_of(taken.secs, native) == at && replaces(taken);
        let zeros = self.idle[which]
            .iter()
            .filter(|at| !real.iter().any(has(**at)))
            .map(|at| Taken { secs: *at, resolution: SERIES[which].1[0], age: 0, value: 0.0 });
        let fine = real.iter().any(|taken| taken.resolution != Resolution::Minute)
            || (native < MINUTE && !self.idle[which].is_empty());
        let mut values: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for taken in real.iter().cloned().chain(zeros) {
            let step = secs_of(taken.resolution);
            let (shown_at, visible) = if period < MINUTE && fine {
                let at = start_of(taken.secs, step);
                let kept = taken.age < 3 * HOUR && at >= now - 3 * HOUR;
                (at, kept && step < MINUTE && period % step == 0)
            } else if period % HOUR == 0 {
                let at = start_of(taken.secs, HOUR);
                (at, at >= now - 455 * DAY)
            } else if period % 300 == 0 {
                let at = start_of(taken.secs, 300);
                (at, at >= now - 63 * DAY)
            } else {
                let at = start_of(taken.secs, MINUTE);
                (at, taken.age < 15 * DAY && at >= now - 15 * DAY)
            };
            if visible {
                values.entry(start_of(shown_at, period)).or_default().push(taken.value);
            }
        }
        values
    }
}

fn of(statistic: Statistic, values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = f64::from(u32::try_from(values.len()).unwrap());
    match statistic {
        Statistic::SampleCount => count,
        Statistic::Sum => values.iter().sum(),
        Statistic::Average => values.iter().sum::<f64>() / count,
        Statistic::Minimum => sorted[0],
        Statistic::Maximum => sorted[sorted.len() - 1],
        Statistic::Percentile(rank) => {
            let below = |value: f64| -> f64 {
                f64::from(u32::try_from(sorted.iter().filter(|v| **v <= value).count()).unwrap())
            };
            *sorted.iter().find(|v| below(**v) >= rank / 100.0 * count - 1e-9).unwrap()
        }
    }
}

const STATISTICS: [Statistic; 7] = [
    Statistic::SampleCount,
    Statistic::Sum,
    Statistic::Average,
    Statistic::Minimum,
    Statistic::Maximum,
    Statistic::Percentile(50.0),
    Statistic::Percentile(99.0),
];

/// Whether a period that begins then lies on one side of every age at which buckets expire. Of one that does not, a part is
/// kept and a part is not, and whether it is still shown depends on the length of its buckets.
fn certain(at: i64, period: u32, now: i64) -> bool {
    let length = i64::from(period).max(MINUTE);
    let ages = [3 * HOUR, 15 * DAY, 63 * DAY, 455 * DAY];
    ages.iter().all(|age| at + length <= now - age || at > now - age)
}

fn check(metrics: &Metrics, model: &Model, now: i64) {
    for (which, (name, _)) in SERIES.iter().enumerate() {
        for period in PERIODS {
            let values = model.values(which, i64::from(period), now);
            for statistic in STATISTICS {
                let certain = |at: i64| certain(at, period, now);
                let expected = values.iter().filter(|(at, _)| certain(**at));
                let expected: Vec<_> =
                    expected.map(|(at, values)| (at - START, of(statistic, values))).collect();
                let found = read(metrics, &stat(name, statistic), period, -40 * DAY, 9000 * DAY);
                let found: Vec<_> =
                    found.into_iter().filter(|(at, _)| certain(at + START)).collect();
                assert_eq!(found, expected, "{name} {statistic} {period}");
            }
            // A read that lies in memory takes another way.
            let from = start_of(now - 20 * MINUTE, i64::from(period)) - START;
            let expected: Vec<_> = values
                .iter()
                .map(|(at, values)| (at - START, of(Statistic::Sum, values)))
                .filter(|(at, _)| *at >= from)
                .collect();
            let found = read(metrics, &stat(name, Statistic::Sum), period, from, 9000 * DAY);
            assert_eq!(found, expected, "{name} {period} from memory");
        }
    }
}

async fn live(metrics: &Metrics, clock: &Hand, steps: &[Step]) {
    let mut model = Model::default();
    for step in steps {
        let now = clock.secs();
        let make = |which: usize, resolution: usize, ago: i64, value: i32| {
            let resolutions = SERIES[which].1;
            let key = series(SERIES[which].0, resolutions[resolution % resolutions.len()]);
            sample(&key, now - ago, f64::from(value))
        };
        match step {
            Step::Put(which, samples) => {
                let samples: Vec<_> =
                    samples.iter().map(|(r, ago, value)| make(*which, *r, *ago, *value)).collect();
                for sample in &samples {
                    model.add(*which, sample, now);
                }
                metrics.put(samples).await.unwrap();
            }
            Step::Record(which, resolution, ago, value) => {
                let sample = make(*which, *resolution, *ago, *value);
                model.add(*which, &sample, now);
                metrics.record(vec![sample]);
            }
            Step::Idle(which, ago) => {
                let (name, resolutions) = SERIES[*which];
                metrics.idle(vec![series(name, resolutions[0])], at(now - ago));
                if now - ago >= start_of(now, MINUTE) - 30 * MINUTE {
                    model.idle[*which].insert(start_of(now - ago, secs_of(resolutions[0])));
                }
            }
            Step::Forward(secs) => {
                // What is not taken yet would be taken at another time.
                metrics.flush().await.unwrap();
                clock.forward(*secs);
            }
            Step::Sweep => metrics.sweep(),
        }
    }
    metrics.flush().await.unwrap();
    check(metrics, &model, clock.secs());
}

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn in_memory_every_period_and_statistic_is_that_of_the_values(steps in prop::collection::vec(step(), 1..60)) {
        let clock = Hand::at(START);
        let metrics = Metrics::in_memory(Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        run(live(&metrics, &clock, &steps));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn on_disk_every_period_and_statistic_is_that_of_the_values(steps in prop::collection::vec(step(), 1..60)) {
        let (clock, folder) = (Hand::at(START), tempfile::tempdir().unwrap());
        let metrics = Metrics::open(folder.path(), Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        run(live(&metrics, &clock, &steps));
        drop(metrics);
    }
}
