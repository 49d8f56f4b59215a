//! Tidegate's own operations: `tidegate:*` actions on the endpoints that they look at.

use wire::tidegate::Operation;

use super::super::need::Need;
use super::Ask;

pub(super) fn needs(ask: &Ask<'_>, operation: Operation) -> Vec<Need> {
    let endpoint =
        |action| vec![Need::on("tidegate", action, ask.endpoint_arn(ask.text("EndpointName")))];
    match operation {
        Operation::DescribeInstances => endpoint("DescribeInstances"),
        Operation::ExplainScaling => endpoint("ExplainScaling"),
    }
}
