//! `UpdateEndpointWeightsAndCapacities`: records new counts and weights of the live fleet (promise S8).

use std::sync::Arc;

use domain::arn::Kind;
use domain::endpoint::{Capacity, Refusal};
use domain::name::EndpointName;
use store::Changes;
use wire::sagemaker::{
    DesiredWeightAndCapacity, UpdateEndpointWeightsAndCapacitiesInput,
    UpdateEndpointWeightsAndCapacitiesOutput,
};

use super::lookup;
use crate::Error;
use crate::context::{Context, name};

pub(super) async fn update_endpoint_weights_and_capacities(
    cx: &Context,
    input: UpdateEndpointWeightsAndCapacitiesInput,
) -> Result<UpdateEndpointWeightsAndCapacitiesOutput, Error> {
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let (scope, limits, now) = (cx.scope.clone(), Arc::clone(&cx.limits), cx.clock.now());
    let changes: Result<Vec<Capacity>, Error> =
        input.desired_weights_and_capacities.iter().map(|change| capacity(cx, change)).collect();
    let changes = changes?;
    cx.decide(move |state| {
        let endpoint = lookup::endpoint(state, &scope, &name)?;
        let endpoint_arn = scope.sagemaker(Kind::Endpoint, &endpoint.name);
        let after = endpoint.request_capacity(&changes, now).map_err(lookup::refuse(&scope))?;
        state.admit(&limits, Some(endpoint), &after)?;
        Ok((Changes::none().put(after), UpdateEndpointWeightsAndCapacitiesOutput { endpoint_arn }))
    })
    .await
}

fn capacity(cx: &Context, change: &DesiredWeightAndCapacity) -> Result<Capacity, Error> {
    if change.serverless_update_config.is_some() {
        let refusal = Refusal::Lacking(vec!["ServerlessUpdateConfig".to_owned()]);
        return Err(Error::Refused { refusal, scope: cx.scope.clone() });
    }
    Ok(Capacity {
        variant: name("desiredWeightsAndCapacities.member.variantName", &change.variant_name)?,
        weight: change.desired_weight,
        count: change.desired_instance_count.and_then(|count| count.try_into().ok()),
    })
}
