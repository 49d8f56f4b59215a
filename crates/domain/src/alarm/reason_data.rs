//! `StateReasonData`: the datapoints behind a state, as JSON (section 6.5). Scaling policies read it.

use std::fmt::Write as _;

use serde_json::Value;

use super::evaluate::age;
use super::java::{JavaDouble, long_date, read_long_date};
use super::reason::Findings;
use crate::metric::Point;
use crate::time::Timestamp;

/// The most characters that `StateReasonData` may have.
pub const REASON_DATA_CHARS_MAX: usize = 4000;

impl Findings<'_> {
    /// The whole; without the datapoints that decided where it is too long, and then with as many of the recent ones,
    /// the newest, as there is room for.
    pub(super) fn reason_data(&self) -> String {
        let recent = self.recent_json();
        let evaluated = format!(",\"evaluatedDatapoints\":[{}]", self.evaluated_json());
        let whole = self.data(&recent.join(","), &evaluated);
        if whole.len() <= REASON_DATA_CHARS_MAX {
            return whole;
        }
        let rest = self.data("", "").len();
        let room = REASON_DATA_CHARS_MAX.saturating_sub(rest);
        let mut used = 0;
        let fits = |one: &&String| {
            used += one.len() + 1;
            used <= room
        };
        let kept = recent.iter().rev().take_while(fits).count();
        let newest = recent.get(recent.len() - kept..).unwrap_or_default();
        self.data(&newest.join(","), "")
    }

    fn data(&self, recent: &str, evaluated: &str) -> String {
        let mut text = format!("{{\"version\":\"1.0\",\"queryDate\":\"{}\"", long_date(self.now));
        // Writing into a string cannot fail.
        if let Some(oldest) = self.recent.first() {
            let _ = write!(text, ",\"startDate\":\"{}\"", long_date(oldest.at));
        }
        if let Some(unit) = self.config.unit() {
            let _ = write!(text, ",\"unit\":\"{unit}\"");
        }
        if let Some(statistic) = self.config.statistic() {
            let _ = write!(text, ",\"statistic\":\"{statistic}\"");
        }
        let period = self.config.period_secs();
        let threshold = Number(self.config.threshold);
        let _ = write!(
            text,
            ",\"period\":{period},\"recentDatapoints\":[{recent}],\"threshold\":{threshold}{evaluated}}}"
        );
        text
    }

    /// From the oldest datapoint that counts to the newest, with null for each period without one.
    fn recent_json(&self) -> Vec<String> {
        let range = self.config.evaluation_range() as usize;
        let mut all = Vec::with_capacity(self.recent.len());
        let mut before = None;
        for point in self.recent {
            let age = age(point, self.window.1, self.config);
            let gap = before.map_or(0, |before: u32| before.saturating_sub(age).saturating_sub(1));
            // There are never more, unless the datapoints were not in order.
            let gap = (gap as usize).min(range.saturating_sub(all.len()));
            all.extend((0..gap).map(|_| "null".to_owned()));
            all.push(Number(point.value).to_string());
            before = Some(age);
        }
        all
    }

    /// The datapoints that decided, newest first; periods without one among them where the transition takes more.
    fn evaluated_json(&self) -> String {
        let period = i64::from(self.config.period_secs()) * 1000;
        let mut all: Vec<(Timestamp, Option<&Point>)> =
            self.deciding().map(|point| (point.at, Some(point))).collect();
        let wanted = (self.least() as usize).saturating_sub(all.len()).min(self.missing as usize);
        let filled: Vec<u32> =
            self.recent.iter().map(|point| age(point, self.window.1, self.config)).collect();
        let empty = (1..=self.config.evaluation_range()).filter(|age| !filled.contains(age));
        all.extend(empty.take(wanted).map(|age| {
            let at =
                self.window.1.as_millis().saturating_sub(period.saturating_mul(i64::from(age)));
            (Timestamp::from_millis(at), None)
        }));
        all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let shown = all.iter().map(|(at, point)| evaluated(*at, *point));
        shown.collect::<Vec<_>>().join(",")
    }
}

fn evaluated(at: Timestamp, point: Option<&Point>) -> String {
    let mut text = format!("{{\"timestamp\":\"{}\"", long_date(at));
    if let Some(point) = point {
        if let Some(samples) = point.samples {
            let _ = write!(text, ",\"sampleCount\":{}", Number(samples));
        }
        let _ = write!(text, ",\"value\":{}", Number(point.value));
    }
    text.push('}');
    text
}

/// A number in JSON, which has none for what is not finite.
struct Number(f64);

impl std::fmt::Display for Number {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_finite() { JavaDouble(self.0).fmt(out) } else { out.write_str("null") }
    }
}

