//! What `MINUTE`, `HOUR`, `DAY`, `DATE`, `MONTH`, `YEAR` and `EPOCH` say of a moment, in UTC.

use super::function::Function;
use crate::time::Timestamp;

const DAY_SECS: i64 = 86_400;

/// Days from 1 March of the year 0 to 1 January 1970. Counted from a March, the leap day is a year's last.
const DAYS_TO_1970: i64 = 719_468;

/// Days in the 400 years after which the calendar repeats.
const CYCLE_DAYS: i64 = 146_097;

/// The value of a calendar function at a moment; nothing for any other function.
pub(super) fn value(function: Function, at: Timestamp) -> Option<f64> {
    let secs = at.as_millis().div_euclid(1000);
    let days = secs.div_euclid(DAY_SECS);
    let number = match function {
        Function::Epoch => secs,
        Function::Minute => secs.rem_euclid(3600) / 60,
        Function::Hour => secs.rem_euclid(DAY_SECS) / 3600,
        // 1 January 1970 was a Thursday, the fourth day.
        Function::Day => (days + 3).rem_euclid(7) + 1,
        Function::Date => civil(days).2,
        Function::Month => civil(days).1,
        Function::Year => civil(days).0,
        _ => return None,
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds in an i64 are seconds below 2^53 or so"
    )]
    Some(number as f64)
}

/// Year, month and day of the month, from days since 1 January 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_1970;
    let in_cycle = days.rem_euclid(CYCLE_DAYS);
    // Leap days before this one: one in 4 years (1,461 days), none in 100 (36,524), but one in 400.
    let leap_days = in_cycle / 1460 - in_cycle / 36_524 + in_cycle / (CYCLE_DAYS - 1);
    let year = (in_cycle - leap_days) / 365;
    let in_year = in_cycle - (365 * year + year / 4 - year / 100);
    // From March on, months of 31 and 30 days alternate with a period of five months, 153 days.
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let year = year + 400 * days.div_euclid(CYCLE_DAYS);
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}
