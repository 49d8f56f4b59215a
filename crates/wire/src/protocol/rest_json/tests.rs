//! What rest-json reads and writes, byte for byte.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::protocol::{Call, ErrorBody, Rejection, encode_request, route};
use crate::sagemaker_runtime::{
    InvokeEndpointInput, InvokeEndpointOutput, InvokeEndpointWithResponseStreamInput, SERVICE,
};
use crate::{Document, Timestamp, Value as _, tidegate};

type Headers<'a> = &'a [(&'a str, &'a [u8])];

fn call(
    method: &str,
    path: &str,
    headers: Headers<'_>,
    body: &'static [u8],
) -> Result<Call, Box<Rejection>> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    route(&SERVICE, &parts, &Bytes::from_static(body))
}

fn invoke(path: &str, headers: Headers<'_>) -> Result<Call, Box<Rejection>> {
    call("POST", path, headers, b"\x00body\xff")
}

#[test]
fn an_invocation_is_read_from_path_headers_and_body() {
    let headers: Headers<'_> = &[
        ("content-type", b"text/csv"),
        ("accept", b"application/json"),
        ("x-amzn-sagemaker-target-variant", b"blue"),
        ("x-amzn-sagemaker-inference-id", b"id-1"),
        ("user-agent", b"Boto3"),
    ];
    let call = invoke("/endpoints/my%2Dendpoint/invocations", headers).unwrap();
    let expected = InvokeEndpointInput {
        endpoint_name: "my-endpoint".to_owned(),
        body: Bytes::from_static(b"\x00body\xff"),
        content_type: Some("text/csv".to_owned()),
        accept: Some("application/json".to_owned()),
        target_variant: Some("blue".to_owned()),
        inference_id: Some("id-1".to_owned()),
        ..InvokeEndpointInput::default()
    };
    assert_eq!(call.input::<InvokeEndpointInput>().unwrap(), expected);
}

/// A request for a stream has its `Accept` elsewhere: HTTP's own would speak of the frames.
#[test]
fn a_streaming_invocation_has_headers_of_its_own() {
    let headers: Headers<'_> = &[
        ("content-type", b"application/json"),
        ("accept", b"*/*"),
        ("x-amzn-sagemaker-accept", b"text/event-stream"),
        ("x-amzn-sagemaker-custom-attributes", b"a=1"),
        ("x-amzn-sagemaker-target-variant", b"blue"),
        ("x-amzn-sagemaker-inference-id", b"id-1"),
        ("x-amzn-sagemaker-session-id", b"session-1"),
    ];
    let call = invoke("/endpoints/e/invocations-response-stream", headers).unwrap();
    let expected = InvokeEndpointWithResponseStreamInput {
        endpoint_name: "e".to_owned(),
        body: Bytes::from_static(b"\x00body\xff"),
        content_type: Some("application/json".to_owned()),
        accept: Some("text/event-stream".to_owned()),
        custom_attributes: Some("a=1".to_owned()),
        target_variant: Some("blue".to_owned()),
        inference_id: Some("id-1".to_owned()),
        session_id: Some("session-1".to_owned()),
        ..InvokeEndpointWithResponseStreamInput::default()
    };
    assert_eq!(call.input::<InvokeEndpointWithResponseStreamInput>().unwrap(), expected);
    // Its own model does not admit the constant that opens a session.
    let opening: Headers<'_> = &[("x-amzn-sagemaker-session-id", b"NEW_SESSION")];
    assert!(invoke("/endpoints/e/invocations", opening).is_ok());
    let refused = invoke("/endpoints/e/invocations-response-stream", opening).unwrap_err();
    assert_eq!(refused.error.code, "ValidationError");
}

#[test]
fn an_output_is_headers_and_the_bytes_as_they_are() {
    let output = InvokeEndpointOutput {
        body: Bytes::from_static(b"{}"),
        content_type: Some("application/json".to_owned()),
        invoked_production_variant: Some("blue".to_owned()),
        custom_attributes: Some("a\nb".to_owned()),
        ..InvokeEndpointOutput::default()
    };
    let response = invoke("/endpoints/e/invocations", &[]).unwrap().respond(&output, "id");
    assert_eq!((response.status(), response.body().as_ref()), (StatusCode::OK, b"{}".as_ref()));
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["x-amzn-invoked-production-variant"], "blue");
    // No header can carry a line break.
    assert!(!response.headers().contains_key("x-amzn-sagemaker-custom-attributes"));
}

#[test]
fn an_error_has_its_type_in_a_header_and_not_in_the_body() {
    let error = ErrorBody::new("ModelError", StatusCode::from_u16(424).unwrap(), "no")
        .with("ErrorCode", Document::String("CLIENT_ERROR_FROM_MODEL".to_owned()))
        .with("OriginalStatusCode", Document::Integer(404))
        .with("OriginalMessage", Document::String("gone".to_owned()));
    let response = invoke("/endpoints/e/invocations", &[]).unwrap().respond_error(&error, "id");
    assert_eq!(response.status().as_u16(), 424);
    assert_eq!(response.headers()["x-amzn-errortype"], "ModelError");
    assert_eq!(response.headers()["content-type"], "application/json");
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    let expected = json!({
        "Message": "no", "ErrorCode": "CLIENT_ERROR_FROM_MODEL", "OriginalStatusCode": 404, "OriginalMessage": "gone",
    });
    assert_eq!(body, expected);
}

