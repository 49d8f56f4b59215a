//! `CreateEndpointConfig`: checks that every named model exists, and keeps every member.

use domain::arn::Kind;
use domain::endpoint_config::EndpointConfig;
use domain::name::EndpointConfigName;
use store::Changes;
use wire::sagemaker::{CreateEndpointConfigInput, CreateEndpointConfigOutput};

use super::{members, tagging};
use crate::Error;
use crate::context::{Context, name};

pub(super) async fn create_endpoint_config(
    cx: &Context,
    input: CreateEndpointConfigInput,
) -> Result<CreateEndpointConfigOutput, Error> {
    let name: EndpointConfigName = name("endpointConfigName", &input.endpoint_config_name)?;
    let mut members = members::kept(&input, &["EndpointConfigName", "Tags"]);
    EndpointConfig::fill_defaults(&mut members);
    let (scope, now) = (cx.scope.clone(), cx.clock.now());
    let arn = scope.sagemaker(Kind::EndpointConfig, &name);
    let tagged = tagging::first(Kind::EndpointConfig, &arn, input.tags)?;
    cx.decide(move |state| {
        if state.endpoint_configs.contains_key(&name) {
            return Err(Error::Exists { kind: Kind::EndpointConfig, arn });
        }
        let missing = |model: &str| {
            (!state.models.contains_key(model)).then(|| scope.sagemaker(Kind::Model, model))
        };
        EndpointConfig::check(&members, missing)?;
        let changes = Changes::none().put(EndpointConfig { name, created_at: now, members });
        Ok((tagging::put(changes, tagged), CreateEndpointConfigOutput { endpoint_config_arn: arn }))
    })
    .await
}
