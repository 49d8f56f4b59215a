//! `DescribeEndpointConfig`: every value that the config was created with (promise S5).

use domain::arn::Kind;
use domain::name::EndpointConfigName;
use wire::sagemaker::{DescribeEndpointConfigInput, DescribeEndpointConfigOutput};

use super::{lookup, members};
use crate::Error;
use crate::context::{Context, name};

pub(super) fn describe_endpoint_config(
    cx: &Context,
    input: &DescribeEndpointConfigInput,
) -> Result<DescribeEndpointConfigOutput, Error> {
    let name: EndpointConfigName = name("endpointConfigName", &input.endpoint_config_name)?;
    let state = cx.store.state();
    let config = lookup::config(&state, &cx.scope, &name)?;
    let added = [
        ("EndpointConfigName", config.name.as_str().into()),
        ("EndpointConfigArn", cx.scope.sagemaker(Kind::EndpointConfig, &config.name).into()),
        ("CreationTime", members::seconds(config.created_at)),
    ];
    members::given_back(&config.members, added)
}
