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
