//! `TagResource`: adds or replaces by key.

use store::Changes;
use wire::application_autoscaling::{TagResourceRequest, TagResourceResponse};

use super::tagging;
use crate::{Context, Error};

pub(super) async fn tag_resource(
    cx: &Context,
    input: TagResourceRequest,
) -> Result<TagResourceResponse, Error> {
    let scope = cx.scope.clone();
    cx.decide(move |state| {
        let arn = tagging::target(state, &scope, &input.resource_arn)?.arn(&scope);
        let tags = tagging::with(&arn, &tagging::of(state, &arn), input.tags)?;
        Ok((tagging::put(Changes::none(), arn, tags), TagResourceResponse {}))
    })
    .await
}
