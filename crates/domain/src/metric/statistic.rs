//! What can be asked of a bucket.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Distribution;

/// Count, sum, minimum and maximum of the values in a bucket. An empty one has count 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Summary {
    pub count: f64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
}

impl Summary {
    /// One value, `count` times. A sum that no double can hold is the largest that one can.
    pub const fn of(value: f64, count: f64) -> Self {
        Self { count, sum: finite(value * count), min: value, max: value }
    }

    pub fn is_empty(&self) -> bool {
        self.count <= 0.0
    }

    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Self {
            count: finite(self.count + other.count),
            sum: finite(self.sum + other.sum),
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

/// Infinity as the largest number: what is stored and answered is finite always.
const fn finite(value: f64) -> f64 {
    value.clamp(f64::MIN, f64::MAX)
}

/// A statistic: the five basic ones, or an extended one.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// `p0` to `p100`.
    Percentile(f64),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a statistic that Tidegate has")]
pub struct UnknownStatistic(pub String);

impl Statistic {
    pub const fn is_extended(self) -> bool {
        matches!(self, Self::Percentile(_))
    }

    /// A basic statistic of a bucket. Nothing of an empty one, and no percentile.
    pub fn of_summary(self, summary: &Summary) -> Option<f64> {
        if summary.is_empty() {
            return None;
        }
        match self {
            Self::SampleCount => Some(summary.count),
            // A count may be a fraction, and the quotient too large for a double.
            Self::Average => Some(finite(summary.sum / summary.count)),
            Self::Sum => Some(summary.sum),
            Self::Minimum => Some(summary.min),
            Self::Maximum => Some(summary.max),
            Self::Percentile(_) => None,
        }
    }

    /// Any statistic of a bucket; nothing where there are no values, or not those that a percentile needs.
    pub fn of(self, distribution: &Distribution) -> Option<f64> {
        match self {
            Self::Percentile(rank) => distribution.percentile(rank),
            _ => self.of_summary(&distribution.summary()),
        }
    }
}

impl std::fmt::Display for Statistic {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SampleCount => out.write_str("SampleCount"),
            Self::Average => out.write_str("Average"),
            Self::Sum => out.write_str("Sum"),
            Self::Minimum => out.write_str("Minimum"),
            Self::Maximum => out.write_str("Maximum"),
            Self::Percentile(rank) => write!(out, "p{rank}"),
        }
    }
}

impl FromStr for Statistic {
    type Err = UnknownStatistic;

    fn from_str(raw: &str) -> Result<Self, UnknownStatistic> {
        let unknown = || UnknownStatistic(raw.to_owned());
        match raw {
            "SampleCount" => Ok(Self::SampleCount),
            "Average" => Ok(Self::Average),
            "Sum" => Ok(Self::Sum),
            "Minimum" => Ok(Self::Minimum),
            "Maximum" => Ok(Self::Maximum),
            _ => {
                let rank = raw.strip_prefix('p').ok_or_else(unknown)?;
                let digits = rank.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                let rank: f64 = rank.parse().ok().filter(|_| digits).ok_or_else(unknown)?;
                if (0.0..=100.0).contains(&rank) {
                    Ok(Self::Percentile(rank))
                } else {
                    Err(unknown())
                }
            }
        }
    }
}

impl TryFrom<String> for Statistic {
    type Error = UnknownStatistic;

    fn try_from(raw: String) -> Result<Self, UnknownStatistic> {
        raw.parse()
    }
}

impl From<Statistic> for String {
    fn from(statistic: Statistic) -> Self {
        statistic.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 6.2: the basic statistics, percentiles up to ten decimals; the trimmed ones are refused.
    #[test]
    fn statistics_are_read_and_written_as_cloudwatch_names_them() {
        for text in [
            "SampleCount",
            "Average",
            "Sum",
            "Minimum",
            "Maximum",
            "p0",
            "p99.9",
            "p100",
            "p0.0000000001",
        ] {
            let statistic: Statistic = text.parse().unwrap();
            assert_eq!(statistic.to_string(), text);
            assert_eq!(statistic.is_extended(), text.starts_with('p'));
        }
        assert_eq!("p0.0".parse(), Ok(Statistic::Percentile(0.0)));
        for text in [
            "", "p", "p.", "p-1", "p101", "pNaN", "pinf", "p1e1", "sum", "tm90", "wm99", "IQM",
            "PR(1:2)",
        ] {
            assert_eq!(text.parse::<Statistic>(), Err(UnknownStatistic(text.into())));
        }
    }

    #[test]
    fn each_statistic_of_a_bucket() {
        let mut values = Distribution::default();
        for value in [2.0, 4.0, 6.0, 4.0] {
            values.add(value);
        }
        for (statistic, expected) in [
            (Statistic::SampleCount, 4.0),
            (Statistic::Sum, 16.0),
            (Statistic::Average, 4.0),
            (Statistic::Minimum, 2.0),
            (Statistic::Maximum, 6.0),
            (Statistic::Percentile(75.0), 4.0),
            (Statistic::Percentile(76.0), 6.0),
        ] {
            assert_eq!(statistic.of(&values), Some(expected), "{statistic}");
            assert_eq!(statistic.of(&Distribution::EMPTY), None);
        }
    }

    #[test]
    fn sums_stay_finite() {
        let huge = Summary::of(f64::MAX, 2.0);
        assert_eq!(Statistic::Sum.of_summary(&huge.merge(huge)), Some(f64::MAX));
        assert_eq!(Statistic::Sum.of_summary(&Summary::of(f64::MIN, 2.0)), Some(f64::MIN));
        assert_eq!(Statistic::Average.of_summary(&Summary::of(f64::MAX, 0.5)), Some(f64::MAX));
    }
}
