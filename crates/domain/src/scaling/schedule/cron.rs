//! Cron expressions, in civil time: which minutes of a calendar they match. Zones are `super::zone`'s.
//!
//! Written here because no library keeps AWS's grammar; `docs/decisions/0004-schedules.md` says which were looked at.

use jiff::civil::{Date, DateTime, Time};

use super::day::{Day, Month};
use super::error::ScheduleError;
use super::field::{HOUR, MINUTE, MONTH, SECOND, Set, YEAR};

/// The years that a cron expression can name (section 4). They bound every search: 230 years of 12 months.
const YEAR_FIRST: i16 = 1970;
const YEAR_LAST: i16 = 2199;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: Set,
    hours: Set,
    day: Day,
    /// Offsets from January.
    months: Set,
    /// Offsets from [`YEAR_FIRST`].
    years: Set,
}

impl Cron {
    /// The expression, and the seconds of a seventh, leading field, which is checked and otherwise not honoured.
    pub(super) fn parse(text: &str) -> Result<(Self, Option<Set>), ScheduleError> {
        let upper = text.to_ascii_uppercase();
        let fields: Vec<&str> = upper.split_ascii_whitespace().collect();
        let (second, fields) = match fields.as_slice() {
            [second, rest @ ..] if rest.len() == 6 => (Some(*second), rest),
            longer if longer.len() > 7 => {
                return Err(ScheduleError::cron("Unexpected field after the year."));
            }
            whole => (None, whole),
        };
        let &[minutes, hours, of_month, months, of_week, years] = fields else {
            return Err(ScheduleError::Cron {
                position: text.chars().count(),
                details: "Unexpected end of expression.".to_owned(),
            });
        };
        let parsed = || -> Result<(Self, Option<Set>), String> {
            let second = second.map(|second| SECOND.parse(second)).transpose()?;
            let cron = Self {
                minutes: MINUTE.parse(minutes)?,
                hours: HOUR.parse(hours)?,
                months: MONTH.parse(months)?,
                day: Day::parse(of_month, of_week)?,
                years: YEAR.parse(years)?,
            };
            Ok((cron, second))
        };
        parsed().map_err(ScheduleError::cron)
    }

    /// The first minute that matches and does not begin before `from`; none if there is none any more.
    pub(super) fn next(&self, from: DateTime) -> Option<DateTime> {
        let today = if self.falls_on(from.date()) { self.time(from.time()) } else { None };
        if let Some(time) = today {
            return Some(from.date().to_datetime(time));
        }
        let date = self.date(from.date().tomorrow().ok()?)?;
        Some(date.to_datetime(self.time(Time::midnight())?))
    }

    fn time(&self, from: Time) -> Option<Time> {
        let from = if from.second() == 0 && from.subsec_nanosecond() == 0 {
            (from.hour().unsigned_abs(), from.minute().unsigned_abs())
        } else {
            (from.hour().unsigned_abs(), from.minute().unsigned_abs() + 1)
        };
        let this_hour = if self.hours.contains(from.0) { self.minutes.from(from.1) } else { None };
        let (hour, minute) = match this_hour {
            Some(minute) => (from.0, minute),
            None => (self.hours.from(from.0 + 1)?, self.minutes.from(0)?),
        };
        Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()
    }

    fn falls_on(&self, date: Date) -> bool {
        self.month_matches(date.year(), date.month())
            && self.day.falls_on(date.day(), Month::from(date))
    }

    fn date(&self, from: Date) -> Option<Date> {
        let from = from.max(Date::constant(YEAR_FIRST, 1, 1));
        (from.year()..=YEAR_LAST)
            .flat_map(|year| (1..=12).map(move |month| (year, month)))
            .filter(|(year, month)| self.month_matches(*year, *month))
            .filter_map(|(year, month)| Date::new(year, month, 1).ok())
            .filter(|first| *first >= from.first_of_month())
            .find_map(|first| {
                let month = Month::from(first);
                let least = if first == from.first_of_month() { from.day() } else { 1 };
                (least..=month.length)
                    .find(|day| self.day.falls_on(*day, month))
                    .and_then(|day| Date::new(first.year(), first.month(), day).ok())
            })
    }

    fn month_matches(&self, year: i16, month: i8) -> bool {
        u8::try_from(year - YEAR_FIRST).is_ok_and(|year| self.years.contains(year))
            && self.months.contains(month.unsigned_abs() - 1)
    }
}
