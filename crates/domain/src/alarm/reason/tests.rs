//! The texts of section 6.5, with other values; for filled-in data and five datapoints, what the service was seen to say.

use std::time::Duration;

use super::super::evaluate::tests::{config, in_state};
use super::super::{Comparison, evaluate};
use super::*;

/// 2026-09-17T03:00:00Z.
const NOW: i64 = 1_789_614_000_000;

/// The reason of an alarm by the minute that left another state for the one of these values, oldest first.
fn reason(config: &Config, values: &[f64]) -> String {
    let newest = i64::try_from(values.len()).unwrap();
    let at = |index: usize| NOW - (newest - i64::try_from(index).unwrap()) * 60_000;
    let point = |(index, value): (usize, &f64)| Point {
        at: Timestamp::from_millis(at(index)),
        value: *value,
        samples: Some(1.0),
    };
    let points: Vec<Point> = values.iter().enumerate().map(point).collect();
    let now = Timestamp::from_millis(NOW);
    let mut reasons = [StateValue::Ok, StateValue::Alarm].into_iter().filter_map(|before| {
        let alarm = in_state(config.clone(), before);
        evaluate(&alarm, &points, now, Duration::ZERO).state.map(|state| state.reason)
    });
    reasons.next_back().unwrap()
}

fn above(threshold: f64, config: Config) -> Config {
    Config { threshold, ..config }
}

fn by(comparison: Comparison, threshold: f64, config: Config) -> Config {
    Config { threshold, comparison, ..config }
}

fn check(rows: &[(Config, Vec<f64>, &str)]) {
    for (config, values, expected) in rows {
        assert_eq!(reason(config, values), *expected);
    }
}

#[test]
fn a_few_datapoints_are_all_listed() {
    let rows = [
        (
            above(21.0, config(1, None, None)),
            vec![21.5],
            "Threshold Crossed: 1 datapoint [21.5 (17/09/26 02:59:00)] was greater than the threshold (21.0).",
        ),
        (
            by(Comparison::GreaterThanOrEqualToThreshold, 7.0, config(3, Some(3), None)),
            vec![9.0, 9.72, 8.89],
            "Threshold Crossed: 3 out of the last 3 datapoints [8.89 (17/09/26 02:59:00), 9.72 (17/09/26 02:58:00), \
             9.0 (17/09/26 02:57:00)] were greater than or equal to the threshold (7.0) (minimum 3 datapoints for \
             OK -> ALARM transition).",
        ),
        (
            above(50.0, config(3, None, None)),
            vec![51.0, 52.0, 1e7],
            "Threshold Crossed: 3 datapoints [1.0E7 (17/09/26 02:59:00), 52.0 (17/09/26 02:58:00), 51.0 (17/09/26 \
             02:57:00)] were greater than the threshold (50.0).",
        ),
        (
            above(50.0, config(3, None, None)),
            vec![0.293_068_826_198_577_9],
            "Threshold Crossed: 1 datapoint [0.2930688261985779 (17/09/26 02:59:00)] was not greater than the \
             threshold (50.0).",
        ),
        (
            above(63.0, config(2, Some(2), None)),
            vec![70.0, 60.5],
            "Threshold Crossed: 1 out of the last 2 datapoints [60.5 (17/09/26 02:59:00)] was not greater than the \
             threshold (63.0) (minimum 1 datapoint for ALARM -> OK transition).",
        ),
        (
            by(Comparison::LessThanOrEqualToThreshold, 1.0, config(2, Some(2), None)),
            vec![3.0, 3.0],
            "Threshold Crossed: 2 out of the last 2 datapoints [3.0 (17/09/26 02:59:00), 3.0 (17/09/26 02:58:00)] \
             were not less than or equal to the threshold (1.0) (minimum 1 datapoint for ALARM -> OK transition).",
        ),
    ];
    check(&rows);
}

#[test]
fn of_many_datapoints_the_newest_are_listed() {
    let rows = [
        (
            config(6, None, None),
            vec![51.0, 52.0, 53.0, 54.0, 55.0, 56.0],
            "Threshold Crossed: 6 datapoints were greater than the threshold (50.0). The most recent datapoints which \
             crossed the threshold: [56.0 (17/09/26 02:59:00), 55.0 (17/09/26 02:58:00), 54.0 (17/09/26 02:57:00), \
             53.0 (17/09/26 02:56:00), 52.0 (17/09/26 02:55:00)].",
        ),
        (
            config(5, Some(5), None),
            vec![51.0; 5],
            "Threshold Crossed: 5 out of the last 5 datapoints were greater than the threshold (50.0). The most \
             recent datapoints which crossed the threshold: [51.0 (17/09/26 02:59:00), 51.0 (17/09/26 02:58:00), \
             51.0 (17/09/26 02:57:00), 51.0 (17/09/26 02:56:00), 51.0 (17/09/26 02:55:00)] (minimum 5 datapoints for \
             OK -> ALARM transition).",
        ),
    ];
    check(&rows);
}

#[test]
fn missing_data_is_named_where_it_is_filled_in() {
    let rows = [
        (
            config(20, Some(1), Some(TreatMissing::NotBreaching)),
            vec![613.0],
            "Threshold Crossed: 1 out of the last 20 datapoints [613.0 (17/09/26 02:59:00)] was greater than the \
             threshold (50.0) and 19 missing datapoints were treated as [NonBreaching] (minimum 1 datapoint for OK \
             -> ALARM transition).",
        ),
        (
            config(2, None, Some(TreatMissing::Breaching)),
            vec![1.0],
            "Threshold Crossed: 1 datapoint [1.0 (17/09/26 02:59:00)] was not greater than the threshold (50.0) and \
             1 missing datapoint was treated as [Breaching].",
        ),
        (
            config(2, None, Some(TreatMissing::Breaching)),
            vec![],
            "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as \
             [Breaching].",
        ),
        (
            config(1, None, Some(TreatMissing::NotBreaching)),
            vec![],
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as \
             [NonBreaching].",
        ),
        (
            config(3, Some(2), Some(TreatMissing::Breaching)),
            vec![0.0],
            "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as \
             [Breaching].",
        ),
        (config(1, None, None), vec![], "Insufficient Data: 1 datapoint was unknown."),
        (config(3, None, None), vec![], "Insufficient Data: 3 datapoints were unknown."),
    ];
    check(&rows);
}