#[test]
fn what_cannot_be_read_is_refused_with_a_code_of_its_own() {
    let good = "/endpoints/e/invocations";
    let long = "/endpoints/".to_owned() + &"e".repeat(64) + "/invocations";
    let table: &[(&str, &str, Headers<'_>, u16, &str)] = &[
        ("POST", "/endpoints/-/invocations", &[], 400, "ValidationError"),
        ("POST", "/endpoints//invocations", &[], 400, "ValidationError"),
        ("POST", &long, &[], 400, "ValidationError"),
        ("POST", "/endpoints/%ff/invocations", &[], 400, "SerializationException"),
        ("POST", good, &[("x-amzn-sagemaker-inference-id", b"")], 400, "ValidationError"),
        (
            "POST",
            good,
            &[("x-amzn-sagemaker-custom-attributes", "é".as_bytes())],
            400,
            "ValidationError",
        ),
        (
            "POST",
            good,
            &[("x-amzn-sagemaker-custom-attributes", b"\xff")],
            400,
            "SerializationException",
        ),
        ("GET", good, &[], 404, "UnknownOperationException"),
        ("POST", "/endpoints/e/other", &[], 404, "UnknownOperationException"),
        ("POST", "/endpoints/e/invocations/", &[], 404, "UnknownOperationException"),
        ("POST", "/endpoints/e/async-invocations", &[], 400, "UnknownOperationException"),
        ("GET", "/endpoints/e/invocations-response-stream", &[], 404, "UnknownOperationException"),
        ("POST", "/endpoints/-/invocations-response-stream", &[], 400, "ValidationError"),
    ];
    for &(method, path, headers, status, code) in table {
        let response = call(method, path, headers, b"").unwrap_err().respond("id");
        let found = response.headers()["x-amzn-errortype"].to_str().unwrap();
        assert_eq!((response.status().as_u16(), found), (status, code), "{method} {path}");
    }
}

#[test]
fn an_operation_that_is_not_served_is_named() {
    let rejection = invoke("/endpoints/e/async-invocations", &[]).unwrap_err();
    assert_eq!(
        rejection.error.message,
        "Tidegate does not implement the operation InvokeEndpointAsync of SageMaker Runtime"
    );
}

#[test]
fn a_client_fills_in_the_path() {
    let input = InvokeEndpointInput {
        endpoint_name: "a b/c".to_owned(),
        body: Bytes::from_static(b"x"),
        ..InvokeEndpointInput::default()
    };
    let request = encode_request(&SERVICE, &SERVICE.operations[0], &input.to_document()).unwrap();
    assert_eq!(request.uri(), "/endpoints/a%20b%2Fc/invocations");
    assert_eq!(request.headers()["content-type"], "application/octet-stream");
    let nameless = encode_request(&SERVICE, &SERVICE.operations[0], &Document::empty());
    assert!(nameless.is_err());
}

/// Tidegate's own API, as its server and its command line speak it.
#[test]
fn what_tidegate_adds_is_rest_json_too() {
    let input = tidegate::ExplainScalingInput {
        endpoint_name: "chat".to_owned(),
        variant_name: "AllTraffic".to_owned(),
    };
    let operation = tidegate::Operation::ExplainScaling.model();
    let request = encode_request(&tidegate::SERVICE, operation, &input.to_document()).unwrap();
    assert_eq!(request.method(), "GET");
    assert_eq!(request.uri(), "/tidegate/v1/endpoints/chat/variants/AllTraffic/scaling");
    let (parts, body) = request.into_parts();
    let call = route(&tidegate::SERVICE, &parts, &body).unwrap();
    assert_eq!(call.operation.name.parse(), Ok(tidegate::Operation::ExplainScaling));
    assert_eq!(call.input::<tidegate::ExplainScalingInput>().unwrap(), input);
    let output = tidegate::ExplainScalingOutput {
        now: Timestamp(1_795_427_766_250),
        ..tidegate::ExplainScalingOutput::default()
    };
    let response = call.respond(&output, "id");
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body["Now"], json!(1_795_427_766.25));
    let output = tidegate::DescribeInstancesOutput {
        instances: vec![tidegate::EndpointInstance {
            instance_id: "i-1".to_owned(),
            variant_name: "AllTraffic".to_owned(),
            phase: tidegate::InstancePhase::Ready,
            in_flight: 3,
            cpu_seconds: Some(150.5),
            memory_bytes: None,
        }],
    };
    let operation = tidegate::Operation::DescribeInstances.model();
    let document = output.to_document();
    let response = call.protocol.encode_output(&tidegate::SERVICE, operation, &document, "id");
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    let expected = json!({"Instances": [{
        "InstanceId": "i-1", "VariantName": "AllTraffic", "Phase": "Ready", "InFlight": 3,
        "CpuSeconds": 150.5,
    }]});
    assert_eq!(body, expected);
    let error = ErrorBody::new("ResourceNotFound", StatusCode::NOT_FOUND, "no endpoint chat");
    let response = call.respond_error(&error, "id");
    assert_eq!(response.headers()["x-amzn-errortype"], "ResourceNotFound");
    assert_eq!(
        (response.status().as_u16(), &response.body()[..]),
        (404, br#"{"Message":"no endpoint chat"}"#.as_ref())
    );
}
