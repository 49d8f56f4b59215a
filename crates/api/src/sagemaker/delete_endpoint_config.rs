//! `DeleteEndpointConfig`: never refused for being in use; endpoints keep copies.

use domain::arn::Kind;
use domain::endpoint::UpdateOutcome;
use domain::endpoint_config::EndpointConfig;
use domain::name::EndpointConfigName;
use store::Changes;
use wire::sagemaker::DeleteEndpointConfigInput;

use super::{lookup, tagging};
use crate::Error;
use crate::context::{Context, name};

/// Endpoints that one deletion is told of in the log: more say no more.
const WARNINGS_MAX: usize = 5;

pub(super) async fn delete_endpoint_config(
    cx: &Context,
    input: DeleteEndpointConfigInput,
) -> Result<(), Error> {
    let name: EndpointConfigName = name("endpointConfigName", &input.endpoint_config_name)?;
    let (scope, deleted) = (cx.scope.clone(), name.clone());
    cx.decide(move |state| {
        lookup::config(state, &scope, &name)?;
        let arn = scope.sagemaker(Kind::EndpointConfig, &name);
        let changes = Changes::none().delete::<EndpointConfig>(name);
        Ok((tagging::delete(changes, Kind::EndpointConfig, &arn), ()))
    })
    .await?;
    warn_of_users(cx, &deleted);
    Ok(())
}

/// An update that rolled back in silence reads as success on AWS, and people then delete the config that serves.
fn warn_of_users(cx: &Context, config: &EndpointConfigName) {
    let state = cx.store.state();
    let users = state.endpoints.values().filter(|endpoint| endpoint.config_name == *config);
    for endpoint in users.take(WARNINGS_MAX) {
        let update = endpoint.last_update.as_ref();
        let rolled_back = update.is_some_and(|update| {
            !matches!(update.outcome, UpdateOutcome::InProgress | UpdateOutcome::Applied)
        });
        tracing::warn!(
            endpoint = %endpoint.name,
            %config,
            its_last_update_rolled_back = rolled_back,
            "an endpoint config was deleted that an endpoint still uses; the endpoint goes on with its own copy"
        );
    }
}
