//! The rules against the truth tables of section 6.4, and what holds for any datapoints.

use proptest::prelude::*;

use super::*;
use crate::alarm::{Comparison, LowSamples, REASON_DATA_CHARS_MAX, Watch};
use crate::metric::{MetricId, Source, Stat};

/// An alarm above 50 of the average of one metric, by the minute.
pub(in crate::alarm) fn config(
    periods: u32,
    needed: Option<u32>,
    treat: Option<TreatMissing>,
) -> Config {
    Config {
        description: None,
        actions_enabled: true,
        ok_actions: Vec::new(),
        alarm_actions: Vec::new(),
        insufficient_data_actions: Vec::new(),
        watch: Watch::Metric(Stat {
            metric: MetricId::new("Shop", "Queue", Vec::new()),
            statistic: Statistic::Average,
            unit: None,
            period: Some(60),
        }),
        evaluation_periods: periods,
        datapoints_to_alarm: needed,
        threshold: 50.0,
        comparison: Comparison::GreaterThanThreshold,
        treat_missing: treat,
        evaluate_low_samples: None,
        kept: crate::members::Members::default(),
    }
}

pub(in crate::alarm) fn in_state(config: Config, value: StateValue) -> Alarm {
    let mut alarm = Alarm::create("watched".into(), config, Timestamp::default());
    alarm.state.value = value;
    alarm
}

const NOW: Timestamp = Timestamp::from_millis(1_789_614_216_050);

/// Datapoints as the tables draw them, the newest last: `0` sound, `X` breaching, `-` missing.
fn drawn(config: &Config, drawing: &str) -> Vec<Point> {
    let (_, to) = config.needed_window(NOW, Duration::ZERO);
    let marks: Vec<&str> = drawing.split(' ').collect();
    let count = i64::try_from(marks.len()).unwrap();
    let at = |index: usize| {
        let back = (count - i64::try_from(index).unwrap()) * i64::from(config.period_secs()) * 1000;
        Timestamp::from_millis(to.as_millis() - back)
    };
    let point = |(index, mark): (usize, &&str)| {
        let value = match *mark {
            "0" => 0.0,
            "X" => 100.0,
            _ => return None,
        };
        Some(Point { at: at(index), value, samples: Some(1.0) })
    };
    marks.iter().enumerate().filter_map(point).collect()
}

fn reached(config: &Config, before: StateValue, drawing: &str) -> StateValue {
    let points = drawn(config, drawing);
    evaluate(&in_state(config.clone(), before), &points, NOW, Duration::ZERO).value
}

const ALL: [StateValue; 3] = [StateValue::Ok, StateValue::Alarm, StateValue::InsufficientData];

