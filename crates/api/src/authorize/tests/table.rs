//! What operations need, row by row (`reference/autoscaling-and-cloudwatch.md`, section 8.1).

use serde_json::{Value, json};
use store::State;
use wire::Document;

use super::super::table::{Ask, needs};
use super::{ENDPOINT, scope};

fn document(value: &Value) -> Document {
    match value {
        Value::String(text) => Document::String(text.clone()),
        Value::Array(items) => Document::List(items.iter().map(document).collect()),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), document(value)));
            Document::Map(members.collect())
        }
        Value::Number(number) => Document::Integer(number.as_i64().unwrap()),
        Value::Bool(flag) => Document::Bool(*flag),
        Value::Null => Document::Null,
    }
}

fn needed(service: &'static str, operation: &'static str, input: &Value) -> Vec<(String, String)> {
    let (state, scope, input) = (State::default(), scope(), document(input));
    let ask = Ask { scope: &scope, state: &state, input: &input, user: Some("ann") };
    let needs = needs(&ask, service, operation).unwrap();
    needs.into_iter().map(|need| (need.action.to_string(), need.resource)).collect()
}

#[test]
fn every_operation_of_every_service_has_a_case() {
    let free = ["AssumeRole", "GetCallerIdentity", "GetSessionToken"];
    for service in wire::shape::SERVICES {
        assert!(!service.operations.is_empty());
        for operation in service.operations {
            let needs = needed(service.id, operation.name, &json!({}));
            let is_free = service.id == "sts" && free.contains(&operation.name);
            assert_eq!(needs.is_empty(), is_free, "{} {}", service.id, operation.name);
            for (action, resource) in needs {
                assert!(action.contains(':') && !resource.contains("::/"), "{action} {resource}");
            }
        }
    }
}

