//! Transitions of native alarms, as their histories recorded them: state, reason and data, to the letter.
//!
//! One metric had the datapoints below, and each alarm N = 3 periods of 10 s. Native evaluations of a metric disregarded
//! periods that had ended less than 10 s before; those of metric math did not.

use std::time::Duration;

use super::tests::{config, in_state};
use super::{StateValue, TreatMissing, Why, evaluate};
use crate::alarm::{Alarm, LowSamples, Watch};
use crate::metric::{Point, Query, Source, Statistic, Unit};
use crate::time::Timestamp;

/// 2026-09-14T05:00:00Z.
const HOUR: i64 = 1_789_362_000_000;
const SETTLE: Duration = Duration::from_secs(10);

/// A minute and a second.
type Time = (i64, i64);

/// When each datapoint was published, its time, and its value.
const POINTS: [(Time, Time, f64); 11] = [
    ((42, 56), (42, 20), 100.0),
    ((42, 56), (42, 30), 0.0),
    ((42, 56), (42, 40), 100.0),
    ((47, 3), (46, 50), 100.0),
    ((49, 39), (49, 0), 0.0),
    ((49, 39), (49, 10), 0.0),
    ((49, 39), (49, 20), 0.0),
    ((51, 44), (50, 50), 0.0),
    ((51, 44), (51, 10), 100.0),
    ((51, 44), (51, 30), 100.0),
    ((54, 30), (54, 10), 0.0),
];

struct Row {
    needed: u32,
    treat: TreatMissing,
    before: StateValue,
    /// Minute and milliseconds of the query.
    at: (i64, i64),
    after: StateValue,
    reason: &'static str,
    start: &'static str,
    recent: &'static str,
    /// Newest first; those with a value had one.
    evaluated: &'static [(&'static str, Option<f64>)],
}

