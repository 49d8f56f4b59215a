//! Finding the endpoint and the variant that a request names.

use std::sync::Arc;

use domain::endpoint::{Deployment, Endpoint, Fleet};
use domain::name::{EndpointKey, EndpointName, VariantName};
use store::State;

use super::Refusal;

pub(super) fn endpoint<'a>(
    state: &'a State,
    name: &EndpointName,
) -> Result<&'a Arc<Endpoint>, Refusal> {
    let missing = || Refusal::NoEndpoint(name.clone());
    state.endpoints.get(&EndpointKey::from(name)).ok_or_else(missing)
}

/// The fleet that serves the variant; while the endpoint is being created, the one that will.
pub(super) fn fleet<'a>(
    endpoint: &'a Endpoint,
    variant: &VariantName,
) -> Result<&'a Fleet, Refusal> {
    let deployment = endpoint.live.as_deref().or(endpoint.pending.as_deref());
    let found = deployment.and_then(|deployment| deployment.fleet(variant));
    found.ok_or_else(|| Refusal::NoVariant {
        endpoint: endpoint.name.clone(),
        variant: variant.clone(),
        there: deployment.map(names).unwrap_or_default(),
    })
}

fn names(deployment: &Deployment) -> String {
    let names: Vec<&str> = deployment.fleets.iter().map(|fleet| fleet.variant.as_str()).collect();
    names.join(", ")
}
