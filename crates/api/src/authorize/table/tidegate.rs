//! Tidegate's own operations: `tidegate:*` actions on the endpoints that they are about. A safe update asks for
//! every action of AWS's services too that it calls, whenever it calls it.

use wire::tidegate::Operation;

use super::super::need::Need;
use super::Ask;

pub(super) fn needs(ask: &Ask<'_>, operation: Operation) -> Vec<Need> {
    let endpoint =
        |action| vec![Need::on("tidegate", action, ask.endpoint_arn(ask.text("EndpointName")))];
    match operation {
        Operation::DescribeInstances => endpoint("DescribeInstances"),
        Operation::DescribeLastUpdate => endpoint("DescribeLastUpdate"),
        Operation::DescribeSafeUpdate => endpoint("DescribeSafeUpdate"),
        Operation::ExplainScaling => endpoint("ExplainScaling"),
        Operation::ListSafeUpdates => vec![Need::any("tidegate", "ListSafeUpdates")],
        Operation::PlanSafeUpdate => endpoint("PlanSafeUpdate"),
        Operation::ResumeSafeUpdate => endpoint("ResumeSafeUpdate"),
        // Whoever may update an endpoint may take the update back.
        Operation::RollBackUpdate => {
            vec![Need::on(
                "sagemaker",
                "UpdateEndpoint",
                ask.endpoint_arn(ask.text("EndpointName")),
            )]
        }
        Operation::StartSafeUpdate => endpoint("StartSafeUpdate"),
        Operation::UndoSafeUpdate => endpoint("UndoSafeUpdate"),
    }
}
