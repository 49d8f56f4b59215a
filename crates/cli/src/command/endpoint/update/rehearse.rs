//! The verdict on a plain UpdateEndpoint as the server says it itself, where it can.

use domain::safe_update::{Facts, Request, Verdict};
use safe_update::shown;
use wire::sagemaker::{UpdateEndpointInput, VariantProperty, VariantPropertyType};
use wire::value::Value as _;

use crate::Error;
use crate::command::endpoint::dry_run::{Rehearsed, rehearse};
use crate::remote::ClientRemote;

/// The verdict on the call with the same choices; `planned` is the planner's. What scaling would lose, only that knows.
pub(super) async fn verdict(
    remote: &ClientRemote<'_>,
    facts: &Facts,
    request: &Request,
    planned: Verdict,
) -> Result<Verdict, Error> {
    let input = input(facts, request).to_document();
    let endpoint = facts.endpoint.as_str();
    Ok(match (rehearse(remote, endpoint, "UpdateEndpoint", &input).await?, planned) {
        (Rehearsed::NotDone, planned)
        | (Rehearsed::Accepted, planned @ Verdict::LosesScaling(_)) => planned,
        (Rehearsed::Accepted, Verdict::Accepted | Verdict::Refused(_)) => Verdict::Accepted,
        (Rehearsed::Refused(words), _) => Verdict::Refused(words),
    })
}

fn input(facts: &Facts, request: &Request) -> UpdateEndpointInput {
    let kept = [
        (VariantPropertyType::DesiredInstanceCount, request.keep_counts),
        (VariantPropertyType::DesiredWeight, request.keep_weights),
    ];
    let retains = kept.iter().any(|(_, kept)| *kept);
    let left: Vec<VariantProperty> = kept
        .iter()
        .filter(|(_, kept)| retains && !kept)
        .map(|(kind, _)| VariantProperty { variant_property_type: *kind })
        .collect();
    UpdateEndpointInput {
        endpoint_name: facts.endpoint.to_string(),
        endpoint_config_name: facts.wanted.name.to_string(),
        retain_all_variant_properties: Some(retains),
        exclude_retained_variant_properties: Some(left).filter(|left| !left.is_empty()),
        deployment_config: request.deployment_config.as_ref().and_then(shown::typed),
        retain_deployment_config: Some(true).filter(|_| request.retain_deployment_config),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run_under_way;

    /// The seed's step 6, and what UpdateEndpoint's model says of its two members.
    #[test]
    fn the_call_has_the_same_choices() {
        let facts = run_under_way().facts;
        let of = |keep_counts, keep_weights| {
            let request = Request { keep_counts, keep_weights, ..Request::default() };
            let input = input(&facts, &request);
            let left = input.exclude_retained_variant_properties.unwrap_or_default();
            let left: Vec<String> =
                left.iter().map(|one| one.variant_property_type.to_string()).collect();
            (input.retain_all_variant_properties, left.join(" "))
        };
        assert_eq!(of(true, true), (Some(true), String::new()));
        assert_eq!(of(true, false), (Some(true), "DesiredWeight".into()));
        assert_eq!(of(false, true), (Some(true), "DesiredInstanceCount".into()));
        assert_eq!(of(false, false), (Some(false), String::new()));
    }
}
