//! Which state an alarm's datapoints put it in: M out of N, missing data, and the rule against early alarms
//! (section 6.4).
//!
//! An evaluation that changes nothing makes no text and allocates nothing: a sweep runs it for every alarm.

#[cfg(test)]
mod recorded;
#[cfg(test)]
pub(super) mod tests;

use std::time::Duration;

use super::reason::Findings;
use super::{Alarm, Config, State, StateValue, TreatMissing};
use crate::metric::{Point, Statistic};
use crate::time::Timestamp;

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation<'a> {
    /// What the alarm is in from now on.
    pub value: StateValue,
    /// The state it enters; none where it stays in the one it was in.
    pub state: Option<State>,
    pub why: Why,
    /// The datapoints that it was decided on, oldest first: real ones, at most N. What scaling policies go by.
    pub recent: &'a [Point],
    pub threshold: f64,
    /// How many of `recent` are on the alarming side of the threshold.
    pub breaching: u32,
    /// How many of the N periods had no datapoint.
    pub missing: u32,
    /// M of "M out of N".
    pub needed: u32,
    pub evaluated_at: Timestamp,
}

impl Evaluation<'_> {
    /// The values of `recent`.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.recent.iter().map(|point| point.value)
    }
}

/// What decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The datapoints, with what missing ones count as.
    Datapoints,
    /// There is no datapoint at all.
    NoData,
    /// There are fewer than M datapoints, but the oldest is M periods old, and it and all newer ones breach.
    BreachedLongAgo,
    /// There are fewer than M datapoints and they breach, but a newer one may yet not: the state stays.
    TooEarly,
    /// Too few samples for the percentile, with `ignore`: the state stays.
    TooFewSamples,
}

/// Evaluates an alarm.
///
/// `points` are datapoints of what it watches at its period, oldest first; those outside of
/// [`Config::needed_window`] do not count. `settle` is as there.
pub fn evaluate<'a>(
    alarm: &Alarm,
    points: &'a [Point],
    now: Timestamp,
    settle: Duration,
) -> Evaluation<'a> {
    let config = &alarm.config;
    let window = config.needed_window(now, settle);
    let within = within(points, window);
    let periods = config.evaluation_periods.max(1);
    let skipped = within.len().saturating_sub(periods as usize);
    let recent = within.get(skipped..).unwrap_or_default();
    let breaching =
        count(recent, |point| config.comparison.breached(point.value, config.threshold));
    let tally = Tally {
        breaching,
        sound: count(recent, |_| true) - breaching,
        periods,
        needed: config.needed(),
        oldest_age: recent.first().map_or(0, |point| age(point, window.1, config)),
    };
    let (reached, why) = decide(config, &tally, recent);
    let value = reached.unwrap_or(alarm.state.value);
    let missing = tally.missing();
    let findings = Findings { config, value, recent, missing, window, now };
    let state = (value != alarm.state.value).then(|| findings.state());
    Evaluation {
        value,
        state,
        why,
        recent,
        threshold: config.threshold,
        breaching,
        missing,
        needed: tally.needed,
        evaluated_at: now,
    }
}

struct Tally {
    breaching: u32,
    sound: u32,
    periods: u32,
    needed: u32,
    /// Of the oldest datapoint that counts, in periods: 1 in the newest period.
    oldest_age: u32,
}

impl Tally {
    const fn real(&self) -> u32 {
        self.breaching + self.sound
    }

    const fn missing(&self) -> u32 {
        self.periods.saturating_sub(self.real())
    }
}

/// The state that the datapoints say; none where they say nothing.
fn decide(config: &Config, tally: &Tally, recent: &[Point]) -> (Option<StateValue>, Why) {
    let treatment = config.treatment();
    if tally.real() == 0 {
        let value = match treatment {
            TreatMissing::Missing => Some(StateValue::InsufficientData),
            TreatMissing::Ignore => None,
            TreatMissing::Breaching => Some(StateValue::Alarm),
            TreatMissing::NotBreaching => Some(StateValue::Ok),
        };
        return (value, Why::NoData);
    }
    if config.ignores_low_samples() && too_few_samples(config, recent) {
        return (None, Why::TooFewSamples);
    }
    let treated = match treatment {
        TreatMissing::Breaching => tally.breaching + tally.missing(),
        TreatMissing::NotBreaching | TreatMissing::Ignore | TreatMissing::Missing => {
            tally.breaching
        }
    };
    if treated >= tally.needed {
        return (Some(StateValue::Alarm), Why::Datapoints);
    }
    let filled = matches!(treatment, TreatMissing::Breaching | TreatMissing::NotBreaching);
    if filled || tally.sound > 0 {
        return (Some(StateValue::Ok), Why::Datapoints);
    }
    // All that there is breaches, and it is less than M.
    if tally.oldest_age < tally.needed {
        return (None, Why::TooEarly);
    }
    let value = (treatment == TreatMissing::Missing).then_some(StateValue::Alarm);
    (value, Why::BreachedLongAgo)
}

impl Config {
    /// What missing data counts as. AWS's default is `ignore` where all metrics are `DynamoDB`'s, else `missing`.
    pub(super) fn treatment(&self) -> TreatMissing {
        self.treat_missing.unwrap_or_else(|| {
            let mut metrics = self.metrics().peekable();
            let sparse = metrics.peek().is_some();
            if sparse && metrics.all(|metric| &*metric.namespace == "AWS/DynamoDB") {
                TreatMissing::Ignore
            } else {
                TreatMissing::Missing
            }
        })
    }
}

/// 10 samples, times the factor between a rank and a fraction.
const TEN_PERCENT: f64 = 10.0 * 100.0;
/// What decimal ranks such as 99.9 lose in binary.
const SLACK: f64 = 1e-6;

/// Section 6.4: fewer than 10/(1-p) samples for p from 0.5 on, 10/p below; the ends, p0 and p100, need none.
fn too_few_samples(config: &Config, recent: &[Point]) -> bool {
    let Some(Statistic::Percentile(rank)) = config.statistic() else { return false };
    let tail = if rank >= 50.0 { 100.0 - rank } else { rank };
    if tail <= 0.0 {
        return false;
    }
    let samples: f64 = recent.iter().filter_map(|point| point.samples).sum();
    samples * tail < TEN_PERCENT - SLACK
}

/// The points of a window.
fn within(points: &[Point], (from, to): (Timestamp, Timestamp)) -> &[Point] {
    let first = points.partition_point(|point| point.at < from);
    let end = points.partition_point(|point| point.at < to);
    points.get(first..end).unwrap_or_default()
}

fn count(points: &[Point], mut which: impl FnMut(&Point) -> bool) -> u32 {
    let found = points.iter().filter(|point| which(point)).count();
    u32::try_from(found).unwrap_or(u32::MAX)
}

/// How old a datapoint is, in periods: 1 in the newest period of a window that ends at `to`.
pub(super) fn age(point: &Point, to: Timestamp, config: &Config) -> u32 {
    let period = u64::from(config.period_secs()) * 1000;
    let millis = u64::try_from(to.since(point.at).as_millis()).unwrap_or(u64::MAX);
    u32::try_from(millis.div_ceil(period)).unwrap_or(u32::MAX)
}
