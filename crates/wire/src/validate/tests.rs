//! The texts of reference/sagemaker-hosting.md, section 0 and 1.1, word by word.

use serde_json::{Value, json};

use super::{VIOLATIONS_MAX, validate};
use crate::schema::Schema;
use crate::shape::{application_autoscaling, cloudwatch, sagemaker, sagemaker_runtime};
use crate::{Document, Shape};

fn message(schema: &Schema, value: &Value) -> String {
    let document = Document::from_json(schema, value).unwrap();
    validate(schema, &document)
        .map_or_else(|violations| violations.to_string(), |()| "ok".to_owned())
}

fn variant(changes: &Value) -> Value {
    let mut variant = json!({"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1});
    variant.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    json!({"EndpointConfigName": "c", "ProductionVariants": [variant]})
}

#[test]
fn a_model_is_checked_as_aws_checks_it() {
    let schema = sagemaker::CreateModelInput::schema();
    let table = [
        (json!({"ModelName": "m"}), "ok".to_owned()),
        (
            json!({"ModelName": "x.y-model"}),
            "1 validation error detected: Value 'x.y-model' at 'modelName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: ^[a-zA-Z0-9]([\\-a-zA-Z0-9]*[a-zA-Z0-9])?"
                .to_owned(),
        ),
        (
            json!({}),
            "1 validation error detected: Value null at 'modelName' failed to satisfy constraint: \
             Member must not be null"
                .to_owned(),
        ),
        (
            json!({"ModelName": "m".repeat(64)}),
            format!(
                "1 validation error detected: Value '{}' at 'modelName' failed to satisfy constraint: \
                 Member must have length less than or equal to 63",
                "m".repeat(64)
            ),
        ),
        (
            json!({"ModelName": "m", "PrimaryContainer": {"Environment": {"0": "x"}}}),
            "1 validation error detected: Value '{0=x}' at 'primaryContainer.environment' failed to satisfy \
             constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, \
             Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: \
             ^[a-zA-Z_][a-zA-Z0-9_]*]"
                .to_owned(),
        ),
        (
            json!({"ModelName": "m", "PrimaryContainer": {"Environment": {"K": "v".repeat(1025)}}}),
            format!(
                "1 validation error detected: Value '{{K={}...' at 'primaryContainer.environment' failed to satisfy \
                 constraint: Map value must satisfy constraint: [Member must have length less than or equal to 1024, \
                 Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: \
                 ^[\\S\\s]*]",
                "v".repeat(1021)
            ),
        ),
        (
            json!({"ModelName": "m", "Tags": [{"Key": "k", "Value": "v"}, {"Key": "k"}]}),
            "1 validation error detected: Value null at 'tags.2.member.value' failed to satisfy constraint: \
             Member must not be null"
                .to_owned(),
        ),
        (
            json!({"ModelName": "m", "Tags": [null]}),
            "1 validation error detected: Value null at 'tags.1.member' failed to satisfy constraint: \
             Member must not be null"
                .to_owned(),
        ),
    ];
    for (input, expected) in table {
        assert_eq!(message(schema, &input), expected, "{input}");
    }
}

#[test]
fn numbers_are_checked_against_their_ranges() {
    let schema = sagemaker::CreateEndpointConfigInput::schema();
    let at = "at 'productionVariants.1.member";
    let table = [
        (
            json!({"InitialInstanceCount": 0}),
            format!(
                "Value '0' {at}.initialInstanceCount' failed to satisfy constraint: Member must have value greater than or equal to 1"
            ),
        ),
        (
            json!({"InitialVariantWeight": -0.5}),
            format!(
                "Value '-0.5' {at}.initialVariantWeight' failed to satisfy constraint: Member must have value greater than or equal to 0.0"
            ),
        ),
        (
            json!({"InitialInstanceCount": 2_147_483_648_i64}),
            format!(
                "Value '2147483648' {at}.initialInstanceCount' failed to satisfy constraint: Member must have value less than or equal to 2147483647"
            ),
        ),
    ];
    for (changes, expected) in table {
        assert_eq!(
            message(schema, &variant(&changes)),
            format!("1 validation error detected: {expected}")
        );
    }
    assert_eq!(message(schema, &variant(&json!({"InitialVariantWeight": 0.1}))), "ok");
}

#[test]
fn an_instance_type_is_one_of_a_long_list() {
    let schema = sagemaker::CreateEndpointConfigInput::schema();
    let text = message(schema, &variant(&json!({"InstanceType": "ml.t3.medium"})));
    let start = "1 validation error detected: Value 'ml.t3.medium' at 'productionVariants.1.member.instanceType' \
                 failed to satisfy constraint: Member must satisfy enum value set: [ml.";
    assert!(text.starts_with(start) && text.ends_with(']'), "{text}");
}

#[test]
fn several_errors_are_counted_and_listed() {
    let schema = sagemaker::CreateEndpointInput::schema();
    assert_eq!(
        message(schema, &json!({"EndpointName": "-"})),
        "2 validation errors detected: Value '-' at 'endpointName' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}; Value null at 'endpointConfigName' failed to \
         satisfy constraint: Member must not be null"
    );
}

#[test]
fn the_list_of_errors_is_bounded() {
    let schema = sagemaker::AddTagsInput::schema();
    let tags: Vec<Value> = (0..50).map(|_| json!({"Key": "", "Value": "v"})).collect();
    let text = message(
        schema,
        &json!({"ResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:model/m", "Tags": tags}),
    );
    assert!(text.starts_with(&format!("{VIOLATIONS_MAX} validation errors detected: ")), "{text}");
    assert_eq!(text.matches("failed to satisfy").count(), VIOLATIONS_MAX);
}

#[test]
fn a_list_of_scalars_is_reported_whole() {
    let schema = sagemaker::DeleteTagsInput::schema();
    let input = json!({"ResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:model/m", "TagKeys": ["ok", "", "\u{0}"]});
    assert_eq!(
        message(schema, &input),
        "1 validation error detected: Value '[ok, , \u{0}]' at 'tagKeys' failed to satisfy constraint: Member must \
         satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater \
         than or equal to 1, Member must satisfy regular expression pattern: ^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)]"
    );
}

#[test]
fn artefacts_may_be_files() {
    let schema = sagemaker::ContainerDefinition::schema();
    for (url, good) in [
        ("s3://bucket/model.tar.gz", true),
        ("https://host/model.tar.gz", true),
        ("file:///srv/model.tar.gz", true),
        ("file://srv/model.tar.gz", false),
        ("file:///", false),
        ("http://host/model.tar.gz", false),
        ("/srv/model.tar.gz", false),
    ] {
        let text = message(schema, &json!({"ModelDataUrl": url}));
        assert_eq!(text == "ok", good, "{url}: {text}");
    }
}

#[test]
fn a_body_over_the_limit_is_not_printed() {
    let schema = sagemaker_runtime::InvokeEndpointInput::schema();
    let document = Document::Map(vec![
        ("EndpointName".to_owned(), Document::String("e".to_owned())),
        ("Body".to_owned(), Document::Blob(vec![0; 6_291_457].into())),
    ]);
    assert_eq!(
        validate(schema, &document).unwrap_err().to_string(),
        "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=6291457 cap=6291457]' at 'body' failed \
         to satisfy constraint: Member must have length less than or equal to 6291456"
    );
}

#[test]
fn long_values_are_cut() {
    let schema = sagemaker::DescribeModelInput::schema();
    let text = message(schema, &json!({"ModelName": "é".repeat(1_000_000)}));
    assert!(text.len() < 8_000, "{}", text.len());
}

/// reference/autoscaling-and-cloudwatch.md, sections 1.5 and 6.3.
#[test]
fn enums_are_printed_in_the_order_of_their_service() {
    let table = [
        (
            application_autoscaling::PutScalingPolicyRequest::schema(),
            json!({
                "PolicyName": "p", "ServiceNamespace": "sagemaker", "ResourceId": "r",
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount", "PolicyType": "SimpleScaling",
            }),
            "1 validation error detected: Value 'SimpleScaling' at 'policyType' failed to satisfy constraint: \
             Member must satisfy enum value set: [PredictiveScaling, RightSizing, StepScaling, TargetTrackingScaling]",
        ),
        (
            cloudwatch::SetAlarmStateInput::schema(),
            json!({"AlarmName": "a", "StateValue": "INVALID", "StateReason": "r"}),
            "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: \
             Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
        ),
        (
            application_autoscaling::TagResourceRequest::schema(),
            json!({"ResourceARN": "x", "Tags": {}}),
            "1 validation error detected: Value 'x' at 'resourceARN' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: \
             ^arn:.+:application-autoscaling:.+:[0-9]+:scalable-target\\/[a-zA-Z0-9-]+$",
        ),
        (
            application_autoscaling::UntagResourceRequest::schema(),
            json!({"ResourceARN": "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/056m1"}),
            "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: \
             Member must not be null",
        ),
    ];
    for (schema, value, expected) in table {
        assert_eq!(message(schema, &value), expected);
    }
    let dimension = json!({"ServiceNamespace": "sagemaker", "ScalableDimension": "x"});
    let message =
        message(application_autoscaling::DescribeScalableTargetsRequest::schema(), &dimension);
    assert!(
        message.contains(
            "enum value set: [appstream:fleet:DesiredCapacity, cassandra:table:ReadCapacityUnits,"
        ),
        "{message}"
    );
}
