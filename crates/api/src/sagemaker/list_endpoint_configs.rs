//! `ListEndpointConfigs`.

use domain::arn::Kind;
use domain::endpoint_config::EndpointConfig;
use wire::sagemaker::{
    EndpointConfigSortKey, EndpointConfigSummary, ListEndpointConfigsInput,
    ListEndpointConfigsOutput,
};

use super::members::timestamp;
use super::page::{Order, Query, Range, SortBy, page, query};
use crate::{Context, Error};

pub(super) fn list_endpoint_configs(
    cx: &Context,
    input: ListEndpointConfigsInput,
) -> Result<ListEndpointConfigsOutput, Error> {
    let by = match input.sort_by {
        Some(EndpointConfigSortKey::Name) => SortBy::Name,
        Some(EndpointConfigSortKey::CreationTime) | None => SortBy::CreationTime,
    };
    let query = query!(input sorted by by);
    let state = cx.store.state();
    let (found, next_token) = page(&state, &query, |_: &EndpointConfig| true)?;
    let shown = |config: &EndpointConfig| EndpointConfigSummary {
        endpoint_config_name: config.name.to_string(),
        endpoint_config_arn: cx.scope.sagemaker(Kind::EndpointConfig, &config.name),
        creation_time: timestamp(config.created_at),
    };
    let endpoint_configs = found.into_iter().map(shown).collect();
    Ok(ListEndpointConfigsOutput { endpoint_configs, next_token })
}
