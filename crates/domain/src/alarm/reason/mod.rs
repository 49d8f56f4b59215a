//! `StateReason`: a new state in AWS's words (section 6.5; the order and number of datapoints as native alarms have
//! been recorded).

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::java::{JavaDouble, short_date};
use super::{Config, State, StateValue, TreatMissing};
use crate::metric::Point;
use crate::time::Timestamp;

/// From so many datapoints on, a reason no longer lists them all.
const LISTED_BELOW: usize = 5;
/// But only the newest.
const NEWEST: usize = 5;

/// What the text of a new state is made of.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    pub(super) config: &'a Config,
    /// The new value.
    pub(super) value: StateValue,
    /// The datapoints that count, oldest first.
    pub(super) recent: &'a [Point],
    /// How many of the N periods had none.
    pub(super) missing: u32,
    pub(super) window: (Timestamp, Timestamp),
    pub(super) now: Timestamp,
}

impl Findings<'_> {
    pub(super) fn state(&self) -> State {
        State {
            value: self.value,
            reason: self.reason(),
            reason_data: Some(self.reason_data()),
            updated_at: self.now,
            transitioned_at: self.now,
        }
    }

    /// The datapoints that speak for the new state, newest first.
    pub(super) fn deciding(&self) -> impl Iterator<Item = &Point> {
        let Config { comparison, threshold, .. } = *self.config;
        let alarms = self.value == StateValue::Alarm;
        let speaks = move |point: &&Point| comparison.breached(point.value, threshold) == alarms;
        self.recent.iter().rev().filter(speaks)
    }

    /// How many datapoints the transition to the new state takes.
    pub(super) fn least(&self) -> u32 {
        let needed = self.config.needed();
        match self.value {
            StateValue::Ok => {
                self.config.evaluation_periods.saturating_sub(needed).saturating_add(1)
            }
            StateValue::Alarm | StateValue::InsufficientData => needed,
        }
    }

    fn reason(&self) -> String {
        let periods = self.config.evaluation_periods;
        if self.value == StateValue::InsufficientData {
            return format!(
                "Insufficient Data: {} unknown.",
                counted(periods, "datapoint", Tense::Was)
            );
        }
        let deciding = self.deciding().count();
        let mut text = "Threshold Crossed: ".to_owned();
        if deciding == 0 {
            let received = u32::try_from(self.recent.len()).unwrap_or(u32::MAX);
            let datapoints = match received {
                0 => "no datapoints were".to_owned(),
                some => counted(some, "datapoint", Tense::Was),
            };
            let over = counted(periods, "period", Tense::None);
            let missing = self.missing_clause().unwrap_or_default();
            // Writing into a string cannot fail, here and below.
            let _ = write!(text, "{datapoints} received for {over}{missing}.");
            return text;
        }
        self.write_deciding(&mut text, deciding);
        text
    }

    fn write_deciding(&self, text: &mut String, deciding: usize) {
        let Config { comparison, threshold, evaluation_periods, datapoints_to_alarm, .. } =
            *self.config;
        let alarms = self.value == StateValue::Alarm;
        let short = deciding < LISTED_BELOW;
        let _ = match datapoints_to_alarm {
            Some(_) => write!(text, "{deciding} out of the last {evaluation_periods} datapoints"),
            None => write!(text, "{deciding} datapoint{}", if deciding == 1 { "" } else { "s" }),
        };
        if short {
            let _ = write!(text, " [{}]", self.listed(deciding));
        }
        let verb = if deciding == 1 { "was" } else { "were" };
        let not = if alarms { "" } else { "not " };
        let (phrase, threshold) = (comparison.phrase(), JavaDouble(threshold));
        let missing = self.missing_clause().unwrap_or_default();
        let _ = write!(text, " {verb} {not}{phrase} the threshold ({threshold}){missing}");
        if !short {
            let crossed = if alarms { " which crossed the threshold" } else { "" };
            let _ =
                write!(text, ". The most recent datapoints{crossed}: [{}]", self.listed(NEWEST));
        }
        if datapoints_to_alarm.is_some() {
            let least = counted(self.least(), "datapoint", Tense::None);
            let way = if alarms { "OK -> ALARM" } else { "ALARM -> OK" };
            let _ = write!(text, " (minimum {least} for {way} transition)");
        }
        text.push('.');
    }

    /// The newest deciding datapoints: `3.0 (18/02/23 16:42:00), …`.
    fn listed(&self, most: usize) -> String {
        let shown =
            |point: &Point| format!("{} ({})", JavaDouble(point.value), short_date(point.at));
        self.deciding().take(most).map(shown).collect::<Vec<_>>().join(", ")
    }

    /// ` and 2 missing datapoints were treated as [Breaching]`, where missing data is filled in at all.
    fn missing_clause(&self) -> Option<String> {
        let word = match self.config.treatment() {
            TreatMissing::Breaching => "Breaching",
            TreatMissing::NotBreaching => "NonBreaching",
            TreatMissing::Ignore | TreatMissing::Missing => return None,
        };
        let missing = counted(self.missing, "missing datapoint", Tense::Was);
        (self.missing > 0).then(|| format!(" and {missing} treated as [{word}]"))
    }
}

#[derive(Clone, Copy)]
enum Tense {
    None,
    Was,
}

/// `1 datapoint was`, `3 datapoints were`, `2 periods`.
fn counted(count: u32, noun: &str, tense: Tense) -> String {
    let plural = if count == 1 { "" } else { "s" };
    let verb = match (tense, count) {
        (Tense::None, _) => "",
        (Tense::Was, 1) => " was",
        (Tense::Was, _) => " were",
    };
    format!("{count} {noun}{plural}{verb}")
}
