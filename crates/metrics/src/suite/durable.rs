//! What was answered is there after a crash, and what cannot be kept is refused whole.

use std::path::Path;
use std::sync::Arc;

use domain::metric::Statistic;
use domain::time::Clock;

use super::{Hand, START, at, read, sample, series, stat};
use crate::{Error, Filter, Metrics, Resolution};

fn open(folder: &Path, clock: &Arc<Hand>) -> Metrics {
    Metrics::open(folder, Arc::clone(clock) as Arc<dyn Clock>).unwrap()
}

/// What `kill -9` at this moment would leave.
fn killed(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["metrics.sqlite", "metrics.sqlite-wal"] {
        std::fs::copy(folder.join(file), copy.path().join(file)).unwrap();
    }
    copy
}

#[tokio::test]
async fn what_was_put_survives_a_kill_and_so_does_what_was_recorded_before_it() {
    let (clock, folder) = (Hand::at(START), tempfile::tempdir().unwrap());
    let metrics = open(folder.path(), &clock);
    let (fine, coarse) =
        (series("Fine", Resolution::TenSeconds), series("Coarse", Resolution::Minute));
    metrics.record(vec![sample(&fine, START - 15, 4.0)]);
    for minute in 1..=10 {
        metrics.idle(vec![coarse.clone()], at(START - minute * 60));
    }
    metrics
        .put(vec![sample(&coarse, START - 300, 9.0), sample(&fine, START - 7200, 1.0)])
        .await
        .unwrap();

    let copy = killed(folder.path());
    let again = open(copy.path(), &clock);
    for (name, period) in [("Fine", 10), ("Fine", 60), ("Coarse", 60), ("Coarse", 300)] {
        for statistic in [Statistic::Sum, Statistic::SampleCount, Statistic::Percentile(50.0)] {
            let stat = stat(name, statistic);
            let before = read(&metrics, &stat, period, -7200, 0);
            assert!(!before.is_empty());
            assert_eq!(read(&again, &stat, period, -7200, 0), before, "{name} {statistic}");
        }
    }
    let list = |metrics: &Metrics| metrics.list(&Filter::default(), None, 10, at(START));
    assert_eq!(list(&again), list(&metrics));
}

#[tokio::test]
async fn it_goes_on_where_it_ended() {
    let (clock, folder) = (Hand::at(START), tempfile::tempdir().unwrap());
    let key = series("M", Resolution::TenSeconds);
    for round in 0..5 {
        let metrics = open(folder.path(), &clock);
        metrics.idle(vec![key.clone()], at(clock.secs() - 30));
        metrics.record(vec![sample(&key, clock.secs() - 60, 1.0)]);
        clock.forward(60);
        // Dropping it writes what waits.
        drop(metrics);
        let sums =
            read(&open(folder.path(), &clock), &stat("M", Statistic::Sum), 3600, -3600, 3600);
        let sum: f64 = sums.iter().map(|(_, sum)| sum).sum();
        assert!((sum - f64::from(round + 1)).abs() < f64::EPSILON, "{sums:?}");
    }
}

#[tokio::test]
async fn a_full_disk_refuses_a_put_whole_and_takes_the_next_when_there_is_room() {
    let (clock, folder) = (Hand::at(START), tempfile::tempdir().unwrap());
    let metrics = open(folder.path(), &clock);
    let key = series("M", Resolution::Minute);
    metrics.put(vec![sample(&key, START - 60, 1.0)]).await.unwrap();
    metrics.disk.limit_pages(Some(8));
    let many: Vec<_> = (0..2000)
        .map(|number| sample(&series(&format!("New{number}"), Resolution::Minute), START - 60, 1.0))
        .chain([sample(&key, START - 60, 100.0)])
        .collect();
    assert_eq!(metrics.put(many.clone()).await, Err(Error::Full));
    let sum = stat("M", Statistic::Sum);
    assert_eq!(read(&metrics, &sum, 60, -60, 0), [(-60, 1.0)]);
    assert_eq!(metrics.list(&Filter::default(), None, 5000, at(START)).len(), 1);

    // What is recorded meanwhile is seen, and written later.
    metrics.record(many[..1500].to_vec());
    assert_eq!(metrics.flush().await, Err(Error::Full));
    assert_eq!(metrics.list(&Filter::default(), None, 5000, at(START)).len(), 1501);
    metrics.disk.limit_pages(None);
    metrics.put(vec![sample(&key, START - 60, 2.0)]).await.unwrap();
    let again = open(killed(folder.path()).path(), &clock);
    assert_eq!(read(&again, &sum, 60, -60, 0), [(-60, 3.0)]);
    assert_eq!(again.list(&Filter::default(), None, 5000, at(START)).len(), 1501);
}

#[test]
fn another_programs_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.sqlite");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    let error = Metrics::open(folder.path(), Hand::at(START)).unwrap_err().to_string();
    assert!(error.contains("another program"), "{error}");
}
