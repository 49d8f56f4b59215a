//! `ListEndpoints`.

use domain::endpoint::Endpoint;
use wire::sagemaker::{
    EndpointSortKey, EndpointStatus, EndpointSummary, ListEndpointsInput, ListEndpointsOutput,
};

use super::describe_endpoint::status;
use super::members::timestamp;
use super::page::{Order, Query, Range, SortBy, page, query};
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
    let modified = Range {
        before: input.last_modified_time_before,
        after: input.last_modified_time_after,
        after_inclusive: false,
    };
    let wanted: Option<EndpointStatus> = input.status_equals;
    let query = Query { modified, ..query!(input sorted by by) };
    let state = cx.store.state();
    let has_status = |endpoint: &Endpoint| wanted.is_none_or(|one| one == status(endpoint.stage));
    let (found, next_token) = page(&state, &query, has_status)?;
    let shown = |endpoint: &Endpoint| EndpointSummary {
        endpoint_name: endpoint.name.to_string(),
        endpoint_arn: cx.endpoint_arn(&endpoint.name),
        creation_time: timestamp(endpoint.created_at),
        last_modified_time: timestamp(endpoint.modified_at),
        endpoint_status: status(endpoint.stage),
    };
    Ok(ListEndpointsOutput { endpoints: found.into_iter().map(shown).collect(), next_token })
}
