//! When scheduled actions run: `at(…)`, `rate(…)` and `cron(…)` in a time zone
//! (`reference/autoscaling-and-cloudwatch.md`, section 4). What an action then does is not decided here.

mod cron;
mod day;
mod error;
mod field;
mod zone;

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp as Instant;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

pub use error::ScheduleError;

use super::ScheduledAction;
use crate::time::Timestamp;
use cron::Cron;
use field::Set;

/// Runs of one action are at least so far from each other (section 4).
pub const INTERVAL_MIN: Duration = Duration::from_mins(1);

/// A parsed schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    recurrence: Recurrence,
    zone: TimeZone,
}

#[derive(Debug, Clone, PartialEq)]
enum Recurrence {
    At(Timestamp),
    /// In milliseconds, at least [`INTERVAL_MIN`].
    Every(i64),
    Cron(Cron),
}

/// A scheduled action that has to run now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The latest of the occurrences that were missed; the earlier ones are not made up for.
    pub scheduled_at: Timestamp,
    /// What becomes of [`ScheduledAction::done_until`].
    pub done_until: Timestamp,
}

impl Schedule {
    /// A schedule in the zone of that IANA name, by default UTC.
    ///
    /// # Errors
    /// With AWS's texts: another form than the three, a date or time that does not exist, runs that are closer than
    /// [`INTERVAL_MIN`], an unknown zone. The expression is looked at before the zone.
    pub fn parse(text: &str, timezone: Option<&str>) -> Result<Self, ScheduleError> {
        let inner = |form: &str| text.strip_prefix(form)?.strip_prefix('(')?.strip_suffix(')');
        let zone = || match timezone {
            Some(name) => zone::named(name).ok_or_else(|| ScheduleError::Timezone(name.to_owned())),
            None => Ok(TimeZone::UTC),
        };
        if let Some(text) = inner("at") {
            let civil = parse_date_time(text)?;
            let zone = zone()?;
            let at = zone::instant(&zone, civil)
                .ok_or_else(|| ScheduleError::At { details: format!("Cannot parse \"{text}\"") })?;
            let recurrence = Recurrence::At(Timestamp::from_millis(at.as_millisecond()));
            return Ok(Self { recurrence, zone });
        }
        if let Some(text) = inner("rate") {
            let recurrence = Recurrence::Every(parse_rate(text)?);
            return Ok(Self { recurrence, zone: zone()? });
        }
        let (cron, seconds) = Cron::parse(inner("cron").ok_or(ScheduleError::Syntax)?)?;
        let zone = zone()?;
        if let Some((first, second)) = seconds.and_then(two_of) {
            let minute = zone::next(&zone, &cron, Instant::UNIX_EPOCH).unwrap_or_default();
            let run = |second: u8| {
                minute.checked_add(Duration::from_secs(second.into())).unwrap_or(minute)
            };
            return Err(ScheduleError::TooFrequent { first: run(first), second: run(second) });
        }
        Ok(Self { recurrence: Recurrence::Cron(cron), zone })
    }

    /// The first occurrence strictly after `after`. None lies before `start` or after `end`, nor at or before
    /// `created`.
    ///
    /// What recurs also runs at `start`; a rate counts from there, or else from `created`. The work is bounded also for
    /// expressions that never match.
    pub fn next_after(
        &self,
        after: Timestamp,
        created: Timestamp,
        start: Option<Timestamp>,
        end: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let after = after.max(created);
        let next = match (&self.recurrence, start) {
            (Recurrence::At(at), start) => {
                Some(*at).filter(|at| *at > after && start.is_none_or(|start| *at >= start))
            }
            (_, Some(start)) if start > after => Some(start),
            (Recurrence::Every(interval), start) => {
                next_multiple(*interval, start.unwrap_or(created), after)
            }
            (Recurrence::Cron(cron), _) => {
                let after = after.as_millis().max(Instant::MIN.as_millisecond());
                let after = Instant::from_millisecond(after).ok()?;
                zone::next(&self.zone, cron, after)
                    .map(|next| Timestamp::from_millis(next.as_millisecond()))
            }
        };
        next.filter(|next| end.is_none_or(|end| *next <= end))
    }

    /// When `action`, whose schedule this is, runs next.
    pub fn next_of(&self, action: &ScheduledAction) -> Option<Timestamp> {
        self.next_after(action.done_until, action.created_at, action.start, action.end)
    }

