//! `CreateEndpoint`: records that a fleet is wanted; the control loop builds it.

use std::sync::Arc;

use domain::arn::Kind;
use domain::endpoint::Endpoint;
use domain::name::{EndpointConfigName, EndpointKey, EndpointName};
use store::Changes;
use wire::sagemaker::{CreateEndpointInput, CreateEndpointOutput};

use super::{lookup, members, tagging};
use crate::Error;
use crate::context::{Context, name};

pub(super) async fn create_endpoint(
    cx: &Context,
    input: CreateEndpointInput,
) -> Result<CreateEndpointOutput, Error> {
    let config_name: EndpointConfigName = name("endpointConfigName", &input.endpoint_config_name)?;
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let deployment_config =
        input.deployment_config.as_ref().map(|config| members::kept(config, &[]));
    let arn = cx.endpoint_arn(&name);
    let tagged = tagging::first(Kind::Endpoint, &arn, input.tags)?;
    let (scope, limits, now) = (cx.scope.clone(), Arc::clone(&cx.limits), cx.clock.now());
    cx.decide(move |state| {
        if state.endpoints.contains_key(&EndpointKey::from(&name)) {
            return Err(Error::Exists { kind: Kind::Endpoint, arn });
        }
        let config = lookup::config(state, &scope, &config_name)?;
        let parts = lookup::parts(state, config);
        let endpoint = Endpoint::create(name, &parts, deployment_config, now)
            .map_err(lookup::refuse(&scope))?;
        state.admit(&limits, None, &endpoint)?;
        let changes = Changes::none().put(endpoint).count_deployment(state);
        Ok((tagging::put(changes, tagged), CreateEndpointOutput { endpoint_arn: arn }))
    })
    .await
}
