//! What became of an endpoint's last update. AWS's own words on it go with the next success, of a change of capacity for
//! instance, and an update that rolled back then reads like one that was applied.

use serde::{Deserialize, Serialize};

use super::Endpoint;
use crate::name::EndpointConfigName;
use crate::time::Timestamp;

/// The last update, until the next one is asked for. Which config is in use, [`Endpoint::config_name`] says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUpdate {
    /// The config that was asked for.
    pub requested: EndpointConfigName,
    /// The config that was in use then.
    pub replacing: EndpointConfigName,
    pub requested_at: Timestamp,
    pub outcome: UpdateOutcome,
    /// When it was applied or rolled back: when the endpoint was `InService` again.
    pub ended_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpdateOutcome {
    InProgress,
    Applied,
    /// The endpoint serves as before; why, as `FailureReason` said.
    RolledBack {
        reason: String,
    },
    /// The previous instances did not come back: what there is of both deployments serves.
    RollbackFailed {
        reason: String,
    },
}

impl LastUpdate {
    pub(super) fn asked(
        endpoint: &Endpoint,
        requested: &EndpointConfigName,
        now: Timestamp,
    ) -> Self {
        Self {
            requested: requested.clone(),
            replacing: endpoint.config_name.clone(),
            requested_at: now,
            outcome: UpdateOutcome::InProgress,
            ended_at: None,
        }
    }

    pub(super) fn ended(&self, outcome: UpdateOutcome, now: Timestamp) -> Self {
        Self { outcome, ended_at: Some(now), ..self.clone() }
    }
}
