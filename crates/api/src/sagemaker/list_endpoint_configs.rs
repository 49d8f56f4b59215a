//! `ListEndpointConfigs`.

use domain::arn::Kind;
use wire::sagemaker::{
    EndpointConfigSortKey, EndpointConfigSummary, ListEndpointConfigsInput,
    ListEndpointConfigsOutput,
};

use super::members::timestamp;
use super::page::{Item, Order, Query, Range, SortBy, page, query};
use crate::{Context, Error};

pub(super) fn list_endpoint_configs(
    cx: &Context,
    input: ListEndpointConfigsInput,
) -> Result<ListEndpointConfigsOutput, Error> {
    let by = match input.sort_by {
        Some(EndpointConfigSortKey::Name) => SortBy::Name,
        Some(EndpointConfigSortKey::CreationTime) | None => SortBy::CreationTime,
    };
    let query = query!("configs" of input sorted by by);
    let state = cx.store.state();
    let items = state.endpoint_configs.values().map(|config| Item {
        name: config.name.to_string(),
        created_at: config.created_at,
        modified_at: config.created_at,
        status: "",
        shown: EndpointConfigSummary {
            endpoint_config_name: config.name.to_string(),
            endpoint_config_arn: cx.scope.sagemaker(Kind::EndpointConfig, &config.name),
            creation_time: timestamp(config.created_at),
        },
    });
    let (endpoint_configs, next_token) = page(items, &query)?;
    Ok(ListEndpointConfigsOutput { endpoint_configs, next_token })
}
