//! CloudWatch alarms: what they are, and what state their datapoints put them in
//! (`reference/autoscaling-and-cloudwatch.md`, sections 6.3 to 6.5).
//!
//! Datapoints are handed in; nothing here fetches them or runs an action.

mod action;
mod change;
mod check;
mod evaluate;
pub mod history;
mod java;
mod name;
mod reason;
mod reason_data;
mod request;
mod window;

use serde::{Deserialize, Serialize};

pub use action::{actions_due, is_autoscaling};
pub use change::CREATED;
pub use check::{Kind, Refusal};
pub use evaluate::{Evaluation, Why, evaluate};
pub use java::JavaDouble;
pub use name::AlarmName;
pub use reason_data::{REASON_DATA_CHARS_MAX, Reading};
pub use request::Request;

use crate::members::Members;
use crate::metric::{Query, Stat};
use crate::time::Timestamp;

/// An alarm with its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    pub name: AlarmName,
    pub config: Config,
    pub configured_at: Timestamp,
    pub state: State,
}

/// What `PutMetricAlarm` says; replaced as a whole.
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
    /// Newer members of `PutMetricAlarm` that are kept and given back.
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

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($variant,)+
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As it is written on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Reads it as it is written on the wire.
            pub fn read(raw: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == raw)
            }
        }
    };
}

words! {
    /// `ComparisonOperator`, less the ones of anomaly detection.
    Comparison {
        GreaterThanOrEqualToThreshold = "GreaterThanOrEqualToThreshold",
        GreaterThanThreshold = "GreaterThanThreshold",
        LessThanThreshold = "LessThanThreshold",
        LessThanOrEqualToThreshold = "LessThanOrEqualToThreshold",
    }
}

words! {
    /// `TreatMissingData`.
    TreatMissing {
        Breaching = "breaching",
        NotBreaching = "notBreaching",
        Ignore = "ignore",
        Missing = "missing",
    }
}

words! {
    /// `EvaluateLowSampleCountPercentile`.
    LowSamples {
        Evaluate = "evaluate",
        Ignore = "ignore",
    }
}

words! {
    /// `StateValue`.
    StateValue {
        Ok = "OK",
        Alarm = "ALARM",
        InsufficientData = "INSUFFICIENT_DATA",
    }
}

impl Comparison {
    /// Whether a value is on the side of the threshold that alarms. One that is no number is not.
    pub fn breached(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThanOrEqualToThreshold => value >= threshold,
            Self::GreaterThanThreshold => value > threshold,
            Self::LessThanThreshold => value < threshold,
            Self::LessThanOrEqualToThreshold => value <= threshold,
        }
    }

    /// The operator as state reasons put it (section 6.5).
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::GreaterThanOrEqualToThreshold => "greater than or equal to",
            Self::GreaterThanThreshold => "greater than",
            Self::LessThanThreshold => "less than",
            Self::LessThanOrEqualToThreshold => "less than or equal to",
        }
    }
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

/// One item of `DescribeAlarmHistory`.
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

words! {
    /// `HistoryItemType`.
    HistoryKind {
        ConfigurationUpdate = "ConfigurationUpdate",
        StateUpdate = "StateUpdate",
        Action = "Action",
    }
}
