//! `UpdateEndpoint`: records that another fleet is wanted in place of the live one.

use std::sync::Arc;

use domain::endpoint::{Endpoint, Refusal, Retain, UpdateRequest};
use domain::name::{EndpointConfigName, EndpointName};
use store::{Changes, State};
use wire::sagemaker::{UpdateEndpointInput, UpdateEndpointOutput, VariantPropertyType};

use super::{lookup, members};
use crate::Error;
use crate::context::{Context, name};

pub(super) async fn update_endpoint(
    cx: &Context,
    input: UpdateEndpointInput,
) -> Result<UpdateEndpointOutput, Error> {
    let config_name: EndpointConfigName = name("endpointConfigName", &input.endpoint_config_name)?;
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let retain = retain(&input);
    let retain_deployment_config = input.retain_deployment_config.unwrap_or(false);
    let deployment_config =
        input.deployment_config.as_ref().map(|config| members::kept(config, &[]));
    let (scope, limits, now) = (cx.scope.clone(), Arc::clone(&cx.limits), cx.clock.now());
    cx.decide(move |state| {
        let endpoint = lookup::endpoint(state, &scope, &name)?;
        let arn = scope.sagemaker(domain::arn::Kind::Endpoint, &endpoint.name);
        let config = lookup::config(state, &scope, &config_name)?;
        let parts = lookup::parts(state, config);
        let registered = lookup::registered(state, endpoint);
        let request = UpdateRequest {
            parts,
            retain,
            deployment_config,
            retain_deployment_config,
            registered,
        };
        let after = endpoint.request_update(&request, now).map_err(lookup::refuse(&scope))?;
        refuse_unknown_alarms(state, &after).map_err(lookup::refuse(&scope))?;
        state.admit(&limits, Some(endpoint), &after)?;
        Ok((
            Changes::none().put(after).count_deployment(state),
            UpdateEndpointOutput { endpoint_arn: arn },
        ))
    })
    .await
}

/// An alarm that is not there would guard nothing, and nobody would know.
fn refuse_unknown_alarms(state: &State, after: &Endpoint) -> Result<(), Refusal> {
    let named = after.rollout.iter().flat_map(|rollout| &rollout.guardrails.alarms);
    let unknown: Vec<String> =
        named.filter(|name| !state.alarms.contains_key(name.as_str())).cloned().collect();
    if unknown.is_empty() { Ok(()) } else { Err(Refusal::NoSuchAlarms(unknown)) }
}

/// `ExcludeRetainedVariantProperties` only counts when all the others are retained.
pub(super) fn retain(input: &UpdateEndpointInput) -> Retain {
    let all = input.retain_all_variant_properties.unwrap_or(false);
    let excluded = input.exclude_retained_variant_properties.iter().flatten();
    let excluded: Vec<VariantPropertyType> =
        excluded.map(|property| property.variant_property_type).collect();
    Retain {
        counts: all && !excluded.contains(&VariantPropertyType::DesiredInstanceCount),
        weights: all && !excluded.contains(&VariantPropertyType::DesiredWeight),
    }
}
