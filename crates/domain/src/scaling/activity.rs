//! Scaling activities: what was done to a target's capacity, or why nothing was, in AWS's words
//! (`reference/autoscaling-and-cloudwatch.md`, sections 5.2 and 5.3).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ResourceId;
use crate::alarm::AlarmName;
use crate::time::Timestamp;
use crate::uuid::Uuid;

/// A scaling activity (section 5.2). It outlives its target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    pub resource: ResourceId,
    pub id: Uuid,
    pub description: String,
    pub cause: String,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub status: ActivityStatus,
    pub status_message: Option<String>,
    pub details: Option<String>,
    /// Only of activities that came to nothing (section 5.3).
    pub not_scaled: Option<NotScaled>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActivityStatus {
    Pending,
    InProgress,
    Successful,
    Overridden,
    Unfulfilled,
    Failed,
}

impl ActivityStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Successful => "Successful",
            Self::Overridden => "Overridden",
            Self::Unfulfilled => "Unfulfilled",
            Self::Failed => "Failed",
        }
    }
}

/// Why nothing was changed, with the capacity that AWS names beside the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotScaled {
    AlreadyAtMaxCapacity {
        max: u32,
    },
    AlreadyAtMinCapacity {
        min: u32,
    },
    /// The capacity is not told while a change is in flight.
    AlreadyAtDesiredCapacity {
        current: Option<u32>,
    },
    TargetServicePutResourceAsUnscalable,
    AutoScalingAnticipatedFlapping,
}

impl NotScaled {
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlreadyAtMaxCapacity { .. } => "AlreadyAtMaxCapacity",
            Self::AlreadyAtMinCapacity { .. } => "AlreadyAtMinCapacity",
            Self::AlreadyAtDesiredCapacity { .. } => "AlreadyAtDesiredCapacity",
            Self::TargetServicePutResourceAsUnscalable => "TargetServicePutResourceAsUnscalable",
            Self::AutoScalingAnticipatedFlapping => "AutoScalingAnticipatedFlapping",
        }
    }

    /// The status of its activity (section 5.3; those of the last two are not known).
    pub const fn status(self) -> ActivityStatus {
        match self {
            Self::AlreadyAtDesiredCapacity { .. } => ActivityStatus::Successful,
            Self::AlreadyAtMaxCapacity { .. }
            | Self::AlreadyAtMinCapacity { .. }
            | Self::TargetServicePutResourceAsUnscalable
            | Self::AutoScalingAnticipatedFlapping => ActivityStatus::Failed,
        }
    }
}

/// Why capacity or its bounds change: what an activity's `Cause` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    Alarm { policy: String, alarm: AlarmName },
    Schedule { action: String },
    MinimumSet(u32),
    MaximumSet(u32),
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alarm { policy, alarm } => {
                write!(out, "monitor alarm {alarm} in state ALARM triggered policy {policy}")
            }
            Self::Schedule { action } => {
                write!(out, "scheduled action name {action} was triggered")
            }
            Self::MinimumSet(min) => write!(out, "minimum capacity was set to {min}"),
            Self::MaximumSet(max) => write!(out, "maximum capacity was set to {max}"),
        }
    }
}

/// A change of capacity that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub from: u32,
    pub to: u32,
    pub cause: Cause,
    /// The cooldown that its success opens; none where a policy did not cause it.
    pub cooldown_secs: Option<u32>,
}
