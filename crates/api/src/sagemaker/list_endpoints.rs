//! `ListEndpoints`.

use wire::sagemaker::{
    EndpointSortKey, EndpointStatus, EndpointSummary, ListEndpointsInput, ListEndpointsOutput,
    OrderKey,
};

use super::describe_endpoint::status;
use super::members::timestamp;
use super::page::{Item, Order, Query, Range, SortBy, page};
use crate::{Context, Error};

pub(super) fn list_endpoints(
    cx: &Context,
    input: ListEndpointsInput,
) -> Result<ListEndpointsOutput, Error> {
    let by = match input.sort_by {
        Some(EndpointSortKey::Name) => SortBy::Name,
        Some(EndpointSortKey::Status) => SortBy::Status,
        Some(EndpointSortKey::CreationTime) | None => SortBy::CreationTime,
    };
    let query = Query {
        name_contains: input.name_contains,
        created: Range {
            before: input.creation_time_before,
            after: input.creation_time_after,
            after_inclusive: true,
        },
        modified: Range {
            before: input.last_modified_time_before,
            after: input.last_modified_time_after,
            after_inclusive: false,
        },
        order: Order { by, ascending: input.sort_order == Some(OrderKey::Ascending) },
        max_results: input.max_results,
        next_token: input.next_token,
    };
    let wanted: Option<EndpointStatus> = input.status_equals;
    let state = cx.store.state();
    let endpoints = state
        .endpoints
        .values()
        .filter(|endpoint| wanted.is_none_or(|one| one == status(endpoint.stage)));
    let items = endpoints.map(|endpoint| Item {
        name: endpoint.name.to_string(),
        created_at: endpoint.created_at,
        modified_at: endpoint.modified_at,
        status: endpoint.stage.status(),
        shown: EndpointSummary {
            endpoint_name: endpoint.name.to_string(),
            endpoint_arn: cx.endpoint_arn(&endpoint.name),
            creation_time: timestamp(endpoint.created_at),
            last_modified_time: timestamp(endpoint.modified_at),
            endpoint_status: status(endpoint.stage),
        },
    });
    let (endpoints, next_token) = page(items, &query)?;
    Ok(ListEndpointsOutput { endpoints, next_token })
}
