//! `UntagResource`: a key that is not there is no error.

use domain::scaling::Refusal;
use store::Changes;
use wire::application_autoscaling::{UntagResourceRequest, UntagResourceResponse};

use super::tagging;
use crate::{Context, Error};

pub(super) async fn untag_resource(
    cx: &Context,
    input: UntagResourceRequest,
) -> Result<UntagResourceResponse, Error> {
    if input.tag_keys.is_empty() {
        return Err(Refusal::NoTagKeys.into());
    }
    let scope = cx.scope.clone();
    cx.decide(move |state| {
        let arn = tagging::target(state, &scope, &input.resource_arn)?.arn(&scope);
        let tags = tagging::of(state, &arn).without(&input.tag_keys);
        Ok((tagging::put(Changes::none(), arn, tags), UntagResourceResponse {}))
    })
    .await
}
