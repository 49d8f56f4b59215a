//! Dates of conditions: Unix seconds, or the W3C's forms of ISO 8601.
//!
//! The form is as wide as AWS takes it (moto's recorded cases): only the year is needed, `t` and `z` may be small, a month's
//! days go to 31, and years reach far beyond any calendar. Those are held at the calendar's ends, which no request reaches.

use jiff::civil;
use jiff::tz::Offset;

/// Seconds since 1970 and billionths of a second.
pub(super) type Instant = (i64, u32);

/// Years that AWS's parser takes (Java's dates).
const YEARS: std::ops::RangeInclusive<i64> = -292_275_054..=292_278_993;

/// Years that are told apart; within jiff's calendar with room for every offset.
const CALENDAR: (i64, i64) = (-9_998, 9_998);

pub(super) fn parse(text: &str) -> Option<Instant> {
    if !text.contains(['t', 'T', '-']) {
        return decimal(text, 0..=i64::MAX).map(|seconds| (seconds, 0));
    }
    let (date, time) = text.split_once(['t', 'T']).unwrap_or((text, ""));
    let midnight = midnight(date)?;
    let (seconds, nanoseconds) = time_of_day(time)?;
    Some((midnight.saturating_add(seconds), nanoseconds))
}

/// Unix seconds at the beginning of a day.
fn midnight(date: &str) -> Option<i64> {
    let (sign, date) = date.strip_prefix('-').map_or((1, date), |date| (-1, date));
    let mut parts = date.split('-');
    let year = decimal(parts.next()?, 0..=*YEARS.end())?.checked_mul(sign)?;
    let month = parts.next().map_or(Some(1), |month| decimal(month, 1..=12))?;
    let day = parts.next().map_or(Some(1), |day| decimal(day, 1..=31))?;
    if parts.next().is_some() || !YEARS.contains(&year) {
        return None;
    }
    let year = i16::try_from(year.clamp(CALENDAR.0, CALENDAR.1)).ok()?;
    let month = civil::Date::new(year, i8::try_from(month).ok()?, 1).ok()?;
    let first = month.to_datetime(civil::Time::midnight());
    let seconds = Offset::UTC.to_timestamp(first).ok()?.as_second();
    let days = day.checked_sub(1)?.checked_mul(SECONDS_A_DAY)?;
    seconds.checked_add(days)
}

const SECONDS_A_DAY: i64 = 86_400;

/// Seconds and their fraction since midnight, the offset taken off.
fn time_of_day(time: &str) -> Option<Instant> {
    if time.is_empty() {
        return Some((0, 0));
    }
    let (clock, offset) = match time.find(['z', 'Z', '+', '-']) {
        None => (time, 0),
        Some(at) => {
            let (clock, zone) = time.split_at_checked(at)?;
            (clock, zone_offset(zone)?)
        }
    };
    let mut parts = clock.split(':');
    let hours = decimal(parts.next()?, 0..=23)?;
    let minutes = parts.next().map_or(Some(0), |minutes| decimal(minutes, 0..=59))?;
    let (seconds, fraction) = match parts.next() {
        None => (0, 0),
        Some(text) => {
            let (seconds, digits) = text.split_once('.').unwrap_or((text, "0"));
            (decimal(seconds, 0..=59)?, billionths(digits)?)
        }
    };
    if parts.next().is_some() {
        return None;
    }
    let total = hours.checked_mul(3_600)?.checked_add(minutes.checked_mul(60)?)?;
    Some((total.checked_add(seconds)?.checked_sub(offset)?, fraction))
}

/// `Z`, `+hh`, `+hh:mm` or the same with `-`, in seconds.
fn zone_offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, digits) =
        zone.strip_prefix('+').map_or_else(|| (-1, zone.strip_prefix('-')), |it| (1, Some(it)));
    let (hours, minutes) = digits?.split_once(':').unwrap_or((digits?, "00"));
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let hours = decimal(hours, 0..=23)?.checked_mul(3_600)?;
    hours.checked_add(decimal(minutes, 0..=59)?.checked_mul(60)?)?.checked_mul(sign)
}

/// At most nine digits after the point.
fn billionths(digits: &str) -> Option<u32> {
    let missing = 9_u32.checked_sub(u32::try_from(digits.len()).ok()?)?;
    let digits = u32::try_from(decimal(digits, 0..=999_999_999)?).ok()?;
    digits.checked_mul(10_u32.checked_pow(missing)?)
}

/// Digits only, within a range.
fn decimal(digits: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let only_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| only_digits)?;
    range.contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_every_form() {
        let noon = 1_795_435_200;
        let cases = [
            ("0", 0, 0),
            ("1795435200", noon, 0),
            ("2026-11-23T12:00:00Z", noon, 0),
            ("2026-11-23t12:00:00z", noon, 0),
            ("2026-11-23T13:30:00+01:30", noon, 0),
            ("2026-11-23T11:00:00-01", noon, 0),
            ("2026-11-23T12:00:00.25Z", noon, 250_000_000),
            ("2026-11-23T12", noon, 0),
            ("2026-11-23", noon - 12 * 3_600, 0),
            ("2026-11", noon - 12 * 3_600 - 22 * SECONDS_A_DAY, 0),
            ("1970T", 0, 0),
            ("1970-01-31", 30 * SECONDS_A_DAY, 0),
            ("1970-02-31", (31 + 30) * SECONDS_A_DAY, 0),
        ];
        for (text, seconds, nanoseconds) in cases {
            assert_eq!(parse(text), Some((seconds, nanoseconds)), "{text}");
        }
    }

    #[test]
    fn years_beyond_the_calendar_are_held_at_its_ends() {
        let far = parse("-292275054").unwrap();
        assert!(far < parse("-0001-01-01").unwrap());
        assert!(parse("292278993-01-01").unwrap() > parse("9000-01-01").unwrap());
        assert_eq!(parse("292278994-01"), None);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "-",
            "T",
            "b",
            "sdfdsf",
            "234-13",
            "2016-00-01",
            "2016-01-32",
            "2016-01-01-01",
            "2016-12-13t2:00:00.593194+1",
            "2016-12-13t2:00:00.1999999999+10:59",
            "9223372036854775808",
            "2016-12-13t24:00",
            "2016-12-13t1:60",
            "2016-12-13t1:00:60",
            "2016-12-13t1:00:00zz",
            "+1",
            "2016-12-13t1:00:00:00",
            "2016-1é-01",
            "1e3",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
