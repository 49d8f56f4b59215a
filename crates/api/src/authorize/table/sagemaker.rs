//! SageMaker: endpoints, endpoint configs, models, and their tags; and the runtime.

use domain::arn::Kind;
use wire::Document;
use wire::sagemaker::Operation;
use wire::sagemaker_runtime::Operation as RuntimeOperation;

use super::super::need::{Need, tags, texts};
use super::Ask;

/// Who takes on a role that an execution role's ARN names.
const PASSED_TO: &str = "sagemaker.amazonaws.com";

pub(super) fn needs(ask: &Ask<'_>, operation: Operation) -> Vec<Need> {
    let endpoint =
        |action| vec![Need::on("sagemaker", action, ask.endpoint_arn(ask.text("EndpointName")))];
    let config = |action| vec![Need::on("sagemaker", action, config_arn(ask))];
    let model = |action| vec![Need::on("sagemaker", action, model_arn(ask, ask.text("ModelName")))];
    let tagged = |action| Need::on("sagemaker", action, ask.text("ResourceArn").to_owned());
    let any = |action| vec![Need::any("sagemaker", action)];
    match operation {
        Operation::AddTags => vec![tagged("AddTags").with_tags(&tags(ask.input, "Tags"))],
        Operation::CreateEndpoint => create_endpoint(ask),
        Operation::CreateEndpointConfig => create_endpoint_config(ask),
        Operation::CreateModel => created(
            ask,
            Need::on("sagemaker", "CreateModel", model_arn(ask, ask.text("ModelName"))),
        ),
        Operation::DeleteEndpoint => endpoint("DeleteEndpoint"),
        Operation::DeleteEndpointConfig => config("DeleteEndpointConfig"),
        Operation::DeleteModel => model("DeleteModel"),
        Operation::DeleteTags => {
            vec![tagged("DeleteTags").with_tag_keys(texts(ask.input, "TagKeys"))]
        }
        Operation::DescribeEndpoint => endpoint("DescribeEndpoint"),
        Operation::DescribeEndpointConfig => config("DescribeEndpointConfig"),
        Operation::DescribeModel => model("DescribeModel"),
        Operation::ListEndpointConfigs => any("ListEndpointConfigs"),
        Operation::ListEndpoints => any("ListEndpoints"),
        Operation::ListModels => any("ListModels"),
        Operation::ListTags => vec![tagged("ListTags")],
        // Both, as AWS's service authorization reference has it.
        Operation::UpdateEndpoint => {
            let config = Need::on("sagemaker", "UpdateEndpoint", config_arn(ask));
            endpoint("UpdateEndpoint").into_iter().chain([config]).collect()
        }
        Operation::UpdateEndpointWeightsAndCapacities => {
            endpoint("UpdateEndpointWeightsAndCapacities")
        }
    }
}

/// The data plane asks for the same action whichever way the answer comes (`reference/sagemaker-hosting.md`, section 0).
pub(super) fn runtime_needs(ask: &Ask<'_>, operation: RuntimeOperation) -> Vec<Need> {
    match operation {
        RuntimeOperation::InvokeEndpoint | RuntimeOperation::InvokeEndpointWithResponseStream => {
            vec![Need::on(
                "sagemaker",
                "InvokeEndpoint",
                ask.endpoint_arn(ask.text("EndpointName")),
            )]
        }
    }
}

fn create_endpoint(ask: &Ask<'_>) -> Vec<Need> {
    let arn = ask.endpoint_arn(ask.text("EndpointName"));
    let mut needs = created(ask, Need::on("sagemaker", "CreateEndpoint", arn));
    needs.push(
        Need::on("sagemaker", "CreateEndpoint", config_arn(ask))
            .with_tags(&tags(ask.input, "Tags")),
    );
    needs
}

fn create_endpoint_config(ask: &Ask<'_>) -> Vec<Need> {
    let variants: Vec<&Document> = ["ProductionVariants", "ShadowProductionVariants"]
        .into_iter()
        .filter_map(|list| ask.input.get(list)?.as_list())
        .flatten()
        .collect();
    let of = |member: &'static str| {
        variants.iter().filter_map(move |variant| variant.get(member)?.as_str().map(str::to_owned))
    };
    let need = Need::on("sagemaker", "CreateEndpointConfig", config_arn(ask))
        .with("sagemaker:instancetypes", of("InstanceType"))
        .with("sagemaker:modelarn", of("ModelName").map(|name| model_arn(ask, &name)));
    created(ask, need)
}

/// Creating with tags needs leave to tag, and naming a role needs leave to pass it on.
fn created(ask: &Ask<'_>, need: Need) -> Vec<Need> {
    let tags = tags(ask.input, "Tags");
    let tagging = (!tags.is_empty())
        .then(|| Need::on("sagemaker", "AddTags", need.resource.clone()).with_tags(&tags));
    let role = ask.input.get("ExecutionRoleArn").and_then(Document::as_str);
    let passing = role.map(|role| {
        Need::on("iam", "PassRole", role.to_owned())
            .with("iam:passedtoservice", [PASSED_TO.to_owned()])
            .with("iam:associatedresourcearn", [need.resource.clone()])
    });
    [Some(need.with_tags(&tags)), tagging, passing].into_iter().flatten().collect()
}

fn config_arn(ask: &Ask<'_>) -> String {
    ask.scope.sagemaker(Kind::EndpointConfig, ask.text("EndpointConfigName"))
}

fn model_arn(ask: &Ask<'_>, name: &str) -> String {
    ask.scope.sagemaker(Kind::Model, name)
}
