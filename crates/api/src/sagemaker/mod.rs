//! SageMaker's control plane: models, endpoint configs, endpoints and their tags.

mod add_tags;
mod create_endpoint;
mod create_endpoint_config;
mod create_model;
mod delete_endpoint;
mod delete_endpoint_config;
mod delete_model;
mod delete_tags;
mod describe_endpoint;
mod describe_endpoint_config;
mod describe_model;
pub(crate) mod dry_run;
mod list_endpoint_configs;
mod list_endpoints;
mod list_models;
mod list_tags;
mod lookup;
pub(crate) mod members;
mod page;
mod tagging;
#[cfg(test)]
mod tests;
mod update;
mod update_endpoint;
mod update_endpoint_weights_and_capacities;

use wire::sagemaker::Operation;
use wire::{Call, Document, Value};

use crate::{Context, Error};

pub(crate) async fn serve(cx: &Context, call: &Call) -> Result<Document, Error> {
    let unserved = Error::Unserved { service: call.service.id, operation: call.operation.name };
    let operation: Operation = call.operation.name.parse().map_err(|_| unserved)?;
    match operation {
        Operation::AddTags => shown(add_tags::add_tags(cx, call.input()?).await),
        Operation::CreateEndpoint => {
            shown(create_endpoint::create_endpoint(cx, call.input()?).await)
        }
        Operation::CreateEndpointConfig => {
            shown(create_endpoint_config::create_endpoint_config(cx, call.input()?).await)
        }
        Operation::CreateModel => shown(create_model::create_model(cx, call.input()?).await),
        Operation::DeleteEndpoint => {
            nothing(delete_endpoint::delete_endpoint(cx, call.input()?).await)
        }
        Operation::DeleteEndpointConfig => {
            nothing(delete_endpoint_config::delete_endpoint_config(cx, call.input()?).await)
        }
        Operation::DeleteModel => nothing(delete_model::delete_model(cx, call.input()?).await),
        Operation::DeleteTags => shown(delete_tags::delete_tags(cx, call.input()?).await),
        Operation::DescribeEndpoint => {
            shown(describe_endpoint::describe_endpoint(cx, &call.input()?))
        }
        Operation::DescribeEndpointConfig => {
            shown(describe_endpoint_config::describe_endpoint_config(cx, &call.input()?))
        }
        Operation::DescribeModel => shown(describe_model::describe_model(cx, &call.input()?)),
        Operation::ListEndpointConfigs => {
            shown(list_endpoint_configs::list_endpoint_configs(cx, call.input()?))
        }
        Operation::ListEndpoints => shown(list_endpoints::list_endpoints(cx, call.input()?)),
        Operation::ListModels => shown(list_models::list_models(cx, call.input()?)),
        Operation::ListTags => shown(list_tags::list_tags(cx, &call.input()?)),
        Operation::UpdateEndpoint => {
            shown(update_endpoint::update_endpoint(cx, call.input()?).await)
        }
        Operation::UpdateEndpointWeightsAndCapacities => {
            let input = call.input()?;
            shown(
                update_endpoint_weights_and_capacities::update_endpoint_weights_and_capacities(
                    cx, input,
                )
                .await,
            )
        }
    }
}

fn shown(output: Result<impl Value, Error>) -> Result<Document, Error> {
    output.map(|output| output.to_document())
}

fn nothing(output: Result<(), Error>) -> Result<Document, Error> {
    output.map(|()| Document::empty())
}
