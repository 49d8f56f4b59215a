//! `ListEndpointConfigs`.

use domain::arn::Kind;
use wire::sagemaker::{
    EndpointConfigSortKey, EndpointConfigSummary, ListEndpointConfigsInput,
    ListEndpointConfigsOutput, OrderKey,
};

use super::members::timestamp;
use super::page::{Item, Order, Query, Range, SortBy, page};
use crate::{Context, Error};

pub(super) fn list_endpoint_configs(
    cx: &Context,
    input: ListEndpointConfigsInput,
) -> Result<ListEndpointConfigsOutput, Error> {
    let by = match input.sort_by {
        Some(EndpointConfigSortKey::Name) => SortBy::Name,
        Some(EndpointConfigSortKey::CreationTime) | None => SortBy::CreationTime,
    };
    let query = Query {
        name_contains: input.name_contains,
        created: Range {
            before: input.creation_time_before,
            after: input.creation_time_after,
            after_inclusive: true,
        },
        order: Order { by, ascending: input.sort_order == Some(OrderKey::Ascending) },
        max_results: input.max_results,
        next_token: input.next_token,
        ..Query::default()
    };
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
