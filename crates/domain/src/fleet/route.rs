//! The part of the route table that one endpoint's instances make up.

use crate::endpoint::Endpoint;
use crate::instance::{FleetId, Phase};
use crate::route::{EndpointRoute, InstanceRoute, VariantRoute};

use super::Seen;

/// The route of an endpoint that takes requests: its live fleets' ready instances, but for those that are leaving.
pub fn route(endpoint: &Endpoint, instances: &[Seen]) -> Option<EndpointRoute> {
    let live = endpoint.live.as_deref().filter(|_| endpoint.stage.serves())?;
    let variants = live.runnable().into_iter().map(|(fleet, variant, _)| {
        let id = FleetId {
            endpoint: endpoint.name.clone(),
            deployment: live.id,
            variant: fleet.variant.clone(),
        };
        let ready =
            instances.iter().filter(|one| one.observed.fleet == id && one.draining_since.is_none());
        VariantRoute {
            name: fleet.variant.clone(),
            weight: fleet.current_weight,
            strategy: variant.strategy,
            instances: ready
                .filter_map(|one| match &one.observed.phase {
                    Phase::Ready { address } => Some(InstanceRoute {
                        id: one.observed.id.clone(),
                        address: address.clone(),
                    }),
                    _ => None,
                })
                .collect(),
        }
    });
    Some(EndpointRoute { variants: variants.collect() })
}
