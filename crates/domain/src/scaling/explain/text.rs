//! Numbers, times and lists as a sentence has them.

use std::time::Duration;

use crate::time::Timestamp;

/// Plain decimals from here …
const PLAIN_FROM: f64 = 1e-3;
/// … to below here; powers of ten beyond, so that no number takes a line.
const PLAIN_TO: f64 = 1e9;

/// A number with at most three decimals and at least one: `10.0`, `15.333`, `1.0e308`.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value.is_finite() && size != 0.0 && !(PLAIN_FROM..PLAIN_TO).contains(&size) {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.3}");
    let Some((whole, decimals)) = text.split_once('.') else { return text };
    let decimals = decimals.trim_end_matches('0');
    format!("{whole}.{}", if decimals.is_empty() { "0" } else { decimals })
}

/// `12.0, 14.0, 20.0`
pub(super) fn numbers(values: &[f64]) -> String {
    values.iter().map(|value| number(*value)).collect::<Vec<_>>().join(", ")
}

/// `1 instance`, `4 instances`
pub(super) fn instances(count: u32) -> String {
    if count == 1 { "1 instance".to_owned() } else { format!("{count} instances") }
}

/// The time of day in UTC: `12:03:20`.
pub(super) fn time(at: Timestamp) -> String {
    let seconds = at.as_millis().div_euclid(1000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Day and time in UTC, for what may be days away: `2026-11-23 12:03:20 UTC`.
pub(super) fn moment(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The two greatest parts of a length of time: `90 s`, `3 h 20 min`, `2 d 1 h`.
pub(super) fn span(length: Duration) -> String {
    let secs = length.as_secs();
    let (minutes, hours, days) = (secs / 60, secs / 3600, secs / 86_400);
    match secs {
        0..120 => format!("{secs} s"),
        120..7200 => format!("{minutes} min {} s", secs % 60),
        7200..172_800 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// `until 12:03:20 (45 s)`; a part of a second counts as one.
pub(super) fn until(at: Timestamp, now: Timestamp) -> String {
    format!("until {} ({} s)", time(at), at.since(now).as_millis().div_ceil(1000))
}

/// `a period of 60 s`, `3 periods of 60 s in a row`
pub(super) fn periods(count: u32, secs: u32) -> String {
    if count == 1 {
        format!("a period of {secs} s")
    } else {
        format!("{count} periods of {secs} s in a row")
    }
}