const OK: StateValue = StateValue::Ok;
const ALARM: StateValue = StateValue::Alarm;
const INSUFFICIENT: StateValue = StateValue::InsufficientData;
const MISSING: TreatMissing = TreatMissing::Missing;
const BREACHING: TreatMissing = TreatMissing::Breaching;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { needed: 2, treat: MISSING, before: INSUFFICIENT, at: (42, 57_551), after: OK,
        reason: "Threshold Crossed: 1 out of the last 3 datapoints [0.0 (14/09/26 05:42:30)] was not greater than the threshold (50.0) (minimum 2 datapoints for ALARM -> OK transition).",
        start: "42:20", recent: "100.0,0.0", evaluated: &[("42:30", Some(0.0)), ("42:10", None)] },
    Row { needed: 3, treat: MISSING, before: INSUFFICIENT, at: (42, 58_775), after: OK,
        reason: "Threshold Crossed: 1 out of the last 3 datapoints [0.0 (14/09/26 05:42:30)] was not greater than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition).",
        start: "42:20", recent: "100.0,0.0", evaluated: &[("42:30", Some(0.0))] },
    Row { needed: 3, treat: TreatMissing::Ignore, before: INSUFFICIENT, at: (43, 813), after: OK,
        reason: "Threshold Crossed: 1 out of the last 3 datapoints [0.0 (14/09/26 05:42:30)] was not greater than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition).",
        start: "42:20", recent: "100.0,0.0,100.0", evaluated: &[("42:30", Some(0.0))] },
    Row { needed: 2, treat: MISSING, before: OK, at: (43, 7_551), after: ALARM,
        reason: "Threshold Crossed: 2 out of the last 3 datapoints [100.0 (14/09/26 05:42:40), 100.0 (14/09/26 05:42:20)] were greater than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition).",
        start: "42:20", recent: "100.0,0.0,100.0", evaluated: &[("42:40", Some(100.0)), ("42:20", Some(100.0))] },
    Row { needed: 2, treat: MISSING, before: ALARM, at: (44, 17_553), after: OK,
        reason: "Threshold Crossed: 1 out of the last 3 datapoints [0.0 (14/09/26 05:42:30)] was not greater than the threshold (50.0) (minimum 2 datapoints for ALARM -> OK transition).",
        start: "42:30", recent: "0.0,100.0", evaluated: &[("43:50", None), ("42:30", Some(0.0))] },
    Row { needed: 2, treat: MISSING, before: OK, at: (44, 27_550), after: ALARM,
        reason: "Threshold Crossed: 1 out of the last 3 datapoints [100.0 (14/09/26 05:42:40)] was greater than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition).",
        start: "42:40", recent: "100.0", evaluated: &[("44:00", None), ("42:40", Some(100.0))] },
    Row { needed: 3, treat: MISSING, before: ALARM, at: (44, 38_775), after: INSUFFICIENT,
        reason: "Insufficient Data: 3 datapoints were unknown.",
        start: "", recent: "", evaluated: &[("44:10", None), ("44:00", None), ("43:50", None)] },
    Row { needed: 2, treat: MISSING, before: ALARM, at: (44, 37_552), after: INSUFFICIENT,
        reason: "Insufficient Data: 3 datapoints were unknown.",
        start: "", recent: "", evaluated: &[("44:10", None), ("44:00", None)] },
    Row { needed: 2, treat: MISSING, before: INSUFFICIENT, at: (47, 27_551), after: ALARM,
        reason: "Threshold Crossed: 1 out of the last 3 datapoints [100.0 (14/09/26 05:46:50)] was greater than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition).",
        start: "46:50", recent: "100.0", evaluated: &[("47:00", None), ("46:50", Some(100.0))] },
    Row { needed: 3, treat: MISSING, before: INSUFFICIENT, at: (47, 38_775), after: ALARM,
        reason: "Threshold Crossed: 1 out of the last 3 datapoints [100.0 (14/09/26 05:46:50)] was greater than the threshold (50.0) (minimum 3 datapoints for OK -> ALARM transition).",
        start: "46:50", recent: "100.0", evaluated: &[("47:10", None), ("47:00", None), ("46:50", Some(100.0))] },
    Row { needed: 3, treat: MISSING, before: ALARM, at: (48, 48_774), after: INSUFFICIENT,
        reason: "Insufficient Data: 3 datapoints were unknown.",
        start: "", recent: "", evaluated: &[("48:20", None), ("48:10", None), ("48:00", None)] },
    Row { needed: 3, treat: BREACHING, before: OK, at: (51, 14_474), after: ALARM,
        reason: "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching].",
        start: "", recent: "", evaluated: &[("50:50", None), ("50:40", None), ("50:30", None)] },
    Row { needed: 3, treat: MISSING, before: INSUFFICIENT, at: (51, 48_775), after: OK,
        reason: "Threshold Crossed: 1 out of the last 3 datapoints [0.0 (14/09/26 05:50:50)] was not greater than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition).",
        start: "50:50", recent: "0.0,null,100.0", evaluated: &[("50:50", Some(0.0))] },
    Row { needed: 3, treat: BREACHING, before: ALARM, at: (51, 54_473), after: OK,
        reason: "Threshold Crossed: 1 out of the last 3 datapoints [0.0 (14/09/26 05:50:50)] was not greater than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition).",
        start: "50:50", recent: "0.0,null,100.0,null,100.0", evaluated: &[("50:50", Some(0.0))] },
    Row { needed: 2, treat: MISSING, before: INSUFFICIENT, at: (51, 57_551), after: ALARM,
        reason: "Threshold Crossed: 2 out of the last 3 datapoints [100.0 (14/09/26 05:51:30), 100.0 (14/09/26 05:51:10)] were greater than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition).",
        start: "50:50", recent: "0.0,null,100.0,null,100.0", evaluated: &[("51:30", Some(100.0)), ("51:10", Some(100.0))] },
    Row { needed: 3, treat: BREACHING, before: OK, at: (52, 44_472), after: ALARM,
        reason: "Threshold Crossed: 2 out of the last 3 datapoints [100.0 (14/09/26 05:51:30), 100.0 (14/09/26 05:51:10)] were greater than the threshold (50.0) and 1 missing datapoint was treated as [Breaching] (minimum 3 datapoints for OK -> ALARM transition).",
        start: "51:10", recent: "100.0,null,100.0", evaluated: &[("52:20", None), ("51:30", Some(100.0)), ("51:10", Some(100.0))] },
    Row { needed: 3, treat: MISSING, before: OK, at: (52, 48_775), after: ALARM,
        reason: "Threshold Crossed: 2 out of the last 3 datapoints [100.0 (14/09/26 05:51:30), 100.0 (14/09/26 05:51:10)] were greater than the threshold (50.0) (minimum 3 datapoints for OK -> ALARM transition).",
        start: "51:10", recent: "100.0,null,100.0", evaluated: &[("52:20", None), ("51:30", Some(100.0)), ("51:10", Some(100.0))] },
    Row { needed: 3, treat: MISSING, before: ALARM, at: (53, 28_775), after: INSUFFICIENT,
        reason: "Insufficient Data: 3 datapoints were unknown.",
        start: "", recent: "", evaluated: &[("53:00", None), ("52:50", None), ("52:40", None)] },
    Row { needed: 3, treat: BREACHING, before: ALARM, at: (54, 34_473), after: OK,
        reason: "Threshold Crossed: 1 out of the last 3 datapoints [0.0 (14/09/26 05:54:10)] was not greater than the threshold (50.0) and 2 missing datapoints were treated as [Breaching] (minimum 1 datapoint for ALARM -> OK transition).",
        start: "54:10", recent: "0.0", evaluated: &[("54:10", Some(0.0))] },
    Row { needed: 2, treat: MISSING, before: INSUFFICIENT, at: (54, 37_550), after: OK,
        reason: "Threshold Crossed: 1 out of the last 3 datapoints [0.0 (14/09/26 05:54:10)] was not greater than the threshold (50.0) (minimum 2 datapoints for ALARM -> OK transition).",
        start: "54:10", recent: "0.0", evaluated: &[("54:10", Some(0.0)), ("54:00", None)] },
    Row { needed: 3, treat: BREACHING, before: OK, at: (56, 4_474), after: ALARM,
        reason: "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching].",
        start: "", recent: "", evaluated: &[("55:40", None), ("55:30", None), ("55:20", None)] },
];