    /// Whether `action`, whose schedule this is, has to run: once, however many occurrences have been missed.
    pub fn due(&self, action: &ScheduledAction, now: Timestamp) -> Option<Due> {
        let next = |after| self.next_after(after, action.created_at, action.start, action.end);
        let mut scheduled_at = self.next_of(action).filter(|next| *next <= now)?;
        // The latest: whether one lies between an instant and now changes once. 64 halvings exhaust all instants.
        let mut none_after = now;
        while scheduled_at < none_after {
            let (low, high) = (scheduled_at.as_millis(), none_after.as_millis());
            // Always below `high`, so that the distance shrinks.
            let middle = Timestamp::from_millis(low.saturating_add(high.saturating_sub(low) / 2));
            match next(middle).filter(|next| *next <= now) {
                Some(later) => scheduled_at = later,
                None => none_after = middle,
            }
        }
        Some(Due { scheduled_at, done_until: now })
    }
}

fn next_multiple(interval: i64, origin: Timestamp, after: Timestamp) -> Option<Timestamp> {
    let passed = after.as_millis().checked_sub(origin.as_millis())?;
    let steps = passed.div_euclid(interval).checked_add(1)?;
    let next = origin.as_millis().checked_add(steps.checked_mul(interval)?)?;
    Some(Timestamp::from_millis(next))
}

/// The interval of `5 minutes`, in milliseconds. Singular and plural are not told apart (section 1.5), and the text
/// that AWS answers with makes the space optional.
fn parse_rate(text: &str) -> Result<i64, ScheduleError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let minutes = match unit.strip_prefix(|char: char| char.is_ascii_whitespace()).unwrap_or(unit) {
        "minute" | "minutes" => 1,
        "hour" | "hours" => 60,
        "day" | "days" => 24 * 60,
        _ => return Err(ScheduleError::Syntax),
    };
    let number: i32 = number.parse().map_err(|_| ScheduleError::Syntax)?;
    if number == 0 {
        let (first, second) = (Instant::UNIX_EPOCH, Instant::UNIX_EPOCH);
        return Err(ScheduleError::TooFrequent { first, second });
    }
    Ok(i64::from(number) * minutes * 60_000)
}

/// `yyyy-MM-ddTHH:mm:ss`.
fn parse_date_time(text: &str) -> Result<DateTime, ScheduleError> {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let refused = |details: String| ScheduleError::At { details };
    let fits = |(at, wanted): (usize, &u8)| match (text.as_bytes().get(at), wanted) {
        (Some(byte), b'0') => byte.is_ascii_digit(),
        (byte, wanted) => byte == Some(wanted),
    };
    // All before the first byte that does not fit is ASCII, so that it begins a character.
    let good = FORM.iter().enumerate().take_while(|place| fits(*place)).count();
    if good < FORM.len() || text.len() > good {
        return Err(refused(match text.get(good..).unwrap_or_default() {
            "" if good > 0 => format!("Invalid format: \"{text}\" is too short"),
            rest if good > 0 => format!("Invalid format: \"{text}\" is malformed at \"{rest}\""),
            _ => format!("Invalid format: \"{text}\""),
        }));
    }
    // Four digits at most, all of them checked.
    let part = |from: usize, to: usize| text[from..to].parse::<i16>().unwrap_or_default();
    let (year, month) = (part(0, 4), part(5, 7));
    let length = i8::try_from(month).ok().and_then(|month| Date::new(year, month, 1).ok());
    let ranges = [
        ("monthOfYear", month, 1, 12),
        ("dayOfMonth", part(8, 10), 1, length.map_or(31, |first| first.days_in_month().into())),
        ("hourOfDay", part(11, 13), 0, 23),
        ("minuteOfHour", part(14, 16), 0, 59),
        ("secondOfMinute", part(17, 19), 0, 59),
    ];
    for (name, value, min, max) in ranges {
        if !(min..=max).contains(&value) {
            return Err(refused(format!(
                "Cannot parse \"{text}\": Value {value} for {name} must be in the range [{min},{max}]"
            )));
        }
    }
    text.parse().map_err(|_| refused(format!("Cannot parse \"{text}\"")))
}

/// The first two values, if there are as many.
fn two_of(seconds: Set) -> Option<(u8, u8)> {
    let first = seconds.from(0)?;
    Some((first, seconds.from(first + 1)?))
}
