//! What the commands about scaling share: calls of the services that scale, and how variants are named.

use domain::name::{EndpointName, VariantName};
use domain::scaling::{DIMENSION, ResourceId};
use wire::value::Shape;
use wire::{Service, application_autoscaling as autoscaling, tidegate};

use crate::Error;
use crate::client::Client;

/// One call of any service, in its shapes.
pub(super) async fn ask<I: Shape, O: Shape>(
    client: &Client,
    service: &'static Service,
    operation: &'static str,
    input: &I,
) -> Result<O, Error> {
    let document = client.call(service, operation, &input.to_document()).await?;
    O::from_document(&document)
        .map_err(|error| Error::Answer { operation, problem: error.to_string() })
}

/// One call of Application Auto Scaling.
pub(super) async fn autoscaling<I: Shape, O: Shape>(
    client: &Client,
    operation: &'static str,
    input: &I,
) -> Result<O, Error> {
    ask(client, &autoscaling::SERVICE, operation, input).await
}

/// Why a variant scales as it does. Only a Tidegate server can tell.
pub(super) async fn explain(
    client: &Client,
    endpoint: &str,
    variant: &str,
) -> Result<tidegate::ExplainScalingOutput, Error> {
    let input = tidegate::ExplainScalingInput {
        endpoint_name: endpoint.to_owned(),
        variant_name: variant.to_owned(),
    };
    ask(client, &tidegate::SERVICE, "ExplainScaling", &input).await
}

/// The dimension that a variant's count is, as the wire has it.
pub(super) const VARIANT_COUNT: autoscaling::ScalableDimension =
    autoscaling::ScalableDimension::SagemakerVariantDesiredInstanceCount;

/// `endpoint/NAME/variant/NAME`.
pub(super) fn resource_id(endpoint: &str, variant: &str) -> String {
    format!("endpoint/{endpoint}/variant/{variant}")
}

/// A variant as users name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) endpoint: EndpointName,
    /// None where the endpoint has only one, so that nobody need spell it.
    pub(super) variant: Option<VariantName>,
}

/// Reads `endpoint/NAME/variant/NAME`, `NAME/VARIANT` or `NAME`.
pub(super) fn named(raw: &str) -> Result<Named, String> {
    if let Ok(ResourceId { endpoint, variant }) = raw.parse() {
        return Ok(Named { endpoint, variant: Some(variant) });
    }
    // The form that AWS calls it by, of which a part is missing.
    let raw = raw.strip_prefix("endpoint/").filter(|rest| !rest.is_empty()).unwrap_or(raw);
    let form = |part: &str| {
        format!(
            "`{part}` is no name; say endpoint/NAME/variant/NAME, NAME/VARIANT, or NAME alone ({DIMENSION})"
        )
    };
    let (endpoint, variant) = match raw.split_once('/') {
        Some((endpoint, variant)) => (endpoint, Some(variant)),
        None => (raw, None),
    };
    Ok(Named {
        endpoint: endpoint.parse().map_err(|_| form(endpoint))?,
        variant: variant.map(|name| name.parse().map_err(|_| form(name))).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_named_in_three_forms() {
        let is = |endpoint: &str, variant: Option<&str>| {
            let variant = variant.map(|name| name.parse().unwrap());
            Ok(Named { endpoint: endpoint.parse().unwrap(), variant })
        };
        for (raw, wanted) in [
            ("endpoint/tide/variant/a", is("tide", Some("a"))),
            ("tide/a", is("tide", Some("a"))),
            ("tide", is("tide", None)),
            ("endpoint/tide", is("tide", None)),
            ("endpoint", is("endpoint", None)),
        ] {
            assert_eq!(named(raw), wanted, "{raw}");
        }
        for raw in ["", "/", "tide/", "tide/a/b", "endpoint/tide/variant/", "-tide", "tide a"] {
            let problem = named(raw).unwrap_err();
            assert!(problem.contains("endpoint/NAME/variant/NAME"), "{raw}: {problem}");
            assert_eq!(problem.lines().count(), 1);
        }
    }
}
