//! What is too old goes, and what is quiet takes no room.

use domain::metric::Statistic;

use super::{START, at, both, read, sample, series, stat};
use crate::memory::SeriesRef;
use crate::tier::Tier;
use crate::{Filter, Resolution};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Rows of the retention table of section 6.2: age, and at which periods the sample can still be read.
#[tokio::test]
async fn old_samples_are_readable_at_the_periods_of_the_book() {
    let rows: [(i64, &[u32]); 7] = [
        (0, &[10, 60, 300, 3600]),
        (3 * HOUR - 60, &[10, 60, 300, 3600]),
        (3 * HOUR + 60, &[60, 300, 3600]),
        (15 * DAY - HOUR, &[60, 300, 3600]),
        (15 * DAY + HOUR, &[300, 3600]),
        (63 * DAY + HOUR, &[3600]),
        (455 * DAY + HOUR, &[]),
    ];
    let both = both();
    for metrics in &both.all {
        metrics.put(vec![sample(&series("M", Resolution::TenSeconds), START, 4.0)]).await.unwrap();
    }
    for (age, periods) in rows {
        both.clock.forward(START + age - both.clock.secs());
        for metrics in &both.all {
            let readable: Vec<u32> = [10, 60, 300, 3600]
                .into_iter()
                .filter(|period| {
                    !read(metrics, &stat("M", Statistic::Sum), *period, 0, HOUR).is_empty()
                })
                .collect();
            assert_eq!(readable, periods, "age {age}");
            let listed = metrics.list(&Filter::default(), None, 9, at(both.clock.secs()));
            assert_eq!(listed.len(), usize::from(age < 14 * DAY));
        }
    }
}

#[tokio::test]
async fn sweeping_moves_rows_on_and_forgets_the_metric_at_last() {
    let both = both();
    let metrics = &both.all[0];
    let key = series("M", Resolution::TenSeconds);
    metrics.put((0..600).map(|step| sample(&key, START + step * 10, 1.0)).collect()).await.unwrap();
    let rows = |tier: Tier| metrics.disk.cells(1, tier, 0, i64::MAX).unwrap().len();
    let counts = || Tier::ALL.map(rows);
    assert_eq!(counts(), [0, 600, 100, 0, 0]);
    for (age, expected) in
        [(5 * HOUR, [0, 0, 100, 0, 0]), (16 * DAY, [0, 0, 0, 20, 0]), (64 * DAY, [0, 0, 0, 0, 2])]
    {
        both.clock.forward(START + age - both.clock.secs());
        metrics.sweep();
        assert_eq!(counts(), expected, "age {age}");
        let sums = read(metrics, &stat("M", Statistic::SampleCount), 3600, 0, 2 * HOUR);
        assert_eq!(sums, [(0, 360.0), (3600, 240.0)]);
    }
    both.clock.forward(456 * DAY);
    metrics.sweep();
    assert_eq!(counts(), [0; 5]);
    assert_eq!(metrics.read_memory().metric_count(), 0);
    let now = both.clock.secs();
    metrics.put(vec![sample(&key, now, 1.0)]).await.unwrap();
    assert_eq!(metrics.list(&Filter::default(), None, 9, at(now)).len(), 1);
}

#[tokio::test]
async fn months_of_idleness_are_one_cell_in_memory_and_a_row_a_day() {
    let both = both();
    let metrics = &both.all[0];
    let key = series("M", Resolution::Minute);
    for minute in 0..3 * 1440 {
        both.clock.forward(60);
        metrics.idle(vec![key.clone()], at(START + minute * 60));
    }
    let cells = {
        let memory = metrics.read_memory();
        memory
            .series(SeriesRef { slot: 0, unit: 0 })
            .unwrap()
            .lane(Tier::Minute)
            .unwrap()
            .cells()
            .len()
    };
    assert!(cells <= 2, "{cells}");
    metrics.flush().await.unwrap();
    assert_eq!(metrics.disk.cells(1, Tier::Minute, 0, i64::MAX).unwrap().len(), 3);
    let counts = read(metrics, &stat("M", Statistic::SampleCount), 3600, 0, 72 * HOUR);
    assert_eq!(counts.len(), 72);
    assert!(counts.iter().all(|(_, count)| (count - 60.0).abs() < f64::EPSILON), "{counts:?}");
}
