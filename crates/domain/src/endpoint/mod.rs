//! Endpoints: their record, the requests that change what is wanted of them, and the events that move them on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::endpoint_config::{EndpointConfig, Variant};
use crate::instance::DeploymentId;
use crate::members::Members;
use crate::model::{Container, Model};
use crate::name::{EndpointConfigName, EndpointName, VariantName};
use crate::rollout::Rollout;
use crate::time::Timestamp;

mod event;
mod last_update;
mod limits;
mod request;
mod rollout;
#[cfg(test)]
mod scaling_tests;
#[cfg(test)]
mod shadow_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod update_tests;

pub use event::{Event, Illegal, Reached};
pub use last_update::{LastUpdate, UpdateOutcome};
pub use limits::{Exceeded, Limits};
pub use request::{Capacity, Parts, Refusal, Retain, UpdateRequest};

/// The longest `FailureReason` (`reference/sagemaker-hosting.md`, section 2).
pub const FAILURE_REASON_LENGTH_MAX: usize = 1024;

/// An endpoint. It keeps its own copies of its config and models, so that deleting those changes nothing for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    pub name: EndpointName,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub stage: Stage,
    /// The config of the fleet that serves; of the one that was to, if none ever did.
    pub config_name: EndpointConfigName,
    /// Why the last creation, update or change of capacity failed; the next success clears it.
    pub failure_reason: Option<String>,
    /// The fleet that serves.
    pub live: Option<Arc<Deployment>>,
    /// The fleet that is being built.
    pub pending: Option<Arc<Deployment>>,
    /// `DeploymentConfig` of the latest Create or Update that had one.
    pub deployment_config: Option<Members>,
    /// None before the first update.
    #[serde(default)]
    pub last_update: Option<LastUpdate>,
    /// How the pending fleet takes the place of the live one, while it does.
    #[serde(default)]
    pub rollout: Option<Rollout>,
    /// What serves beside the live fleet since an update could not be rolled back, with the counts that stand.
    #[serde(default)]
    pub stranded: Vec<Arc<Deployment>>,
}

/// Where an endpoint stands: `EndpointStatus`, with the three kinds of `Updating` told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// The first fleet is being built.
    Creating,
    InService,
    /// A new fleet is being built and takes over, as the rollout says.
    Deploying,
    /// The old fleet gets back what the new one had taken over.
    RollingBack,
    /// The new fleet serves; the old one's instances are leaving.
    Retiring,
    /// Counts or weights of the live fleet are changing.
    Resizing,
    /// The old fleet did not come back: what there is of both serves. An update heals it.
    UpdateRollbackFailed,
    /// Creation failed. Only deletion is possible.
    Failed,
    Deleting,
}

impl Stage {
    pub const ALL: [Self; 9] = [
        Self::Creating,
        Self::InService,
        Self::Deploying,
        Self::RollingBack,
        Self::Retiring,
        Self::Resizing,
        Self::UpdateRollbackFailed,
        Self::Failed,
        Self::Deleting,
    ];

    /// `EndpointStatus` (`reference/sagemaker-hosting.md`, section 2).
    pub const fn status(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::InService => "InService",
            Self::Deploying | Self::Retiring | Self::Resizing => "Updating",
            Self::RollingBack => "RollingBack",
            Self::UpdateRollbackFailed => "UpdateRollbackFailed",
            Self::Failed => "Failed",
            Self::Deleting => "Deleting",
        }
    }

    /// Whether the live fleet takes requests.
    pub const fn serves(self) -> bool {
        match self {
            Self::InService
            | Self::Deploying
            | Self::RollingBack
            | Self::Retiring
            | Self::Resizing
            | Self::UpdateRollbackFailed => true,
            Self::Creating | Self::Failed | Self::Deleting => false,
        }
    }
}

/// One fleet for each variant of one endpoint config, its shadow included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    pub id: DeploymentId,
    pub started_at: Timestamp,
    pub config: Arc<EndpointConfig>,
    /// In the order of the config's variants.
    pub fleets: Vec<Fleet>,
}

/// The instances of one variant, as wanted and as reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    pub variant: VariantName,
    /// Whether it gets copies of the production variant's requests, and answers nobody. In everything else it is a fleet
    /// like others.
    #[serde(default)]
    pub shadow: bool,
    pub model: Arc<Model>,
    pub current_count: u32,
    pub desired_count: u32,
    /// What the count was when it last stood still: where a change of capacity that fails goes back to.
    pub settled_count: u32,
    pub current_weight: f64,
    pub desired_weight: f64,
}

impl Deployment {
    pub fn fleet(&self, variant: &VariantName) -> Option<&Fleet> {
        self.fleets.iter().find(|fleet| fleet.variant == *variant)
    }

    /// The variants with the containers that they run. A deployment is only made of what can be run, so that nothing
    /// here is missing but by damage to the record.
    pub fn runnable(&self) -> Vec<(&Fleet, Variant, Container)> {
        let variants = self.config.variants().unwrap_or_default();
        let of =
            |fleet: &Fleet| variants.iter().find(|variant| variant.name == fleet.variant).cloned();
        self.fleets
            .iter()
            .filter_map(|fleet| Some((fleet, of(fleet)?, fleet.model.container().ok()?)))
            .collect()
    }

    /// Whether counts and weights are what they should be.
    pub fn is_settled(&self) -> bool {
        self.fleets.iter().all(|fleet| {
            fleet.current_count == fleet.desired_count
                && fleet.current_weight.to_bits() == fleet.desired_weight.to_bits()
        })
    }
}

/// Cuts a text to what a `FailureReason` may hold, at a character's edge.
fn failure_reason(mut text: String) -> String {
    if text.len() > FAILURE_REASON_LENGTH_MAX {
        let mut end = FAILURE_REASON_LENGTH_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}
