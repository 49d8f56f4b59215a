//! What AWS has no operation for: why a variant scales as it does, and the instances behind an endpoint.
//!
//! It only looks, and it says what `domain::scaling::explain` makes of what it sees; nothing is decided here.

mod alarm;
mod describe_instances;
mod explain_scaling;
mod lookup;
mod shown;
#[cfg(test)]
mod tests;

use domain::name::{EndpointName, VariantName};
use http::StatusCode;
use wire::tidegate::Operation;
use wire::{Call, Document, Value};

use crate::{Context, Error};

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("There is no endpoint {0}.")]
    NoEndpoint(EndpointName),
    #[error("Endpoint {endpoint} has no variant {variant}; it has: {there}.")]
    NoVariant {
        endpoint: EndpointName,
        variant: VariantName,
        /// The names of those that it has.
        there: String,
    },
}

impl Refusal {
    pub(crate) const fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoEndpoint(_) | Self::NoVariant { .. } => {
                (StatusCode::NOT_FOUND, "ResourceNotFound")
            }
        }
    }
}

pub(crate) async fn serve(cx: &Context, call: &Call) -> Result<Document, Error> {
    let unserved = Error::Unserved { service: call.service.id, operation: call.operation.name };
    let operation: Operation = call.operation.name.parse().map_err(|_| unserved)?;
    match operation {
        Operation::DescribeInstances => {
            shown(describe_instances::describe_instances(cx, &call.input()?))
        }
        Operation::ExplainScaling => {
            shown(explain_scaling::explain_scaling(cx, call.input()?).await)
        }
    }
}

fn shown(output: Result<impl Value, Error>) -> Result<Document, Error> {
    output.map(|output| output.to_document())
}
