//! `DeploymentConfig`, read: what it asks for, and why it is refused.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::portion::Size;
use crate::members::Members;
use crate::name::VariantName;

/// What an update is guarded by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardrails {
    pub policy: Policy,
    /// Names of the CloudWatch alarms that end the update when they go off.
    pub alarms: Vec<String>,
    /// Server time that the whole may take; no limit where none is given.
    pub timeout_secs: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Policy {
    /// A whole new fleet beside the old one.
    BlueGreen {
        shift: Shift,
        /// Bake after each shift but the last.
        wait_secs: u32,
        /// Bake with all traffic on the new fleet, before the old one ends.
        termination_wait_secs: u32,
    },
    /// Batch by batch, each taking the place of as many old instances.
    Rolling {
        batch: Size,
        /// Bake after each batch.
        wait_secs: u32,
        /// None: the whole old fleet comes back at once.
        rollback_batch: Option<Size>,
    },
}

/// How traffic moves from the old fleet to the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shift {
    AllAtOnce,
    /// This much first, then the rest.
    Canary(Size),
    /// In steps of this much.
    Linear(Size),
}

impl Default for Guardrails {
    /// What an update without a `DeploymentConfig` does: all at once, without a bake.
    fn default() -> Self {
        let policy =
            Policy::BlueGreen { shift: Shift::AllAtOnce, wait_secs: 0, termination_wait_secs: 0 };
        Self { policy, alarms: Vec::new(), timeout_secs: None }
    }
}

/// Why a `DeploymentConfig` is refused. AWS's wording is not known (`reference/sagemaker-hosting.md`, section 1.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "Specify only one of BlueGreenUpdatePolicy and RollingUpdatePolicy in DeploymentConfig."
    )]
    TwoPolicies,
    #[error("{member} is required when TrafficRoutingConfiguration.Type is {kind}.")]
    SizeMissing { member: &'static str, kind: &'static str },
    #[error("{member} can only be specified when TrafficRoutingConfiguration.Type is {kind}.")]
    SizeUnused { member: &'static str, kind: &'static str },
    #[error("{member} must be between {least} and {most} percent of the variant's capacity.")]
    SizeOutOfRange { member: &'static str, least: u32, most: u32 },
    #[error(
        "{member} must be at most {most} percent of the capacity of the variant \"{variant}\", which has {total} instance(s)."
    )]
    SizeTooLarge { member: &'static str, most: u32, variant: VariantName, total: u32 },
    #[error(
        "MaximumExecutionTimeoutInSeconds must be greater than the sum of all wait times, which is {0} seconds."
    )]
    TimeoutTooShort(u64),
    #[error("The alarm name \"{0}\" was non-unique within AutoRollbackConfiguration.")]
    DuplicateAlarm(String),
    #[error("Rolling deployments are not supported for endpoints with more than one variant.")]
    RollingOfSeveral,
    #[error(
        "{0} requires the same variant names in the current and in the new endpoint configuration."
    )]
    VariantsDiffer(&'static str),
}

/// A variant on both sides of an update, with the instances that it has and is to have.
type Pair<'a> = (&'a VariantName, Option<u32>, Option<u32>);

impl Guardrails {
    /// Reads a `DeploymentConfig` whose members are each well formed.
    pub fn read(config: &Members) -> Result<Self, Refusal> {
        let blue_green = config.at(&["BlueGreenUpdatePolicy"]);
        let rolling = config.at(&["RollingUpdatePolicy"]);
        let (policy, given) = match (blue_green, rolling) {
            (Some(_), Some(_)) => return Err(Refusal::TwoPolicies),
            (_, Some(rolling)) => (read_rolling(rolling)?, rolling),
            (Some(blue_green), None) => (read_blue_green(blue_green)?, blue_green),
            (None, None) => (Self::default().policy, &Value::Null),
        };
        let alarms = config.at(&["AutoRollbackConfiguration", "Alarms"]).and_then(Value::as_array);
        let names =
            alarms.into_iter().flatten().filter_map(|alarm| alarm.get("AlarmName")?.as_str());
        let alarms: Vec<String> = names.map(str::to_owned).collect();
        let mut seen = BTreeSet::new();
        if let Some(twice) = alarms.iter().find(|name| !seen.insert(*name)) {
            return Err(Refusal::DuplicateAlarm(twice.clone()));
        }
        let timeout_secs = number(given, "MaximumExecutionTimeoutInSeconds");
        Ok(Self { policy, alarms, timeout_secs })
    }

