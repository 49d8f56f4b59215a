//! What is there now. Whoever carries out a run fills it before every decision.

use std::collections::BTreeMap;

use super::saved::Saved;
use crate::name::{EndpointConfigName, VariantName};
use crate::safe_update::facts::Running;
use crate::time::Timestamp;

/// `EndpointStatus` in which everything may be changed (`reference/sagemaker-hosting.md`, section 2).
pub(super) const IN_SERVICE: &str = "InService";

/// Statuses that pass by themselves (the same section).
const PASSING: [&str; 4] = ["Creating", "Updating", "SystemUpdating", "RollingBack"];

#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub endpoint: SeenEndpoint,
    /// In the same form as what was saved; ARNs are the present ones. Not looked at while the endpoint
    /// [is moving](SeenEndpoint::is_moving).
    pub scaling: Saved,
    /// What the target tracking policies see, by variant, where that can be read; looked at where
    /// [the run needs it](super::Run::needs_readings).
    pub readings: BTreeMap<VariantName, Vec<Reading>>,
    /// Whether the config that the run goes to cannot be found.
    pub aim_gone: bool,
    /// Server time.
    pub now: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SeenEndpoint {
    /// `EndpointStatus`.
    pub status: String,
    pub failure_reason: Option<String>,
    pub config: EndpointConfigName,
    /// The config of `PendingDeploymentSummary`.
    pub pending: Option<EndpointConfigName>,
    /// Variant, `CurrentInstanceCount`, `DesiredInstanceCount`, `DesiredWeight`.
    pub running: Vec<Running>,
}

/// The latest datapoints of the metric that a target tracking policy follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// `TargetValue`.
    pub target: f64,
    /// Newest first.
    pub datapoints: Vec<f64>,
}

impl SeenEndpoint {
    /// Whether its status passes by itself.
    pub fn is_moving(&self) -> bool {
        PASSING.contains(&self.status.as_str())
    }

    pub(super) fn is_in_service(&self) -> bool {
        self.status == IN_SERVICE
    }

    pub(super) fn running(&self, variant: &VariantName) -> Option<&Running> {
        self.running.iter().find(|one| one.variant == *variant)
    }
}
