//! The two day fields of a cron expression, exactly one of which says on which days of a month it runs.
//!
//! Forms that count from the end of the month or look for a weekday stand alone, as in Quartz: what is accepted here
//! shall be accepted by AWS.

use jiff::civil::Date;

use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, Set};

/// The longest way back from a month's last day.
const BACK_MAX: i8 = 30;

const SATURDAY: i8 = 7;

const BOTH: &str = "Specifying both a day-of-week AND a day-of-month parameter is not supported.";

/// On which days of a month a cron expression runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    /// Offsets from the first.
    OfMonth(Set),
    /// `L`, `L-3`: so many days before the month's last.
    BeforeLast(i8),
    /// `LW`, `L-3W`: the weekday (Monday to Friday) nearest to that.
    NearestBeforeLast(i8),
    /// `15W`: the weekday nearest to a day of the month, within the month.
    Nearest(i8),
    /// Offsets from Sunday.
    OfWeek(Set),
    /// `6L`: the last of its kind in the month; 1 is Sunday.
    LastOfWeek(i8),
    /// `6#3`: the third Friday of the month.
    Nth { weekday: i8, nth: i8 },
}

/// A month as far as days go: how long it is, and which day of the week its first is (1 is Sunday).
#[derive(Debug, Clone, Copy)]
pub(super) struct Month {
    pub(super) length: i8,
    pub(super) first: i8,
}

impl Month {
    /// 1 is Sunday.
    fn weekday(self, day: i8) -> i8 {
        (self.first - 1 + day - 1) % 7 + 1
    }

    fn nearest_weekday(self, day: i8) -> i8 {
        match self.weekday(day) {
            SATURDAY if day == 1 => 3,
            SATURDAY => day - 1,
            1 if day == self.length => day - 2,
            1 => day + 1,
            _ => day,
        }
    }
}

impl Day {
    /// From both fields, in upper case; otherwise what is wrong with them.
    pub(super) fn parse(of_month: &str, of_week: &str) -> Result<Self, String> {
        match (of_month, of_week) {
            ("?", "?") => {
                Err("'?' can only be specified for Day-of-Month -OR- Day-of-Week.".to_owned())
            }
            ("?", of_week) => Self::of_week(of_week),
            (of_month, "?") => Self::of_month(of_month),
            (of_month, of_week) => {
                // What is wrong with a field by itself says more than that there are two.
                Self::of_month(of_month)?;
                Self::of_week(of_week)?;
                Err(BOTH.to_owned())
            }
        }
    }

    fn of_month(text: &str) -> Result<Self, String> {
        if text.contains(['L', 'W']) && text.contains(',') {
            let letter = if text.contains('L') { "'L' and 'LW'" } else { "'W'" };
            return Err(format!(
                "Support for specifying {letter} with other days of the month is not implemented"
            ));
        }
        let (day, nearest) = match text.strip_suffix('W') {
            Some(day) => (day, true),
            None => (text, false),
        };
        let Some(back) = day.strip_prefix('L') else {
            if !nearest {
                return Ok(Self::OfMonth(DAY_OF_MONTH.parse(text)?));
            }
            let day = DAY_OF_MONTH.value(day).map_err(|_| letter_misplaced('W'))?;
            return small(day).map(Self::Nearest);
        };
        let back = match back.strip_prefix('-') {
            None if back.is_empty() => 0,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|back| *back <= BACK_MAX)
                .ok_or("Offset from last day must be <= 30")?,
            _ => return Err(letter_misplaced('L')),
        };
        Ok(if nearest { Self::NearestBeforeLast(back) } else { Self::BeforeLast(back) })
    }

    fn of_week(text: &str) -> Result<Self, String> {
        if text == "L" {
            // Alone it means the week's last day, as in Quartz.
            return Ok(Self::OfWeek(DAY_OF_WEEK.parse("SAT")?));
        }
        if let Some((weekday, nth)) = text.split_once('#') {
            if text.contains(',') {
                return Err(
                    "Support for specifying multiple \"nth\" days is not implemented.".to_owned()
                );
            }
            let weekday = small(DAY_OF_WEEK.value(weekday)?)?;
            let nth = match nth.as_bytes() {
                [digit @ b'1'..=b'5'] => i8::try_from(digit - b'0').unwrap_or_default(),
                _ => {
                    return Err(
                        "A numeric value between 1 and 5 must follow the '#' option".to_owned()
                    );
                }
            };
            return Ok(Self::Nth { weekday, nth });
        }
        if text.split(',').any(|part| part.ends_with('L')) {
            if text.contains(',') {
                return Err(
                    "Support for specifying 'L' with other days of the week is not implemented"
                        .to_owned(),
                );
            }
            let weekday = text.strip_suffix('L').unwrap_or(text);
            let weekday = DAY_OF_WEEK.value(weekday).map_err(|_| letter_misplaced('L'))?;
            return small(weekday).map(Self::LastOfWeek);
        }
        Ok(Self::OfWeek(DAY_OF_WEEK.parse(text)?))
    }

    /// Whether it runs on a day of a month, which must be one of the month's.
    pub(super) fn falls_on(&self, day: i8, month: Month) -> bool {
        let before_last = |back: i8| Some(month.length - back).filter(|day| *day >= 1);
        match *self {
            Self::OfMonth(days) => days.contains(day.unsigned_abs() - 1),
            Self::BeforeLast(back) => before_last(back) == Some(day),
            Self::NearestBeforeLast(back) => {
                before_last(back).map(|day| month.nearest_weekday(day)) == Some(day)
            }
            Self::Nearest(target) => target <= month.length && month.nearest_weekday(target) == day,
            Self::OfWeek(days) => days.contains(month.weekday(day).unsigned_abs() - 1),
            Self::LastOfWeek(weekday) => month.weekday(day) == weekday && day + 7 > month.length,
            Self::Nth { weekday, nth } => month.weekday(day) == weekday && (day - 1) / 7 + 1 == nth,
        }
    }
}

impl From<Date> for Month {
    /// The month in which `date` lies.
    fn from(date: Date) -> Self {
        let first = date.first_of_month().weekday();
        Self { length: date.days_in_month(), first: first.to_sunday_one_offset() }
    }
}

fn letter_misplaced(letter: char) -> String {
    format!("'{letter}' option is not valid here.")
}

/// A value of a day field, which is at most 31.
fn small(value: u16) -> Result<i8, String> {
    i8::try_from(value).map_err(|_| "Unexpected value".to_owned())
}