#[test]
fn missing_data_is_treated_as_the_tables_say() {
    use StateValue::{Alarm, InsufficientData, Ok};
    let [ok, alarm, insufficient, keep] = [Some(Ok), Some(Alarm), Some(InsufficientData), None];
    let treatments = [
        TreatMissing::Missing,
        TreatMissing::Ignore,
        TreatMissing::Breaching,
        TreatMissing::NotBreaching,
    ];
    let rows = [
        // Section 6.4, 3 of 3.
        (3, "0 - X - X", [ok, ok, ok, ok]),
        (3, "0 - - - -", [ok, ok, ok, ok]),
        (3, "- - - - -", [insufficient, keep, alarm, ok]),
        (3, "0 X X - X", [alarm, alarm, alarm, alarm]),
        (3, "- - X - -", [alarm, keep, alarm, ok]),
        // Section 6.4, 2 of 3.
        (2, "0 - X - X", [alarm, alarm, alarm, alarm]),
        (2, "0 0 X 0 X", [alarm, alarm, alarm, alarm]),
        (2, "0 - X - -", [ok, ok, alarm, ok]),
        (2, "- - - - 0", [ok, ok, alarm, ok]),
        (2, "- - - X -", [alarm, keep, alarm, ok]),
        // The rule against early alarms: breaching points in the newest periods only do not alarm yet.
        (3, "- - - - X", [keep, keep, alarm, ok]),
        (3, "- - - X -", [keep, keep, alarm, ok]),
        (3, "- - - X X", [keep, keep, alarm, ok]),
        (3, "- - X - X", [alarm, keep, alarm, ok]),
        (3, "X X X X X", [alarm, alarm, alarm, alarm]),
        (2, "- - - X X", [alarm, alarm, alarm, alarm]),
        (1, "- - - - X", [alarm, alarm, alarm, alarm]),
        (1, "X 0 0 0 0", [ok, ok, ok, ok]),
    ];
    for (needed, drawing, expected) in rows {
        for (treat, expected) in treatments.into_iter().zip(expected) {
            for before in ALL {
                let config = config(3, Some(needed), Some(treat));
                let found = reached(&config, before, drawing);
                assert_eq!(
                    found,
                    expected.unwrap_or(before),
                    "{needed} of 3: {drawing} {treat:?} {before:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_not_given_has_amazons_defaults() {
    // Section 2.2: DatapointsToAlarm absent means all, TreatMissingData absent means `missing`.
    let plain = config(3, None, None);
    for drawing in ["0 - X - X", "0 - - - -", "- - - - -", "0 X X - X", "- - X - -", "- - - - X"] {
        let spelt = config(3, Some(3), Some(TreatMissing::Missing));
        let before = StateValue::Ok;
        assert_eq!(reached(&plain, before, drawing), reached(&spelt, before, drawing), "{drawing}");
    }
    // Section 6.4: DynamoDB's are ignored, unless the alarm says otherwise.
    let mut sparse = config(3, None, None);
    let Watch::Metric(stat) = &mut sparse.watch else { panic!("a metric") };
    stat.metric = MetricId::new("AWS/DynamoDB", "ConsumedReadCapacityUnits", Vec::new());
    assert_eq!(reached(&sparse, StateValue::Ok, "- - - - -"), StateValue::Ok);
    sparse.treat_missing = Some(TreatMissing::Breaching);
    assert_eq!(reached(&sparse, StateValue::Ok, "- - - - -"), StateValue::Alarm);
}

#[test]
fn a_low_alarm_waits_for_its_last_datapoint() {
    // Section 6.4, recorded: 30 periods of 20 s, every datapoint breaching.
    let mut low = config(30, None, None);
    low.comparison = Comparison::LessThanThreshold;
    let Watch::Metric(stat) = &mut low.watch else { panic!("a metric") };
    stat.period = Some(20);
    for count in 1..=30 {
        let drawing = vec!["0"; count].join(" ");
        let expected = if count < 30 { StateValue::InsufficientData } else { StateValue::Alarm };
        assert_eq!(reached(&low, StateValue::InsufficientData, &drawing), expected, "{count}");
    }
    // And the high alarm of the same target goes OK on its first.
    assert_eq!(reached(&config(3, None, None), StateValue::InsufficientData, "0"), StateValue::Ok);
}

#[test]
fn windows_hold_whole_periods_that_have_settled() {
    let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
    let of = |period: u32, periods: u32| {
        let mut config = config(periods, None, None);
        let Watch::Metric(stat) = &mut config.watch else { panic!("a metric") };
        stat.period = Some(period);
        config
    };
    // Period, N, now, settle: the window, the range and the cadence.
    let rows = [
        (60, 3, 600, 0, (300, 600), 5, 60),
        (60, 3, 659, 0, (300, 600), 5, 60),
        (60, 3, 604, 5, (240, 540), 5, 60),
        (60, 15, 1200, 0, (180, 1200), 17, 60),
        (300, 1, 1000, 0, (0, 900), 3, 60),
        (10, 3, 105, 5, (10, 100), 9, 10),
        (10, 90, 2000, 0, (1040, 2000), 96, 10),
        (20, 3, 107, 7, (-20, 100), 6, 10),
        (30, 2, 59, 0, (-90, 30), 4, 10),
        (86_400, 7, 86_400 * 20, 1, (86_400 * 10, 86_400 * 19), 9, 60),
    ];
    for (period, periods, now, settle, (from, to), range, cadence) in rows {
        let config = of(period, periods);
        let found = config.needed_window(at(now), Duration::from_secs(settle));
        assert_eq!(found, (at(from), at(to)), "{period} x {periods} at {now}");
        assert_eq!(config.evaluation_range(), range);
        assert_eq!(config.cadence(), Duration::from_secs(cadence));
        assert_eq!(config.period(), Duration::from_secs(u64::from(period)));
    }
}

#[test]
fn percentiles_of_few_samples_are_ignored_where_that_is_asked_for() {
    // Section 6.4: 10/(1-p) from p50 on, 10/p below.
    let rows = [
        (90.0, 99.0, true),
        (90.0, 100.0, false),
        (99.0, 999.0, true),
        (99.0, 1000.0, false),
        (99.9, 9999.0, true),
        (99.9, 10_000.0, false),
        (50.0, 19.0, true),
        (50.0, 20.0, false),
        (10.0, 99.0, true),
        (10.0, 100.0, false),
        (0.0, 1.0, false),
        (100.0, 1.0, false),
    ];
    for (rank, samples, few) in rows {
        let mut config = config(1, None, None);
        let Watch::Metric(stat) = &mut config.watch else { panic!("a metric") };
        stat.statistic = Statistic::Percentile(rank);
        let mut points = drawn(&config, "X");
        for point in &mut points {
            point.samples = Some(samples);
        }
        for (low, ignored) in [(LowSamples::Ignore, few), (LowSamples::Evaluate, false)] {
            config.evaluate_low_samples = Some(low);
            let alarm = in_state(config.clone(), StateValue::Ok);
            let found = evaluate(&alarm, &points, NOW, Duration::ZERO);
            assert_eq!(found.why == Why::TooFewSamples, ignored, "p{rank} of {samples}, {low:?}");
            assert_eq!(found.value == StateValue::Ok, ignored);
        }
    }
}

#[test]
fn an_evaluation_carries_what_scaling_goes_by() {
    let alarm = in_state(config(3, None, None), StateValue::Alarm);
    let points = drawn(&alarm.config, "X - X - X");
    let found = evaluate(&alarm, &points, NOW, Duration::ZERO);
    assert_eq!((found.value, &found.state, found.why), (StateValue::Alarm, &None, Why::Datapoints));
    assert_eq!(found.values().collect::<Vec<_>>(), [100.0; 3]);
    assert_eq!((found.threshold, found.evaluated_at), (50.0, NOW));
    assert_eq!((found.breaching, found.missing, found.needed), (3, 0, 3));
}

fn any_config() -> impl Strategy<Value = Config> {
    let words = (
        proptest::sample::select(Comparison::ALL),
        proptest::option::of(proptest::sample::select(TreatMissing::ALL)),
        proptest::option::of(proptest::sample::select(LowSamples::ALL)),
        proptest::sample::select(vec![10_u32, 20, 30, 60, 300, 86_400]),
        proptest::sample::select(vec![Statistic::Sum, Statistic::Percentile(90.0)]),
    );
    (words, 1..120_u32, proptest::option::of(1..120_u32), any::<f64>(), any::<bool>()).prop_map(
        |((comparison, treat, low, period, statistic), periods, needed, threshold, math)| {
            let mut config = config(periods, needed, treat);
            let Watch::Metric(stat) = &mut config.watch else { panic!("a metric") };
            (stat.period, stat.statistic) = (Some(period), statistic);
            if math {
                let source = Source::Metric(stat.clone());
                let (id, label) = ("m1".to_owned(), None);
                config.watch = Watch::Math(vec![crate::metric::Query {
                    id,
                    source,
                    label,
                    return_data: None,
                }]);
            }
            Config { comparison, threshold, evaluate_low_samples: low, ..config }
        },
    )
}

/// Datapoints within and around the periods of an alarm, in any order.
fn any_points() -> impl Strategy<Value = Vec<Point>> {
    let spans = prop_oneof![-200_000..20_000_i64, -20_000_000..1_000_i64, any::<i64>()];
    let point = (spans, any::<f64>(), proptest::option::of(any::<f64>())).prop_map(
        |(span, value, samples)| {
            let at = Timestamp::from_millis(NOW.as_millis().saturating_add(span));
            Point { at, value, samples }
        },
    );
    proptest::collection::vec(point, 0..150)
}

proptest! {
    #[test]
    fn any_datapoints_lead_to_a_state_within_bounds(
        config in any_config(), points in any_points(), sorted: bool, before in 0..3_usize, settle in 0..40_u64,
    ) {
        let mut points = points;
        if sorted {
            points.sort_by_key(|point| point.at);
        }
        let alarm = in_state(config, ALL[before]);
        let found = evaluate(&alarm, &points, NOW, Duration::from_secs(settle));
        prop_assert!(found.recent.len() <= alarm.config.evaluation_periods as usize);
        prop_assert_eq!(found.state.is_some(), found.value != alarm.state.value);
        let Some(state) = &found.state else { return Ok(()) };
        prop_assert_eq!(state.value, found.value);
        prop_assert!(state.reason.len() <= 1023, "{}", state.reason);
        let data = state.reason_data.as_deref().unwrap();
        prop_assert!(data.len() <= REASON_DATA_CHARS_MAX);
        prop_assert!(serde_json::from_str::<serde_json::Value>(data).is_ok(), "{}", data);
        // A state that was entered is stayed in.
        let entered = alarm.enter(state.clone());
        prop_assert_eq!(evaluate(&entered, &points, NOW, Duration::from_secs(settle)).state, None);
    }

    #[test]
    fn only_datapoints_within_the_window_count(
        config in any_config(), points in any_points(), settle in 0..40_u64,
    ) {
        let mut points = points;
        points.sort_by_key(|point| point.at);
        let settle = Duration::from_secs(settle);
        let (from, to) = config.needed_window(NOW, settle);
        let alarm = in_state(config, StateValue::InsufficientData);
        let inside: Vec<Point> = points.iter().copied().filter(|point| (from..to).contains(&point.at)).collect();
        let whole = format!("{:?}", evaluate(&alarm, &points, NOW, settle));
        prop_assert_eq!(whole, format!("{:?}", evaluate(&alarm, &inside, NOW, settle)));
    }

    #[test]
    fn a_breaching_datapoint_more_never_makes_an_alarm_ok(
        slots in proptest::collection::vec(proptest::sample::select(vec!["0", "X", "-"]), 1..12),
        periods in 1..8_u32, needed in 1..8_u32, treat in proptest::sample::select(TreatMissing::ALL),
        which: proptest::sample::Index, before in 0..3_usize,
    ) {
        let config = config(periods, Some(needed.min(periods)), Some(treat));
        let mut slots = slots;
        let first = reached(&config, ALL[before], &slots.join(" "));
        let index = which.index(slots.len());
        slots[index] = "X";
        let second = reached(&config, ALL[before], &slots.join(" "));
        prop_assert!(first != StateValue::Alarm || second != StateValue::Ok, "{:?}", slots);
    }
}