/// The datapoints that there were at a time.
fn points(now: Timestamp) -> Vec<Point> {
    let time =
        |(minute, second): Time| Timestamp::from_millis(HOUR + (minute * 60 + second) * 1000);
    let published = POINTS.iter().filter(|(published, ..)| time(*published) <= now);
    published.map(|&(_, at, value)| Point { at: time(at), value, samples: Some(1.0) }).collect()
}

fn alarm(periods: u32, needed: u32, treat: Option<TreatMissing>, before: StateValue) -> Alarm {
    let mut config = config(periods, Some(needed), treat);
    let Watch::Metric(stat) = &mut config.watch else { panic!("a metric") };
    (stat.period, stat.unit) = (Some(10), Some(Unit::Count));
    in_state(config, before)
}

fn data(row: &Row) -> String {
    let date = |time: &str| format!("2026-09-14T05:{time}.000+0000");
    let (minute, millis) = row.at;
    let asked = format!("{minute:02}:{:02}.{:03}", millis / 1000, millis % 1000);
    let start = match row.start {
        "" => String::new(),
        start => format!("\"startDate\":\"{}\",", date(start)),
    };
    let one = |(time, value): &(&str, Option<f64>)| {
        let value = value.map(|value| format!(",\"sampleCount\":1.0,\"value\":{value:?}"));
        format!("{{\"timestamp\":\"{}\"{}}}", date(time), value.unwrap_or_default())
    };
    let evaluated: Vec<_> = row.evaluated.iter().map(one).collect();
    format!(
        "{{\"version\":\"1.0\",\"queryDate\":\"2026-09-14T05:{asked}+0000\",{start}\"unit\":\"Count\",\
         \"statistic\":\"Average\",\"period\":10,\"recentDatapoints\":[{}],\"threshold\":50.0,\
         \"evaluatedDatapoints\":[{}]}}",
        row.recent,
        evaluated.join(",")
    )
}

#[test]
fn alarms_go_where_native_ones_went_and_say_why() {
    for row in ROWS {
        let alarm = alarm(3, row.needed, Some(row.treat), row.before);
        let now = Timestamp::from_millis(HOUR + row.at.0 * 60_000 + row.at.1);
        let points = points(now);
        let found = evaluate(&alarm, &points, now, SETTLE);
        let state = found.state.unwrap_or_else(|| panic!("no transition: {}", row.reason));
        assert_eq!(state.value, row.after, "{}", row.reason);
        assert_eq!(state.reason, row.reason);
        assert_eq!(state.reason_data.unwrap(), data(row), "{}", row.reason);
    }
}

