//! What must be there again at the end. Documents are inputs of the calls that put them back, in the JSON form of AWS's
//! protocols, so that whatever a description holds also comes back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::name::VariantName;
use crate::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Saved {
    pub targets: Vec<SavedTarget>,
    /// The user's own alarms that name a policy of one of the targets.
    pub alarms: Vec<SavedAlarm>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedTarget {
    pub variant: VariantName,
    /// `ScalableDimension`.
    pub dimension: String,
    /// `ScalableTargetARN`, as it was when this was read; targets from before there were such ARNs have none.
    pub arn: Option<String>,
    /// Input of `RegisterScalableTarget`, without tags.
    pub target: Value,
    pub tags: BTreeMap<String, String>,
    pub policies: Vec<SavedPolicy>,
    /// By name.
    pub scheduled_actions: BTreeMap<String, SavedAction>,
    /// When this was read, in server time.
    pub as_of: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedPolicy {
    pub name: String,
    /// As it was when this was read: a policy that is put back gets another one.
    pub arn: String,
    /// Input of `PutScalingPolicy`.
    pub policy: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedAction {
    /// `CreationTime`, from which a rate counts.
    pub created_at: Timestamp,
    /// Input of `PutScheduledAction`.
    pub action: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedAlarm {
    pub name: String,
    /// Input of `PutMetricAlarm`, naming the policies by their ARNs as they were.
    pub alarm: Value,
}

impl Saved {
    pub fn target(&self, variant: &VariantName, dimension: &str) -> Option<&SavedTarget> {
        self.targets.iter().find(|one| one.variant == *variant && one.dimension == dimension)
    }

    pub(super) fn same_target(&self, other: &SavedTarget) -> Option<&SavedTarget> {
        self.target(&other.variant, &other.dimension)
    }

    pub fn alarm(&self, name: &str) -> Option<&SavedAlarm> {
        self.alarms.iter().find(|one| one.name == name)
    }
}

impl SavedTarget {
    pub fn policy(&self, name: &str) -> Option<&SavedPolicy> {
        self.policies.iter().find(|one| one.name == name)
    }

    /// `MinCapacity` and `MaxCapacity`.
    pub fn bounds(&self) -> (u32, u32) {
        let bound = |name: &str| {
            let bound = self.target.get(name).and_then(Value::as_f64).unwrap_or_default();
            count(bound)
        };
        (bound("MinCapacity"), bound("MaxCapacity"))
    }

    /// One flag of `SuspendedState`.
    pub(super) fn suspends(&self, flag: &str) -> bool {
        let state = self.target.get("SuspendedState");
        state.and_then(|state| state.get(flag)).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Input of a `RegisterScalableTarget` that changes the suspended state alone.
    pub(super) fn suspension(&self, dynamic_in: bool) -> Value {
        let member = |name: &str| self.target.get(name).cloned().unwrap_or_default();
        json!({
            "ServiceNamespace": member("ServiceNamespace"),
            "ResourceId": member("ResourceId"),
            "ScalableDimension": member("ScalableDimension"),
            "SuspendedState": {(SCALE_IN): dynamic_in},
        })
    }
}

/// The flag that keeps policies from taking instances away (`reference/autoscaling-and-cloudwatch.md`, section 5.1).
pub(super) const SCALE_IN: &str = "DynamicScalingInSuspended";

/// The flag that keeps scheduled actions from running (the same section).
pub(super) const SCHEDULED: &str = "ScheduledScalingSuspended";

/// A count that came as a JSON number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates at both ends, and makes 0 of what is not a number"
)]
pub(super) fn count(number: f64) -> u32 {
    number as u32
}
