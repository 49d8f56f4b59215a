//! `DeleteEndpointConfig`: never refused for being in use; endpoints keep copies.

use domain::arn::Kind;
use domain::endpoint_config::EndpointConfig;
use domain::name::EndpointConfigName;
use store::Changes;
use wire::sagemaker::DeleteEndpointConfigInput;

use super::{lookup, tagging};
use crate::Error;
use crate::context::{Context, name};

pub(super) async fn delete_endpoint_config(
    cx: &Context,
    input: DeleteEndpointConfigInput,
) -> Result<(), Error> {
    let name: EndpointConfigName = name("endpointConfigName", &input.endpoint_config_name)?;
    let scope = cx.scope.clone();
    cx.decide(move |state| {
        lookup::config(state, &scope, &name)?;
        let arn = scope.sagemaker(Kind::EndpointConfig, &name);
        let changes = Changes::none().delete::<EndpointConfig>(name);
        Ok((tagging::delete(changes, Kind::EndpointConfig, &arn), ()))
    })
    .await
}
