//! `UntagResource`: takes tags from an alarm; keys that it has not are no error.

use store::Changes;
use store::record::Tagged;
use wire::cloudwatch::{UntagResourceInput, UntagResourceOutput};

use super::tagging;
use crate::{Context, Error};

pub(super) async fn untag_resource(
    cx: &Context,
    input: UntagResourceInput,
) -> Result<UntagResourceOutput, Error> {
    let UntagResourceInput { resource_arn: arn, tag_keys } = input;
    let name = tagging::named(cx, "cloudwatch:UntagResource", &arn)?;
    cx.decide(move |state| {
        tagging::exists(state, &name, &arn)?;
        let tags = tagging::of(state, &arn).without(&tag_keys);
        Ok((Changes::none().put(Tagged { arn, tags }), UntagResourceOutput {}))
    })
    .await
}
