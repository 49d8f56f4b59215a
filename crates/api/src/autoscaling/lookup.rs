//! What requests name, and what is found under it.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::endpoint::Endpoint;
use domain::scaling::{
    self, Activity, DIMENSION, NAMESPACE, Refusal, ResourceId, Target, TargetKey, check_dimension,
};
use domain::time::Timestamp;
use domain::uuid::Uuid;
use store::State;
use store::record::ActivityKey;
use wire::application_autoscaling::{ScalableDimension, ServiceNamespace};

use crate::Context;

/// The resource that a request names by its three members. AWS models them alike in every operation that has them.
macro_rules! resource {
    ($input:expr) => {
        domain::scaling::ResourceId::read(
            $input.service_namespace.as_str(),
            &$input.resource_id,
            $input.scalable_dimension.as_str(),
        )
    };
}
pub(super) use resource;

/// Whose records a Describe call asks for.
pub(super) enum Asked {
    /// Of any target.
    All,
    /// Of these.
    Of(BTreeSet<TargetKey>),
}

impl Asked {
    /// Reads the filters of a Describe call. What nobody can have registered is found nowhere, and no error; what the
    /// members contradict is.
    pub(super) fn read<'a>(
        namespace: ServiceNamespace,
        dimension: Option<ScalableDimension>,
        resources: impl IntoIterator<Item = &'a String>,
    ) -> Result<Self, Refusal> {
        let resources: Vec<&String> = resources.into_iter().collect();
        if let Some(dimension) = dimension {
            let checked = check_dimension(namespace.as_str(), dimension.as_str());
            if checked == Err(Refusal::NotAuthorized) {
                return Err(Refusal::NotAuthorized);
            }
            if resources.is_empty() {
                return Err(Refusal::DimensionWithoutResource);
            }
        }
        if namespace.as_str() != NAMESPACE
            || dimension.is_some_and(|dimension| dimension.as_str() != DIMENSION)
        {
            return Ok(Self::Of(BTreeSet::new()));
        }
        if resources.is_empty() {
            return Ok(Self::All);
        }
        let ids = resources.into_iter().filter_map(|raw| raw.parse::<ResourceId>().ok());
        Ok(Self::Of(ids.map(|id| TargetKey::from(&id)).collect()))
    }
}

/// Ids that nothing had before.
pub(super) fn ids<const N: usize>(cx: &Context) -> [Uuid; N] {
    std::array::from_fn(|_| Uuid::from_entropy((cx.entropy)()))
}

pub(super) fn endpoint<'a>(state: &'a State, key: &TargetKey) -> Option<&'a Endpoint> {
    state.endpoints.get(&key.endpoint).map(|endpoint| &**endpoint)
}

/// The resource as its endpoint spells it: case does not tell endpoints apart, but metrics, which its alarms watch.
pub(super) fn spelled(resource: ResourceId, endpoint: Option<&Endpoint>) -> ResourceId {
    match endpoint {
        Some(endpoint) => ResourceId { endpoint: endpoint.name.clone(), ..resource },
        None => resource,
    }
}

/// A target once the change that it has in flight has been looked at, and that change's activity if it is over.
pub(super) fn looked_after(
    state: &State,
    target: &Target,
    now: Timestamp,
) -> (Target, Option<Activity>) {
    let endpoint = endpoint(state, &TargetKey::from(&target.resource));
    let ended = in_flight(state, target)
        .and_then(|activity| scaling::finish(target, activity, endpoint, now));
    match ended {
        Some((target, activity)) => (target, Some(activity)),
        None => (target.clone(), None),
    }
}

/// The activity of the change that a target has in flight.
pub(super) fn in_flight<'a>(state: &'a State, target: &Target) -> Option<&'a Arc<Activity>> {
    let flight = target.memory.in_flight?;
    let key = TargetKey::from(&target.resource);
    let key = ActivityKey { target: key, started_at: flight.started_at, id: flight.activity };
    state.activities.get(&key)
}
