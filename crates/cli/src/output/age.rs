//! Times in words.

use std::time::Duration;

/// How long ago something was, in its largest unit or two: `42s`, `5m`, `3h20m`, `12d`. In the future: `0s`.
pub(crate) fn age(then_millis: i64, now_millis: i64) -> String {
    let secs = now_millis.saturating_sub(then_millis).max(0) / 1000;
    let (minutes, hours, days) = (secs / 60, secs / 3600, secs / 86_400);
    match (days, hours, minutes) {
        (2.., ..) => format!("{days}d"),
        (_, 1.., _) if minutes % 60 == 0 || hours >= 10 => format!("{hours}h"),
        (_, 1.., _) => format!("{hours}h{}m", minutes % 60),
        (_, _, 1..) if secs % 60 == 0 || minutes >= 10 => format!("{minutes}m"),
        (_, _, 1..) => format!("{minutes}m{}s", secs % 60),
        _ => format!("{secs}s"),
    }
}

/// A span that was measured, with the precision people care for: `850 µs`, `4.2 ms`, `1.3 s`, `75 s`.
pub(crate) fn duration(span: Duration) -> String {
    let micros = span.as_secs_f64() * 1e6;
    if micros < 1e3 {
        format!("{micros:.0} µs")
    } else if micros < 1e5 {
        format!("{:.1} ms", micros / 1e3)
    } else if micros < 1e6 {
        format!("{:.0} ms", micros / 1e3)
    } else if micros < 1e7 {
        format!("{:.1} s", micros / 1e6)
    } else {
        format!("{:.0} s", micros / 1e6)
    }
}

/// A point in time in UTC, to the second: `2026-11-23T10:04:05Z`.
pub(crate) fn instant(millis: i64) -> String {
    match jiff::Timestamp::from_second(millis.div_euclid(1000)) {
        Ok(instant) => instant.to_string(),
        Err(_) => format!("{millis} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_keep_two_units_at_most() {
        let table = [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m1s"),
            (599, "9m59s"),
            (601, "10m"),
            (3599, "59m"),
            (3600, "1h"),
            (3660, "1h1m"),
            (35_999, "9h59m"),
            (36_060, "10h"),
            (86_400, "24h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (864_000_000, "10000d"),
        ];
        for (secs, wanted) in table {
            assert_eq!(age(0, secs * 1000), wanted, "{secs}");
        }
        assert_eq!(age(i64::MIN, i64::MAX), format!("{}d", i64::MAX / 86_400_000));
    }

    #[test]
    fn durations_keep_two_digits_that_matter() {
        let table = [
            (7, "7 µs"),
            (999, "999 µs"),
            (4_240, "4.2 ms"),
            (120_400, "120 ms"),
            (1_340_000, "1.3 s"),
            (75_000_000, "75 s"),
        ];
        for (micros, wanted) in table {
            assert_eq!(duration(Duration::from_micros(micros)), wanted);
        }
    }

    #[test]
    fn instants_are_utc() {
        assert_eq!(instant(1_529_870_369_986), "2018-06-24T19:59:29Z");
        assert_eq!(instant(i64::MAX), format!("{} ms", i64::MAX));
    }
}
