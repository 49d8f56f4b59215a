//! `ListTagsForResource`.

use wire::application_autoscaling::{ListTagsForResourceRequest, ListTagsForResourceResponse};

use super::tagging;
use crate::{Context, Error};

pub(super) fn list_tags_for_resource(
    cx: &Context,
    input: &ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse, Error> {
    let state = cx.store.state();
    let arn = tagging::target(&state, &cx.scope, &input.resource_arn)?.arn(&cx.scope);
    Ok(ListTagsForResourceResponse { tags: Some(tagging::of(&state, &arn).0) })
}
