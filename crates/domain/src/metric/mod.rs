//! What is measured: which series there are, what one of their buckets holds, and how both are asked for.
//!
//! Values live in the `metrics` crate; here is only what they mean. (`reference/autoscaling-and-cloudwatch.md`, section 6.2.)

mod distribution;
pub mod math;
mod query;
mod sink;
mod statistic;
mod unit;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use distribution::{Distribution, EXACT_VALUES_MAX};
pub use query::{Query, Source, Stat};
pub use sink::{Measured, NoSink, Sink, Tally};
pub use statistic::{Statistic, Summary};
pub use unit::Unit;

use crate::name::{EndpointName, VariantName};

/// The namespace of what the gateway measures (section 7.1).
pub const INVOCATIONS: &str = "AWS/SageMaker";

/// The namespace of what instances use (section 7.3).
pub const UTILIZATION: &str = "/aws/sagemaker/Endpoints";

/// A metric: namespace, name and the exact set of dimensions, whose order does not count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MetricId {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    /// In the order of their names; made by [`MetricId::new`].
    dimensions: Arc<[Dimension]>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dimension {
    pub name: Arc<str>,
    pub value: Arc<str>,
}

impl MetricId {
    pub fn new(namespace: &str, name: &str, mut dimensions: Vec<Dimension>) -> Self {
        dimensions.sort();
        Self { namespace: namespace.into(), name: name.into(), dimensions: dimensions.into() }
    }

    /// Another metric with the same dimensions, which both then share.
    #[must_use]
    pub fn sibling(&self, namespace: Arc<str>, name: Arc<str>) -> Self {
        Self { namespace, name, dimensions: Arc::clone(&self.dimensions) }
    }

    /// A metric of a variant: dimensions `EndpointName` and `VariantName` (section 7.1).
    pub fn of_variant(
        namespace: &str,
        name: &str,
        endpoint: &EndpointName,
        variant: &VariantName,
    ) -> Self {
        let dimension =
            |name: &str, value: &str| Dimension { name: name.into(), value: value.into() };
        let dimensions = vec![
            dimension("EndpointName", endpoint.as_str()),
            dimension("VariantName", variant.as_str()),
        ];
        Self::new(namespace, name, dimensions)
    }

    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }
}

/// One datapoint of a series: the start of its period, and the value of the statistic asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub at: crate::time::Timestamp,
    pub value: f64,
    /// Samples in the period; absent where metric math made the value.
    pub samples: Option<f64>,
}
