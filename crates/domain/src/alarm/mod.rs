//! CloudWatch alarms: what they are, and what state their datapoints put them in
//! (`reference/autoscaling-and-cloudwatch.md`, sections 6.3 to 6.5).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::members::Members;
use crate::metric::{Query, Stat};
use crate::time::Timestamp;

/// An alarm's name: 1 to 255 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlarmName(Arc<str>);

impl AlarmName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for AlarmName {
    fn from(raw: &str) -> Self {
        Self(raw.into())
    }
}

impl fmt::Display for AlarmName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl std::borrow::Borrow<str> for AlarmName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// An alarm with its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    pub name: AlarmName,
    pub config: Config,
    pub configured_at: Timestamp,
    pub state: State,
}

/// What PutMetricAlarm says; replaced as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub description: Option<String>,
    pub actions_enabled: bool,
    pub ok_actions: Vec<String>,
    pub alarm_actions: Vec<String>,
    pub insufficient_data_actions: Vec<String>,
    pub watch: Watch,
    pub evaluation_periods: u32,
    pub datapoints_to_alarm: Option<u32>,
    pub threshold: f64,
    pub comparison: Comparison,
    /// Absent means `missing`, and is not echoed.
    pub treat_missing: Option<TreatMissing>,
    /// `EvaluateLowSampleCountPercentile`: whether percentiles of few samples are evaluated.
    pub evaluate_low_samples: Option<LowSamples>,
    /// Newer members of PutMetricAlarm that are kept and given back.
    pub kept: Members,
}

/// What an alarm looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Watch {
    /// One statistic of one metric; its period is present.
    Metric(Stat),
    /// Metric math: exactly one query returns data.
    Math(Vec<Query>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    GreaterThanOrEqualToThreshold,
    GreaterThanThreshold,
    LessThanThreshold,
    LessThanOrEqualToThreshold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TreatMissing {
    Breaching,
    NotBreaching,
    Ignore,
    Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LowSamples {
    Evaluate,
    Ignore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StateValue {
    Ok,
    Alarm,
    InsufficientData,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub value: StateValue,
    pub reason: String,
    /// JSON (section 6.5).
    pub reason_data: Option<String>,
    pub updated_at: Timestamp,
    pub transitioned_at: Timestamp,
}

/// One item of DescribeAlarmHistory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryItem {
    pub alarm: AlarmName,
    pub at: Timestamp,
    /// Tells items of one alarm and moment apart, in the order in which they happened.
    pub sequence: u64,
    pub kind: HistoryKind,
    /// At most 255 characters.
    pub summary: String,
    /// JSON, at most 4,095 characters.
    pub data: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HistoryKind {
    ConfigurationUpdate,
    StateUpdate,
    Action,
}
