//! `DescribeLastUpdate`: an update that rolled back reads as one that was applied once `FailureReason` is gone. This stays.

use domain::endpoint::{Endpoint, UpdateOutcome};
use domain::name::EndpointName;
use wire::tidegate::{DescribeLastUpdateInput, LastUpdate, LastUpdateOutcome};

use super::{lookup, rollout, shown};
use crate::Error;
use crate::context::{Context, name};

pub(super) fn describe_last_update(
    cx: &Context,
    input: &DescribeLastUpdateInput,
) -> Result<LastUpdate, Error> {
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let state = cx.store.state();
    Ok(of(lookup::endpoint(&state, &name)?))
}

pub(super) fn of(endpoint: &Endpoint) -> LastUpdate {
    let none = LastUpdate {
        endpoint_name: endpoint.name.to_string(),
        endpoint_config_in_use: endpoint.config_name.to_string(),
        ..LastUpdate::default()
    };
    let Some(update) = &endpoint.last_update else { return none };
    let (outcome, reason) = match &update.outcome {
        UpdateOutcome::InProgress => (LastUpdateOutcome::InProgress, None),
        UpdateOutcome::Applied => (LastUpdateOutcome::Applied, None),
        UpdateOutcome::RolledBack { reason } => {
            (LastUpdateOutcome::RolledBack, Some(reason.clone()))
        }
        UpdateOutcome::RollbackFailed { reason } => {
            (LastUpdateOutcome::RollbackFailed, Some(reason.clone()))
        }
    };
    LastUpdate {
        requested_endpoint_config_name: Some(update.requested.to_string()),
        replaced_endpoint_config_name: Some(update.replacing.to_string()),
        requested_at: Some(shown::timestamp(update.requested_at)),
        outcome: Some(outcome),
        reason,
        ended_at: update.ended_at.map(shown::timestamp),
        rollout: endpoint.rollout().map(|one| rollout::shown(endpoint, &one)),
        ..none
    }
}
