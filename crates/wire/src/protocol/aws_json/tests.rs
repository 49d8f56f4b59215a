//! What awsJson reads and writes, byte for byte.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::protocol::{Call, ErrorBody, PARSED_BODY_BYTES_MAX, Protocol, Rejection, route};
use crate::sagemaker::{DescribeModelInput, SERVICE};
use crate::service::SERVICES;
use crate::shape::sagemaker::{CreateModelOutput, Operation};
use crate::{Document, logs};

fn call(target: &str, body: impl Into<Bytes>) -> Result<Call, Box<Rejection>> {
    let request = Request::post("/")
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.1");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let prefix = target.split('.').next().unwrap_or_default();
    let found = SERVICES.iter().find(|service| service.target_prefix == prefix);
    route(found.unwrap_or(&&SERVICE), &parts, &body.into())
}

fn json_body(response: &http::Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

#[test]
fn a_request_becomes_a_typed_input() {
    let call = call("SageMaker.DescribeModel", r#"{"ModelName":"mnist","Future":1,"Other":null}"#)
        .unwrap();
    assert_eq!(call.operation.name.parse(), Ok(Operation::DescribeModel));
    assert_eq!(call.protocol, Protocol::AwsJson1_1);
    assert_eq!(
        call.input::<DescribeModelInput>().unwrap(),
        DescribeModelInput { model_name: "mnist".to_owned() }
    );
}

#[test]
fn null_members_are_absent_members() {
    for body in ["{}", r#"{"MaxResults":null}"#] {
        assert_eq!(call("SageMaker.ListModels", body).unwrap().input, Document::empty());
    }
}

#[test]
fn an_output_is_json_with_the_request_id() {
    let call = call("SageMaker.CreateModel", r#"{"ModelName":"m"}"#).unwrap();
    let output = CreateModelOutput {
        model_arn: "arn:aws:sagemaker:us-east-1:000000000000:model/m".to_owned(),
    };
    let response = call.respond(&output, "4b0c");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.1");
    assert_eq!(response.headers()["x-amzn-requestid"], "4b0c");
    assert_eq!(json_body(&response), json!({"ModelArn": output.model_arn}));
}

#[test]
fn without_an_output_the_body_is_empty_and_an_empty_output_is_an_object() {
    let deleted =
        call("SageMaker.DeleteModel", r#"{"ModelName":"m"}"#).unwrap().respond_empty("id");
    assert_eq!((deleted.status(), deleted.body().as_ref()), (StatusCode::OK, b"".as_ref()));
    let arn = "arn:aws:sagemaker:us-east-1:000000000000:model/m";
    let body = json!({"ResourceArn": arn, "TagKeys": ["k"]}).to_string();
    let untagged = call("SageMaker.DeleteTags", body).unwrap().respond_empty("id");
    assert_eq!((untagged.status(), untagged.body().as_ref()), (StatusCode::OK, b"{}".as_ref()));
}

#[test]
fn errors_carry_their_type_and_modelled_ones_both_spellings() {
    let call = call("SageMaker.CreateModel", r#"{"ModelName":"m"}"#).unwrap();
    let plain = ErrorBody::new("ValidationException", StatusCode::BAD_REQUEST, "no");
    let response = call.respond_error(&plain, "id");
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.1");
    assert_eq!(json_body(&response), json!({"__type": "ValidationException", "message": "no"}));
    let modelled = ErrorBody::new("ResourceLimitExceeded", StatusCode::BAD_REQUEST, "no");
    let expected = json!({"__type": "ResourceLimitExceeded", "message": "no", "Message": "no"});
    assert_eq!(json_body(&call.respond_error(&modelled, "id")), expected);
}

#[test]
fn what_cannot_be_read_is_refused_with_a_code_of_its_own() {
    let deep = "[".repeat(100_000);
    let large = " ".repeat(PARSED_BODY_BYTES_MAX + 1);
    let table = [
        ("SageMaker.DescribeModel", "{", 400, "SerializationException"),
        ("SageMaker.DescribeModel", "", 400, "SerializationException"),
        ("SageMaker.ListModels", "", 400, "SerializationException"),
        ("SageMaker.ListModels", " ", 400, "SerializationException"),
        ("SageMaker.ListModels", "null", 400, "SerializationException"),
        ("SageMaker.DescribeModel", "null", 400, "SerializationException"),
        ("SageMaker.DescribeModel", "[]", 400, "SerializationException"),
        ("SageMaker.DescribeModel", r#"{"ModelName":1}"#, 400, "SerializationException"),
        ("SageMaker.DescribeModel", r#"{"ModelName":"m"} x"#, 400, "SerializationException"),
        ("SageMaker.DescribeModel", &deep, 400, "SerializationException"),
        ("SageMaker.DescribeModel", &large, 413, "RequestEntityTooLargeException"),
        ("SageMaker.DescribeModel", "{}", 400, "ValidationException"),
        ("SageMaker.Nonsense", "{}", 400, "UnknownOperationException"),
        ("Other.DescribeModel", "{}", 400, "UnknownOperationException"),
        ("DescribeModel", "{}", 400, "UnknownOperationException"),
        ("SageMaker.CreateTrainingJob", "{}", 400, "UnknownOperationException"),
        ("Logs_20140328.GetLogEvents", "{}", 400, "InvalidParameterException"),
        ("Logs_20140328.CreateLogGroup", "{}", 400, "UnknownOperationException"),
    ];
    for (target, body, status, code) in table {
        let response = call(target, body.to_owned()).unwrap_err().respond("id");
        let found = json_body(&response);
        assert_eq!(
            (response.status().as_u16(), &found["__type"]),
            (status, &json!(code)),
            "{target} {found}"
        );
        assert!(found["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
}

#[test]
fn an_operation_that_is_not_served_is_named() {
    let rejection = call("SageMaker.CreateTrainingJob", "{}").unwrap_err();
    assert_eq!(
        rejection.error.message,
        "Tidegate does not implement the operation CreateTrainingJob of SageMaker"
    );
}

#[test]
fn an_answer_keeps_the_version_it_was_asked_in() {
    let request = Request::post("/")
        .header("x-amz-target", "SageMaker.ListModels")
        .header("content-type", "application/x-amz-json-1.0");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let response = route(&SERVICE, &parts, &Bytes::from_static(b"{}")).unwrap().respond_empty("id");
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.0");
}

/// As CloudWatch Logs words and codes it, which names its patterns without an anchor.
#[test]
fn a_service_has_its_own_code_for_what_breaks_its_model() {
    let input = r#"{"logGroupName":"a b","logStreamName":"AllTraffic/i-1","startTime":1.8e12}"#;
    let response = call("Logs_20140328.GetLogEvents", input).unwrap_err().respond("id");
    let expected = json!({
        "__type": "InvalidParameterException",
        "message": "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: \
                    Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
    });
    assert_eq!(json_body(&response), expected);
}

#[test]
fn log_events_are_in_whole_milliseconds() {
    let output = logs::GetLogEventsResponse {
        events: Some(vec![logs::OutputLogEvent {
            timestamp: Some(1_795_427_766_250),
            message: Some("ready".to_owned()),
            ingestion_time: None,
        }]),
        ..logs::GetLogEventsResponse::default()
    };
    let call = call("Logs_20140328.GetLogEvents", r#"{"logStreamName":"s"}"#).unwrap();
    let expected = json!({"events": [{"timestamp": 1_795_427_766_250_i64, "message": "ready"}]});
    assert_eq!(json_body(&call.respond(&output, "id")), expected);
}

/// reference/autoscaling-and-cloudwatch.md, section 1.1: the model's spelling for the service's own errors, the
/// framework's for the framework's.
#[test]
fn a_message_is_spelled_once_where_aws_is_known_to() {
    let keys = r#""ServiceNamespace":"sagemaker","ResourceId":"endpoint/e/variant/v","ScalableDimension":"sagemaker:variant:DesiredInstanceCount""#;
    // A null member is an absent one.
    let register = format!(r#"{{{keys},"MinCapacity":null}}"#);
    let call_it = |body: String| call("AnyScaleFrontendService.RegisterScalableTarget", body);
    let registered = call_it(register).unwrap();
    assert!(registered.input.get("MinCapacity").is_none());
    let error = ErrorBody::new(
        "ValidationException",
        StatusCode::BAD_REQUEST,
        "Minimum capacity must be specified",
    );
    assert_eq!(
        json_body(&registered.respond_error(&error, "id")),
        json!({"__type": "ValidationException", "Message": "Minimum capacity must be specified"})
    );
    let refused =
        call_it(r#"{"ServiceNamespace":"sagemaker","ResourceId":"r"}"#.to_owned()).unwrap_err();
    let expected = json!({
        "__type": "ValidationException",
        "message": "1 validation error detected: Value null at 'scalableDimension' failed to satisfy constraint: \
                    Member must not be null",
    });
    assert_eq!(json_body(&refused.respond("id")), expected);
    let unknown = ErrorBody::new("ThrottlingException", StatusCode::BAD_REQUEST, "Rate exceeded");
    assert_eq!(
        json_body(&registered.respond_error(&unknown, "id")),
        json!({"__type": "ThrottlingException", "message": "Rate exceeded"})
    );
}
