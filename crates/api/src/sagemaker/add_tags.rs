//! `AddTags`: adds or replaces by key, and answers with all tags of the resource.

use store::Changes;
use store::record::Tagged;
use wire::sagemaker::{AddTagsInput, AddTagsOutput};

use super::tagging;
use crate::{Context, Error};

pub(super) async fn add_tags(cx: &Context, input: AddTagsInput) -> Result<AddTagsOutput, Error> {
    let (scope, caller) = (cx.scope.clone(), cx.caller.arn.clone());
    cx.decide(move |state| {
        let resource =
            tagging::locate(&scope, &caller, state, "sagemaker:AddTags", &input.resource_arn)?;
        let before = tagging::of(state, &resource);
        let tags = before.with(tagging::pairs(input.tags)).map_err(|_| Error::TooManyTags)?;
        let output = AddTagsOutput { tags: Some(tagging::shown(&tags)) };
        Ok((Changes::none().put(Tagged { arn: resource.key, tags }), output))
    })
    .await
}
