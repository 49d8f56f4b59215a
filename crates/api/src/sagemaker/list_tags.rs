//! `ListTags`: by key. At most 50 tags fit a resource, and a page holds at least 50, so that one page holds all.

use wire::sagemaker::{ListTagsInput, ListTagsOutput};

use super::tagging;
use crate::{Context, Error};

pub(super) fn list_tags(cx: &Context, input: &ListTagsInput) -> Result<ListTagsOutput, Error> {
    let state = cx.store.state();
    let resource = tagging::resource(cx, &state, "sagemaker:ListTags", &input.resource_arn)?;
    if input.next_token.is_some() {
        return Err(Error::BadToken);
    }
    Ok(ListTagsOutput {
        tags: Some(tagging::shown(&tagging::of(&state, &resource))),
        next_token: None,
    })
}