    /// Whether the update of these variants can be guarded so: each with its instances in the old deployment and in the
    /// new one, where it has them.
    pub fn check(&self, variants: &[Pair<'_>]) -> Result<(), Refusal> {
        let staged = match self.policy {
            Policy::BlueGreen { shift: Shift::AllAtOnce, .. } => None,
            Policy::BlueGreen { shift: Shift::Canary(size), .. } => {
                Some(("CanarySize", size, "Canary traffic shifting"))
            }
            Policy::BlueGreen { shift: Shift::Linear(size), .. } => {
                Some(("LinearStepSize", size, "Linear traffic shifting"))
            }
            Policy::Rolling { batch, .. } => {
                Some(("MaximumBatchSize", batch, "A rolling deployment"))
            }
        };
        if let Some((member, size, what)) = staged {
            if variants.iter().any(|(_, old, new)| old.is_none() || new.is_none()) {
                return Err(Refusal::VariantsDiffer(what));
            }
            if matches!(self.policy, Policy::Rolling { .. }) && variants.len() > 1 {
                return Err(Refusal::RollingOfSeveral);
            }
            for (variant, _, new) in variants {
                let total = new.unwrap_or(0);
                if !size.is_at_most_half_of(total) {
                    return Err(Refusal::SizeTooLarge {
                        member,
                        most: 50,
                        variant: (*variant).clone(),
                        total,
                    });
                }
            }
        }
        let totals = variants.iter().map(|(_, old, new)| old.unwrap_or(0).max(new.unwrap_or(0)));
        let waits = self.waits(totals.max().unwrap_or(1));
        match self.timeout_secs {
            Some(timeout) if u64::from(timeout) <= waits => Err(Refusal::TimeoutTooShort(waits)),
            _ => Ok(()),
        }
    }

    /// Steps until all traffic is on the new fleet, for the largest of its variants.
    pub(super) fn steps(&self, total: u32) -> u32 {
        match self.policy {
            Policy::BlueGreen { shift: Shift::AllAtOnce, .. } => 1,
            Policy::BlueGreen { shift: Shift::Canary(_), .. } => 2,
            Policy::BlueGreen { shift: Shift::Linear(size), .. }
            | Policy::Rolling { batch: size, .. } => size.steps(total),
        }
    }

    /// Instances of a fleet of `total` that have moved after a step.
    pub(super) fn moved(&self, step: u32, steps: u32, total: u32) -> u32 {
        if step >= steps {
            return total;
        }
        match self.policy {
            Policy::BlueGreen { shift: Shift::AllAtOnce, .. } => 0,
            Policy::BlueGreen { shift: Shift::Canary(size) | Shift::Linear(size), .. }
            | Policy::Rolling { batch: size, .. } => size.after(step, total),
        }
    }

    /// How long the bake after a step takes.
    pub const fn bake_secs(&self, step: u32, steps: u32) -> u32 {
        match self.policy {
            Policy::BlueGreen { termination_wait_secs, .. } if step >= steps => {
                termination_wait_secs
            }
            Policy::BlueGreen { wait_secs, .. } | Policy::Rolling { wait_secs, .. } => wait_secs,
        }
    }

    /// All bakes of an update whose largest variant has `total` instances, in seconds.
    pub fn waits(&self, total: u32) -> u64 {
        let steps = self.steps(total);
        let before_last = u64::from(self.bake_secs(0, steps)) * u64::from(steps.saturating_sub(1));
        before_last + u64::from(self.bake_secs(steps, steps))
    }
}

fn read_blue_green(given: &Value) -> Result<Policy, Refusal> {
    let routing = given.get("TrafficRoutingConfiguration").unwrap_or(&Value::Null);
    let (canary, linear) = (size(routing, "CanarySize"), size(routing, "LinearStepSize"));
    let unused = |member, kind, given: Option<Size>| match given {
        Some(_) => Err(Refusal::SizeUnused { member, kind }),
        None => Ok(()),
    };
    let missing = |member, kind| Refusal::SizeMissing { member, kind };
    let kind = routing.get("Type").and_then(Value::as_str).unwrap_or_default();
    if kind != "CANARY" {
        unused("CanarySize", "CANARY", canary)?;
    }
    if kind != "LINEAR" {
        unused("LinearStepSize", "LINEAR", linear)?;
    }
    let shift = match kind {
        "CANARY" => Shift::Canary(within(
            "CanarySize",
            1,
            canary.ok_or_else(|| missing("CanarySize", "CANARY"))?,
        )?),
        "LINEAR" => Shift::Linear(within(
            "LinearStepSize",
            10,
            linear.ok_or_else(|| missing("LinearStepSize", "LINEAR"))?,
        )?),
        _ => Shift::AllAtOnce,
    };
    Ok(Policy::BlueGreen {
        shift,
        wait_secs: number(routing, "WaitIntervalInSeconds").unwrap_or(0),
        termination_wait_secs: number(given, "TerminationWaitInSeconds").unwrap_or(0),
    })
}

fn read_rolling(given: &Value) -> Result<Policy, Refusal> {
    let batch = size(given, "MaximumBatchSize").unwrap_or(Size::Count(1));
    let whole = |size: &Size| size.is_whole();
    Ok(Policy::Rolling {
        batch: within("MaximumBatchSize", 5, batch)?,
        wait_secs: number(given, "WaitIntervalInSeconds").unwrap_or(0),
        rollback_batch: size(given, "RollbackMaximumBatchSize").filter(|size| !whole(size)),
    })
}

/// A part of a fleet, from `least` to 50 percent of it. How many instances that may be is known with the fleet.
fn within(member: &'static str, least: u32, size: Size) -> Result<Size, Refusal> {
    match size {
        Size::Percent(percent) if !(least..=50).contains(&percent) => {
            Err(Refusal::SizeOutOfRange { member, least, most: 50 })
        }
        _ => Ok(size),
    }
}

fn size(given: &Value, member: &str) -> Option<Size> {
    let size = given.get(member).filter(|size| !size.is_null())?;
    let value = number(size, "Value")?;
    match size.get("Type").and_then(Value::as_str)? {
        "INSTANCE_COUNT" => Some(Size::Count(value)),
        _ => Some(Size::Percent(value)),
    }
}

fn number(given: &Value, member: &str) -> Option<u32> {
    given.get(member)?.as_u64().and_then(|number| u32::try_from(number).ok())
}
