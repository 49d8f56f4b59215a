//! `TagResource`: adds tags to an alarm, or replaces them by key.

use store::Changes;
use store::record::Tagged;
use wire::cloudwatch::{TagResourceInput, TagResourceOutput};

use super::tagging;
use crate::{Context, Error};

pub(super) async fn tag_resource(
    cx: &Context,
    input: TagResourceInput,
) -> Result<TagResourceOutput, Error> {
    let TagResourceInput { resource_arn: arn, tags } = input;
    let name = tagging::named(cx, "cloudwatch:TagResource", &arn)?;
    cx.decide(move |state| {
        tagging::exists(state, &name, &arn)?;
        let tags = tagging::with(&tagging::of(state, &arn), tags)?;
        Ok((Changes::none().put(Tagged { arn, tags }), TagResourceOutput {}))
    })
    .await
}
