//! One field of a cron expression: numbers or names, ranges, steps and lists of them. Days have forms of their own
//! (`super::day`). Ranges may run over the end (`FRI-MON`, `22-2`), as in Quartz, whose grammar AWS's is.

/// The longest number that a field may hold is a year.
const DIGITS_MAX: usize = 4;

/// The values that a field allows, as offsets from the smallest: at most 256, so that years fit too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set([u64; 4]);

impl Set {
    fn insert(&mut self, value: u8) {
        self.0[usize::from(value / 64)] |= 1 << (value % 64);
    }

    pub(super) fn contains(&self, value: u8) -> bool {
        self.0[usize::from(value / 64)] >> (value % 64) & 1 == 1
    }

    /// The smallest value that is not below `least`.
    pub(super) fn from(&self, least: u8) -> Option<u8> {
        (least..=u8::MAX).find(|value| self.contains(*value))
    }
}

/// What may stand in a field.
#[derive(Debug)]
pub(super) struct Field {
    min: u16,
    max: u16,
    /// Of the values from `min` on; empty where only numbers stand.
    names: &'static [&'static str],
    /// The largest step, and how the message about a larger one calls the limit.
    step: (u16, &'static str),
    out_of_range: &'static str,
    /// What comes before a word that is none of the names.
    unknown_word: &'static str,
}

const UNKNOWN_WORD: &str = "Illegal characters for this position:";
const SIXTY: &str = "Minute and Second values must be between 0 and 59";

pub(super) const SECOND: Field = Field {
    min: 0,
    max: 59,
    names: &[],
    step: (59, "60"),
    out_of_range: SIXTY,
    unknown_word: UNKNOWN_WORD,
};
pub(super) const MINUTE: Field = Field { ..SECOND };
pub(super) const HOUR: Field = Field {
    max: 23,
    step: (23, "24"),
    out_of_range: "Hour values must be between 0 and 23",
    ..SECOND
};
pub(super) const DAY_OF_MONTH: Field = Field {
    min: 1,
    max: 31,
    step: (31, "31"),
    out_of_range: "Day of month values must be between 1 and 31",
    ..SECOND
};
pub(super) const MONTH: Field = Field {
    min: 1,
    max: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    step: (12, "12"),
    out_of_range: "Month values must be between 1 and 12",
    unknown_word: "Invalid Month value:",
};
pub(super) const DAY_OF_WEEK: Field = Field {
    min: 1,
    max: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    step: (7, "7"),
    out_of_range: "Day-of-Week values must be between 1 and 7",
    unknown_word: "Invalid Day-of-Week value:",
};
pub(super) const YEAR: Field = Field {
    min: 1970,
    max: 2199,
    step: (229, "229"),
    out_of_range: "Year values must be between 1970 and 2199",
    ..SECOND
};

impl Field {
    /// The set of what `text`, in upper case, allows; otherwise what is wrong with it.
    pub(super) fn parse(&self, text: &str) -> Result<Set, String> {
        let mut set = Set::default();
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(self.step(step)?)),
                None => (part, None),
            };
            let (first, last) = self.range(range, step.is_some())?;
            let span = self.max - self.min + 1;
            let end = if last < first { last + span } else { last };
            for value in (first..=end).step_by(usize::from(step.unwrap_or(1))) {
                // Every field's span is below 256.
                set.insert(u8::try_from((value - self.min) % span).unwrap_or(u8::MAX));
            }
        }
        Ok(set)
    }

    /// One value of the field, as a number or a name.
    pub(super) fn value(&self, text: &str) -> Result<u16, String> {
        if let Some(index) = self.names.iter().position(|name| *name == text) {
            return Ok(self.min + u16::try_from(index).unwrap_or(u16::MAX));
        }
        match text.chars().find(|char| !char.is_ascii_digit()) {
            _ if text.is_empty() => Err("Unexpected end of a value.".to_owned()),
            Some(char) if char.is_ascii_alphabetic() => {
                Err(format!("{} '{text}'", self.unknown_word))
            }
            Some(char) => Err(format!("Unexpected character: {char}")),
            None => number(text)
                .filter(|value| (self.min..=self.max).contains(value))
                .ok_or_else(|| self.out_of_range.to_owned()),
        }
    }

    fn range(&self, text: &str, stepped: bool) -> Result<(u16, u16), String> {
        if text == "*" || (text.is_empty() && stepped) {
            return Ok((self.min, self.max));
        }
        if text == "?" {
            return Err("'?' can only be specified for Day-of-Month or Day-of-Week.".to_owned());
        }
        let Some((first, last)) = text.split_once('-') else {
            let value = self.value(text)?;
            return Ok((value, if stepped { self.max } else { value }));
        };
        let (first, last) = (self.value(first)?, self.value(last)?);
        if last < first && self.min == YEAR.min {
            return Err("Start year must be less than stop year".to_owned());
        }
        Ok((first, last))
    }

    fn step(&self, text: &str) -> Result<u16, String> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("'/' must be followed by an integer.".to_owned());
        }
        let (max, limit) = self.step;
        match number(text) {
            Some(0) => Err("'/' must be followed by a positive integer.".to_owned()),
            Some(step) if step <= max => Ok(step),
            _ => Err(format!("Increment > {limit} : {text}")),
        }
    }
}

/// `text`, which has digits only, if it is short enough to be in any field.
fn number(text: &str) -> Option<u16> {
    (text.len() <= DIGITS_MAX).then(|| text.parse().ok()).flatten()
}