#[test]
fn alarms_stay_where_native_ones_stayed() {
    // One evaluation before the transitions above.
    let rows = [
        (2, MISSING, INSUFFICIENT, (47, 17_551), Why::TooEarly),
        (3, MISSING, INSUFFICIENT, (47, 28_775), Why::TooEarly),
        (3, MISSING, ALARM, (48, 38_774), Why::BreachedLongAgo),
        (3, MISSING, INSUFFICIENT, (46, 58_775), Why::NoData),
        (3, BREACHING, OK, (51, 4_474), Why::Datapoints),
    ];
    for (needed, treat, before, (minute, millis), why) in rows {
        let now = Timestamp::from_millis(HOUR + minute * 60_000 + millis);
        let alarm = alarm(3, needed, Some(treat), before);
        let points = points(now);
        let found = evaluate(&alarm, &points, now, SETTLE);
        assert_eq!((found.value, found.state, found.why), (before, None, why), "{minute} {millis}");
    }
}

#[test]
fn metric_math_has_neither_statistic_nor_samples() {
    let mut alarm = alarm(1, 1, Some(BREACHING), INSUFFICIENT);
    let text = "m1+1".to_owned();
    let source = Source::Expression { text, period: Some(10) };
    let (id, label) = ("e1".to_owned(), None);
    alarm.config.watch = Watch::Math(vec![Query { id, source, label, return_data: Some(true) }]);
    alarm.config.threshold = 5.0;
    let at = |seconds: i64| Timestamp::from_millis(HOUR + seconds * 1000);
    let point = Point { at: at(103 * 60), value: 11.0, samples: None };
    let state = evaluate(&alarm, &[point], at(103 * 60 + 18), Duration::ZERO).state.unwrap();
    assert_eq!(
        state.reason,
        "Threshold Crossed: 1 out of the last 1 datapoints [11.0 (14/09/26 06:43:00)] was greater than the threshold \
         (5.0) (minimum 1 datapoint for OK -> ALARM transition)."
    );
    assert_eq!(
        state.reason_data.unwrap(),
        "{\"version\":\"1.0\",\"queryDate\":\"2026-09-14T06:43:18.000+0000\",\
         \"startDate\":\"2026-09-14T06:43:00.000+0000\",\"period\":10,\"recentDatapoints\":[11.0],\"threshold\":5.0,\
         \"evaluatedDatapoints\":[{\"timestamp\":\"2026-09-14T06:43:00.000+0000\",\"value\":11.0}]}"
    );
    let state = evaluate(&alarm, &[], at(103 * 60 + 33), Duration::ZERO).state.unwrap();
    assert_eq!(
        state.reason,
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching]."
    );
    assert_eq!(
        state.reason_data.unwrap(),
        "{\"version\":\"1.0\",\"queryDate\":\"2026-09-14T06:43:33.000+0000\",\"period\":10,\"recentDatapoints\":[],\
         \"threshold\":5.0,\"evaluatedDatapoints\":[{\"timestamp\":\"2026-09-14T06:43:20.000+0000\"}]}"
    );
}

#[test]
fn a_percentile_waits_for_its_samples() {
    for (low, samples, after) in [
        (LowSamples::Ignore, 99.0, None),
        (LowSamples::Evaluate, 99.0, Some(ALARM)),
        (LowSamples::Ignore, 100.0, Some(ALARM)),
        (LowSamples::Ignore, 101.0, Some(ALARM)),
    ] {
        let mut alarm = alarm(1, 1, None, INSUFFICIENT);
        let Watch::Metric(stat) = &mut alarm.config.watch else { panic!("a metric") };
        stat.statistic = Statistic::Percentile(90.0);
        alarm.config.threshold = 5.0;
        alarm.config.evaluate_low_samples = Some(low);
        let now = Timestamp::from_millis(HOUR + 103 * 60_000 + 25_741);
        let at = Timestamp::from_millis(HOUR + 103 * 60_000);
        let points = [Point { at, value: 10.0, samples: Some(samples) }];
        let found = evaluate(&alarm, &points, now, SETTLE);
        assert_eq!(found.state.map(|state| state.value), after, "{low:?} {samples}");
    }
}
