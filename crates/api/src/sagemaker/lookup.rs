//! Finding records, and saying in AWS's words that they are not there.

use std::sync::Arc;

use domain::arn::{Kind, Scope};
use domain::endpoint::{Endpoint, Parts, Refusal};
use domain::endpoint_config::EndpointConfig;
use domain::instance::DeploymentId;
use domain::model::Model;
use domain::name::{EndpointConfigName, EndpointKey, EndpointName, ModelName};
use domain::scaling::ResourceId;
use store::State;

use crate::Error;

pub(super) fn endpoint<'a>(
    state: &'a State,
    scope: &Scope,
    name: &EndpointName,
) -> Result<&'a Arc<Endpoint>, Error> {
    let missing =
        || Error::NotFound { kind: Kind::Endpoint, arn: scope.sagemaker(Kind::Endpoint, name) };
    state.endpoints.get(&EndpointKey::from(name)).ok_or_else(missing)
}

pub(super) fn config<'a>(
    state: &'a State,
    scope: &Scope,
    name: &EndpointConfigName,
) -> Result<&'a Arc<EndpointConfig>, Error> {
    let missing = || Error::NotFound {
        kind: Kind::EndpointConfig,
        arn: scope.sagemaker(Kind::EndpointConfig, name),
    };
    state.endpoint_configs.get(name).ok_or_else(missing)
}

pub(super) fn model<'a>(
    state: &'a State,
    scope: &Scope,
    name: &ModelName,
) -> Result<&'a Arc<Model>, Error> {
    let missing = || Error::NotFound { kind: Kind::Model, arn: scope.sagemaker(Kind::Model, name) };
    state.models.get(name).ok_or_else(missing)
}

/// What the next deployment of a config is made of.
pub(super) fn parts(state: &State, config: &Arc<EndpointConfig>) -> Parts {
    let variants = EndpointConfig::listed(&config.members);
    let names = variants.filter_map(|variant| variant.get("ModelName")?.as_str());
    Parts {
        id: DeploymentId(state.last_deployment() + 1),
        config: Arc::clone(config),
        models: names.filter_map(|name| state.models.get(name).cloned()).collect(),
    }
}

/// The endpoint's variants that are registered as scalable targets.
pub(super) fn registered(state: &State, endpoint: &Endpoint) -> Vec<ResourceId> {
    state
        .targets_of(&EndpointKey::from(&endpoint.name))
        .map(|target| target.resource.clone())
        .collect()
}

/// Puts a refusal of the domain into the words of the API.
pub(super) fn refuse(scope: &Scope) -> impl FnOnce(Refusal) -> Error + use<> {
    let scope = scope.clone();
    move |refusal| Error::Refused { refusal, scope }
}
