//! What `PutMetricAlarm` and `SetAlarmState` refuse, in AWS's words (section 6.3; where that has none, as clients have
//! reported the service's answers).

use super::{Config, LowSamples, Watch};
use crate::metric::math::{self, MathError};

/// The longest time that an alarm of periods below an hour looks back upon, in seconds (section 6.3).
const REACH_SECS_MAX: u64 = 86_400;
/// The same for periods from an hour on.
const REACH_OF_HOURS_SECS_MAX: u64 = 604_800;
const HOUR_SECS: u32 = 3600;
/// Which of CloudWatch's errors a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `ValidationError` where the protocol is Query, `ValidationException` in the others.
    Validation,
    /// `InvalidParameterValue`.
    InvalidParameterValue,
    /// `InvalidFormat`.
    InvalidFormat,
}

/// Why a request is refused. Nothing changes then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "1 validation error detected: Value '{0}' at 'alarmName' failed to satisfy constraint: Member must have length \
         between 1 and 255, inclusive"
    )]
    NameLength(String),
    #[error("AlarmName must not contain ASCII Control characters")]
    NameControl,
    /// A member that a metric or every alarm needs.
    #[error("{0} must not be null")]
    Absent(&'static str),
    #[error("PutMetricAlarm request should have a Statistic parameter")]
    NoStatistic,
    #[error("PutMetricAlarm request should have a Period parameter")]
    NoPeriod,
    #[error("PutMetricAlarm request should have an EvaluationPeriods parameter")]
    NoEvaluationPeriods,
    #[error("PutMetricAlarm request should have a valid ComparisonOperator parameter")]
    NoComparison,
    #[error("PutMetricAlarm request should have valid Threshold parameter")]
    NoThreshold,
    #[error("Threshold and ThresholdMetricId cannot both be set")]
    TwoThresholds,
    #[error(
        "PutMetricAlarm request can not be made with both Statistic and ExtendedStatistic parameters. Only one of them \
         should be present"
    )]
    TwoStatistics,
    #[error("The value {0} for parameter ExtendedStatistic is not supported.")]
    ExtendedStatistic(String),
    #[error("The value {0} for parameter Stat is not supported.")]
    Stat(String),
    #[error(
        "The value {0} is not supported for TreatMissingData parameter. Supported values are [breaching, notBreaching, \
         ignore, missing]."
    )]
    TreatMissing(String),
    #[error(
        "Option {0} is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and \
         ignore."
    )]
    LowSamples(String),
    #[error(
        "Option evaluateLowSampleCountPercentile can not be applied with statistic {0}. This option is enabled only for \
         percentile statistics."
    )]
    LowSamplesOf(String),
    #[error("Period must be 10, 20, 30 or a multiple of 60")]
    Period,
    #[error("DatapointsToAlarm must be less than or equal to EvaluationPeriods")]
    DatapointsToAlarm,
    #[error("{0} must be at least 1")]
    Zero(&'static str),
    #[error(
        "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400) for alarms using \
         period < 3600"
    )]
    MoreThanADay,
    #[error(
        "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800) for alarms \
         using period >= 3600"
    )]
    MoreThanAWeek,
    #[error("{0} should not be set if list of Metrics is set.")]
    BesideMetrics(&'static str),
    #[error(
        "The parameters MetricDataQuery Expression and MetricStat are mutually exclusive and you have specified both."
    )]
    ExpressionAndStat,
    /// The queries are wrong in themselves.
    #[error(transparent)]
    Math(#[from] MathError),
    #[error("Tidegate does not support {0} of alarms yet.")]
    Lacking(&'static str),
    #[error("StateReasonData was not valid JSON")]
    ReasonData,
}

impl Refusal {
    pub const fn kind(&self) -> Kind {
        match self {
            Self::ExtendedStatistic(_) | Self::Stat(_) => Kind::InvalidParameterValue,
            Self::ReasonData => Kind::InvalidFormat,
            Self::NameLength(_)
            | Self::NameControl
            | Self::Absent(_)
            | Self::NoStatistic
            | Self::NoPeriod
            | Self::NoEvaluationPeriods
            | Self::NoComparison
            | Self::NoThreshold
            | Self::TwoThresholds
            | Self::TwoStatistics
            | Self::TreatMissing(_)
            | Self::LowSamples(_)
            | Self::LowSamplesOf(_)
            | Self::Period
            | Self::DatapointsToAlarm
            | Self::Zero(_)
            | Self::MoreThanADay
            | Self::MoreThanAWeek
            | Self::BesideMetrics(_)
            | Self::ExpressionAndStat
            | Self::Math(_)
            | Self::Lacking(_) => Kind::Validation,
        }
    }
}

impl Config {
    /// Whether an alarm may be configured so. Lengths of texts and lists are the wire's to check.
    pub fn check(&self) -> Result<(), Refusal> {
        if !self.threshold.is_finite() {
            return Err(Refusal::NoThreshold);
        }
        if self.evaluation_periods == 0 {
            return Err(Refusal::Zero("EvaluationPeriods"));
        }
        if self.datapoints_to_alarm == Some(0) {
            return Err(Refusal::Zero("DatapointsToAlarm"));
        }
        if self.datapoints_to_alarm.is_some_and(|needed| needed > self.evaluation_periods) {
            return Err(Refusal::DatapointsToAlarm);
        }
        match &self.watch {
            Watch::Metric(stat) => {
                let period = stat.period.ok_or(Refusal::NoPeriod)?;
                if self.evaluate_low_samples.is_some() && !stat.statistic.is_extended() {
                    return Err(Refusal::LowSamplesOf(stat.statistic.to_string()));
                }
                self.check_period(period)
            }
            Watch::Math(queries) => {
                math::check(queries, true)?;
                self.check_period(self.period_secs())
            }
        }
    }

    fn check_period(&self, period: u32) -> Result<(), Refusal> {
        if !matches!(period, 10 | 20 | 30) && (period == 0 || !period.is_multiple_of(60)) {
            return Err(Refusal::Period);
        }
        let reach = u64::from(period) * u64::from(self.evaluation_periods);
        if period < HOUR_SECS && reach > REACH_SECS_MAX {
            return Err(Refusal::MoreThanADay);
        }
        if reach > REACH_OF_HOURS_SECS_MAX {
            return Err(Refusal::MoreThanAWeek);
        }
        Ok(())
    }

    pub(super) fn ignores_low_samples(&self) -> bool {
        self.evaluate_low_samples == Some(LowSamples::Ignore)
    }
}