/// What a scaling policy reads of the `StateReasonData` that `SetAlarmState` was given (section 2.3).
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub evaluated_at: Timestamp,
    /// Oldest first; periods without a datapoint left out.
    pub recent: Vec<f64>,
    pub threshold: f64,
}

impl Reading {
    /// None where any of the three that a policy needs is absent or not in its form.
    pub fn of(reason_data: &str) -> Option<Self> {
        let data: Value = serde_json::from_str(reason_data).ok()?;
        let recent = data.get("recentDatapoints")?.as_array()?;
        let recent: Vec<f64> = recent.iter().filter_map(Value::as_f64).collect();
        let evaluated_at = read_long_date(data.get("queryDate")?.as_str()?)?;
        let threshold = data.get("threshold")?.as_f64()?;
        (!recent.is_empty()).then_some(Self { evaluated_at, recent, threshold })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::evaluate::tests::{config, in_state};
    use super::super::{Config, StateValue, evaluate};
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_789_614_000_000);

    /// The data of an alarm by the minute that went into ALARM, each datapoint having this value.
    fn data(periods: u32, value: f64) -> String {
        let alarm = in_state(config(periods, None, None), StateValue::Ok);
        let (_, to) = alarm.config.needed_window(NOW, Duration::ZERO);
        let point = |age: u32| {
            let at = Timestamp::from_millis(to.as_millis() - i64::from(age) * 60_000);
            Point { at, value, samples: Some(60.0) }
        };
        let points: Vec<Point> = (1..=periods).rev().map(point).collect();
        let state = evaluate(&alarm, &points, NOW, Duration::ZERO).state.unwrap();
        assert_eq!(state.value, StateValue::Alarm);
        state.reason_data.unwrap()
    }

    fn length(data: &str, list: &str) -> Option<usize> {
        let data: Value = serde_json::from_str(data).unwrap();
        Some(data.get(list)?.as_array()?.len())
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        // Section 6.5: 30 points fit, and 90 do not. Section 10, 12: the evaluated ones are left out first.
        let value = 1_234.567_890_123_4;
        for (periods, recent, evaluated) in [(3, 3, Some(3)), (30, 30, Some(30)), (90, 90, None)] {
            let data = data(periods, value);
            assert!(data.len() <= REASON_DATA_CHARS_MAX);
            assert_eq!(length(&data, "recentDatapoints"), Some(recent));
            assert_eq!(length(&data, "evaluatedDatapoints"), evaluated);
        }
        let longest = data(1440, value);
        assert!((REASON_DATA_CHARS_MAX - 40..=REASON_DATA_CHARS_MAX).contains(&longest.len()));
        assert_eq!(length(&longest, "evaluatedDatapoints"), None);
    }

    #[test]
    fn a_policy_reads_what_an_evaluation_wrote() {
        for periods in [1, 15, 90] {
            let read = Reading::of(&data(periods, 60.5)).unwrap();
            assert_eq!((read.evaluated_at, read.threshold), (NOW, 50.0));
            assert_eq!(read.recent, vec![60.5; periods as usize]);
        }
        // Section 2.3: without any of them, nothing follows.
        let date = "\"queryDate\":\"2026-09-17T03:03:36.050+0000\"";
        let rows = [
            (format!("{{{date},\"recentDatapoints\":[1,null,2.5],\"threshold\":2}}"), true),
            (format!("{{{date},\"recentDatapoints\":[null],\"threshold\":2}}"), false),
            (format!("{{{date},\"recentDatapoints\":[1]}}"), false),
            (format!("{{{date},\"threshold\":1}}"), false),
            (
                "{\"queryDate\":\"today\",\"recentDatapoints\":[1],\"threshold\":2}".to_owned(),
                false,
            ),
            ("{\"recentDatapoints\":[1],\"threshold\":2}".to_owned(), false),
            ("[]".to_owned(), false),
            ("by hand".to_owned(), false),
        ];
        assert_eq!(Reading::of(&rows[0].0).unwrap().recent, [1.0, 2.5]);
        for (data, reads) in rows {
            assert_eq!(Reading::of(&data).is_some(), reads, "{data}");
        }
    }

    #[test]
    fn what_json_has_no_number_for_is_null() {
        let infinite = Config { threshold: f64::NEG_INFINITY, ..config(1, None, None) };
        let alarm = in_state(infinite, StateValue::Ok);
        let (_, to) = alarm.config.needed_window(NOW, Duration::ZERO);
        let at = Timestamp::from_millis(to.as_millis() - 60_000);
        let points = [Point { at, value: f64::INFINITY, samples: None }];
        let state = evaluate(&alarm, &points, NOW, Duration::ZERO).state.unwrap();
        let data: Value = serde_json::from_str(&state.reason_data.unwrap()).unwrap();
        assert!(data["recentDatapoints"][0].is_null() && data["threshold"].is_null());
    }
}
