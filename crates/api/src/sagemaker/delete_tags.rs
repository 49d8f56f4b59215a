//! `DeleteTags`: a key that is not there is no error.

use store::Changes;
use store::record::Tagged;
use wire::sagemaker::{DeleteTagsInput, DeleteTagsOutput};

use super::tagging;
use crate::{Context, Error};

pub(super) async fn delete_tags(
    cx: &Context,
    input: DeleteTagsInput,
) -> Result<DeleteTagsOutput, Error> {
    let (scope, caller) = (cx.scope.clone(), cx.caller.arn.clone());
    cx.decide(move |state| {
        let resource =
            tagging::locate(&scope, &caller, state, "sagemaker:DeleteTags", &input.resource_arn)?;
        let tags = tagging::of(state, &resource).without(&input.tag_keys);
        let changes = if tags.0.is_empty() {
            Changes::none().delete::<Tagged>(resource.key)
        } else {
            Changes::none().put(Tagged { arn: resource.key, tags })
        };
        Ok((changes, DeleteTagsOutput {}))
    })
    .await
}
