//! `DescribeModel`: every member that `CreateModel` was given, but for the tags.

use domain::name::ModelName;
use wire::sagemaker::{DescribeModelInput, DescribeModelOutput};

use super::{lookup, members};
use crate::Error;
use crate::context::{Context, name};

pub(super) fn describe_model(
    cx: &Context,
    input: &DescribeModelInput,
) -> Result<DescribeModelOutput, Error> {
    let name: ModelName = name("modelName", &input.model_name)?;
    let state = cx.store.state();
    let model = lookup::model(&state, &cx.scope, &name)?;
    let added = [
        ("ModelName", model.name.as_str().into()),
        ("ModelArn", cx.model_arn(&model.name).into()),
        ("CreationTime", members::seconds(model.created_at)),
    ];
    members::given_back(&model.members, added)
}
