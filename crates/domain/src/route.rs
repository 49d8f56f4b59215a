//! The route table: which instances serve which variant, and with what weight. `control` makes it, `gateway` serves from it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::instance::{Address, InstanceId};
use crate::name::{EndpointName, VariantName};

/// All routes at one moment. An endpoint that is being created, has failed or is being deleted has none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RouteTable {
    /// By the exact name: `InvokeEndpoint` regards case.
    pub endpoints: BTreeMap<EndpointName, Arc<EndpointRoute>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct EndpointRoute {
    /// At least one, in the endpoint config's order.
    pub variants: Vec<VariantRoute>,
    /// Who gets copies of their requests; nobody hears its answers.
    pub shadow: Option<ShadowRoute>,
}

/// A variant that gets copies of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct ShadowRoute {
    /// Its weight has gone into `share`, and decides nothing more.
    pub variant: VariantRoute,
    /// The part of the requests that is copied, from 0 to 1.
    pub share: f64,
}

impl ShadowRoute {
    /// Of production's requests, the part that is copied to a shadow: the weights relative to each other, and never more
    /// than all (`reference/sagemaker-hosting.md`, section 5). The one production variant takes every request, also with
    /// a weight of 0, so that any weight of the shadow is then all of them.
    pub fn share(production: f64, shadow: f64) -> f64 {
        match (production > 0.0, shadow > 0.0) {
            (_, false) => 0.0,
            (false, true) => 1.0,
            (true, true) => (shadow / production).min(1.0),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct VariantRoute {
    pub name: VariantName,
    /// Its share of the traffic relative to the other variants' weights; 0 takes only targeted requests.
    pub weight: f64,
    pub strategy: Strategy,
    /// Ready instances. May be empty for a moment (after a restart, say): requests then wait within their deadline.
    pub instances: Vec<InstanceRoute>,
}

/// How an instance is chosen (`RoutingConfig.RoutingStrategy`, `reference/sagemaker-hosting.md`, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    #[default]
    LeastOutstanding,
    Random,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRoute {
    pub id: InstanceId,
    pub address: Address,
}

/// The data plane as `control` sees it: it takes routes and says who is still busy.
pub trait Traffic: Send + Sync + fmt::Debug {
    /// Serves from this table from now on. When the call returns, no request that has not yet been counted by
    /// [`Traffic::in_flight`] can reach an instance that the table lacks.
    fn publish(&self, table: Arc<RouteTable>);

    /// Requests that the instance is answering now, whether or not it is still in the table.
    fn in_flight(&self, id: &InstanceId) -> u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `reference/sagemaker-hosting.md`, section 5: weights act as sampling, equal weights are all; the rest is ours.
    #[test]
    fn copies_follow_the_weights_and_are_never_more_than_the_requests() {
        let table = [
            (1.0, 1.0, 1.0),
            (1.0, 0.0, 0.0),
            (4.0, 1.0, 0.25),
            (1.0, 4.0, 1.0),
            (0.0, 0.5, 1.0),
            (0.0, 0.0, 0.0),
            (f64::MAX, f64::MIN_POSITIVE, 0.0),
            (f64::MIN_POSITIVE, f64::MAX, 1.0),
            (f64::NAN, 1.0, 1.0),
            (1.0, f64::NAN, 0.0),
            (1.0, -1.0, 0.0),
        ];
        for (production, shadow, expected) in table {
            let share = ShadowRoute::share(production, shadow);
            assert!((share - expected).abs() < 1e-12, "{production} {shadow}: {share}");
        }
    }
}
