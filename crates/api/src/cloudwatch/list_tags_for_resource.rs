//! `ListTagsForResource`: an alarm that does not exist has no tags, which is no error.

use wire::cloudwatch::{ListTagsForResourceInput, ListTagsForResourceOutput, Tag};

use super::tagging;
use crate::{Context, Error};

pub(super) fn list_tags_for_resource(
    cx: &Context,
    input: &ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, Error> {
    tagging::named(cx, "cloudwatch:ListTagsForResource", &input.resource_arn)?;
    let tags = tagging::of(&cx.store.state(), &input.resource_arn);
    let shown = tags.0.into_iter().map(|(key, value)| Tag { key, value });
    Ok(ListTagsForResourceOutput { tags: Some(shown.collect()) })
}