#[test]
fn operations_need_what_the_reference_says() {
    const AAS: &str = "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target";
    const ALARM: &str = "arn:aws:cloudwatch:us-east-1:000000000000:alarm";
    const IAM: &str = "arn:aws:iam::000000000000";
    let config = "arn:aws:sagemaker:us-east-1:000000000000:endpoint-config";
    let role = format!("{IAM}:role/host");
    let linked = format!(
        "{IAM}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/\
         AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    );
    let tags = json!([{"Key": "Team", "Value": "x"}]);
    let on = |action: &str, resource: String| (action.to_owned(), resource);
    let target = json!({"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/v"});
    let rows = [
        (
            "sagemaker",
            "DescribeEndpoint",
            json!({"EndpointName": "Big"}),
            vec![on("sagemaker:DescribeEndpoint", format!("{ENDPOINT}/big"))],
        ),
        (
            "sagemaker",
            "CreateEndpoint",
            json!({"EndpointName": "e", "EndpointConfigName": "c", "Tags": tags}),
            vec![
                on("sagemaker:CreateEndpoint", format!("{ENDPOINT}/e")),
                on("sagemaker:AddTags", format!("{ENDPOINT}/e")),
                on("sagemaker:CreateEndpoint", format!("{config}/c")),
            ],
        ),
        (
            "sagemaker",
            "CreateEndpointConfig",
            json!({"EndpointConfigName": "c", "ExecutionRoleArn": role}),
            vec![
                on("sagemaker:CreateEndpointConfig", format!("{config}/c")),
                on("iam:PassRole", role.clone()),
            ],
        ),
        (
            "sagemaker",
            "CreateModel",
            json!({"ModelName": "m", "ExecutionRoleArn": role}),
            vec![
                on(
                    "sagemaker:CreateModel",
                    "arn:aws:sagemaker:us-east-1:000000000000:model/m".into(),
                ),
                on("iam:PassRole", role.clone()),
            ],
        ),
        ("sagemaker", "ListEndpoints", json!({}), vec![on("sagemaker:ListEndpoints", "*".into())]),
        (
            "sagemaker_runtime",
            "InvokeEndpointWithResponseStream",
            json!({"EndpointName": "E"}),
            vec![on("sagemaker:InvokeEndpoint", format!("{ENDPOINT}/e"))],
        ),
        (
            "application_autoscaling",
            "RegisterScalableTarget",
            target.clone(),
            vec![
                on("application-autoscaling:RegisterScalableTarget", format!("{AAS}/*")),
                on("iam:CreateServiceLinkedRole", linked.clone()),
            ],
        ),
        (
            "application_autoscaling",
            "PutScalingPolicy",
            target,
            vec![on("application-autoscaling:PutScalingPolicy", format!("{AAS}/*"))],
        ),
        (
            "application_autoscaling",
            "DescribeScalableTargets",
            json!({}),
            vec![on("application-autoscaling:DescribeScalableTargets", "*".into())],
        ),
        (
            "cloudwatch",
            "PutMetricAlarm",
            json!({"AlarmName": "a", "Tags": tags}),
            vec![
                on("cloudwatch:PutMetricAlarm", format!("{ALARM}:a")),
                on("cloudwatch:TagResource", format!("{ALARM}:a")),
            ],
        ),
        (
            "cloudwatch",
            "DeleteAlarms",
            json!({"AlarmNames": ["a", "b"]}),
            vec![
                on("cloudwatch:DeleteAlarms", format!("{ALARM}:a")),
                on("cloudwatch:DeleteAlarms", format!("{ALARM}:b")),
            ],
        ),
        (
            "cloudwatch",
            "DescribeAlarms",
            json!({}),
            vec![on("cloudwatch:DescribeAlarms", format!("{ALARM}:*"))],
        ),
        (
            "cloudwatch",
            "PutMetricData",
            json!({}),
            vec![on("cloudwatch:PutMetricData", "*".into())],
        ),
        (
            "logs",
            "GetLogEvents",
            json!({"logGroupName": "/g", "logStreamName": "s"}),
            vec![on(
                "logs:GetLogEvents",
                "arn:aws:logs:us-east-1:000000000000:log-group:/g:log-stream:s".into(),
            )],
        ),
        (
            "logs",
            "FilterLogEvents",
            json!({"logGroupIdentifier": "arn:aws:logs:us-east-1:1:log-group:/g:*"}),
            vec![on(
                "logs:FilterLogEvents",
                "arn:aws:logs:us-east-1:000000000000:log-group:/g:log-stream:".into(),
            )],
        ),
        (
            "iam",
            "CreateUser",
            json!({"UserName": "bob", "Path": "/ops/"}),
            vec![on("iam:CreateUser", format!("{IAM}:user/ops/bob"))],
        ),
        ("iam", "GetUser", json!({}), vec![on("iam:GetUser", format!("{IAM}:user/ann"))]),
        ("iam", "ListUsers", json!({}), vec![on("iam:ListUsers", format!("{IAM}:user/"))]),
        (
            "iam",
            "CreateServiceLinkedRole",
            json!({"AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}),
            vec![on("iam:CreateServiceLinkedRole", linked)],
        ),
        (
            "tidegate",
            "ExplainScaling",
            json!({"EndpointName": "e"}),
            vec![on("tidegate:ExplainScaling", format!("{ENDPOINT}/e"))],
        ),
        (
            "tidegate",
            "StartSafeUpdate",
            json!({"EndpointName": "Big", "EndpointConfigName": "c"}),
            vec![on("tidegate:StartSafeUpdate", format!("{ENDPOINT}/big"))],
        ),
        (
            "tidegate",
            "UndoSafeUpdate",
            json!({"EndpointName": "e"}),
            vec![on("tidegate:UndoSafeUpdate", format!("{ENDPOINT}/e"))],
        ),
        (
            "tidegate",
            "ListSafeUpdates",
            json!({}),
            vec![on("tidegate:ListSafeUpdates", "*".into())],
        ),
    ];
    for (service, operation, input, expected) in rows {
        assert_eq!(needed(service, operation, &input), expected, "{service} {operation}");
    }
}

#[test]
fn a_condition_on_what_a_config_names_sees_its_shadow_too() {
    let variant = |model: &str, kind: &str| json!([{"ModelName": model, "InstanceType": kind}]);
    let input = document(&json!({
        "EndpointConfigName": "c",
        "ProductionVariants": variant("m", "ml.m5.large"),
        "ShadowProductionVariants": variant("n", "ml.g5.xlarge"),
    }));
    let (state, scope) = (State::default(), scope());
    let ask = Ask { scope: &scope, state: &state, input: &input, user: None };
    let needs = needs(&ask, "sagemaker", "CreateEndpointConfig").unwrap();
    let seen = format!("{needs:?}");
    for named in ["ml.m5.large", "model/m", "ml.g5.xlarge", "model/n"] {
        assert!(seen.contains(named), "{named}: {seen}");
    }
}
