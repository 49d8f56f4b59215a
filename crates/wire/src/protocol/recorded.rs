//! CloudWatch's three protocols against botocore: `vectors/cloudwatch.py` writes the recording.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use serde::Deserialize;
use serde_json::Value;

use crate::Document;
use crate::cloudwatch::SERVICE;
use crate::protocol::{Call, ErrorBody, Protocol, route};
use crate::service::OperationModel;

#[derive(Deserialize)]
struct Recording {
    requests: Vec<Sent>,
    answers: Vec<Answer>,
    errors: Vec<Refusal>,
}

#[derive(Deserialize)]
struct Sent {
    operation: String,
    protocol: String,
    method: String,
    path: String,
    headers: std::collections::BTreeMap<String, String>,
    body: String,
    /// What botocore was given.
    input: Value,
}

#[derive(Deserialize)]
struct Answer {
    operation: String,
    protocol: String,
    /// What botocore reads in the body.
    output: Value,
    body: String,
}

#[derive(Deserialize)]
struct Refusal {
    protocol: String,
    code: String,
    status: u16,
    query_error: String,
    body: String,
}

fn recording() -> Recording {
    serde_json::from_str(include_str!("../../vectors/cloudwatch.json")).unwrap()
}

fn protocol(name: &str) -> Protocol {
    match name {
        "smithy-rpc-v2-cbor" => Protocol::RpcV2Cbor,
        "json" => Protocol::AwsJson1_0,
        "query" => Protocol::AwsQuery,
        other => panic!("{other}"),
    }
}

fn operation(name: &str) -> &'static OperationModel {
    SERVICE.operation(name).unwrap()
}

fn call(sent: &Sent) -> Call {
    let mut request = Request::builder().method(sent.method.as_str()).uri(&sent.path);
    for (name, value) in &sent.headers {
        request = request.header(name, value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    assert_eq!(
        crate::detect(Some("monitoring"), &parts).map(|service| service.id),
        Some("cloudwatch")
    );
    route(&SERVICE, &parts, &Bytes::from(STANDARD.decode(&sent.body).unwrap())).unwrap()
}

fn same_body(response: &Response<Bytes>, expected: &str, what: &str) {
    let expected = STANDARD.decode(expected).unwrap();
    let (found, wanted) =
        (String::from_utf8_lossy(response.body()), String::from_utf8_lossy(&expected));
    assert_eq!(found, wanted, "{what}");
    assert_eq!(response.body(), &expected, "{what}");
}

/// In each of the three protocols the members are the ones that were given.
#[test]
fn requests_are_read_as_botocore_meant_them() {
    for sent in recording().requests {
        let call = call(&sent);
        assert_eq!(
            (call.operation.name, call.protocol),
            (sent.operation.as_str(), protocol(&sent.protocol))
        );
        let schema = call.operation.input.unwrap();
        let expected = Document::from_json(schema, &sent.input).unwrap();
        assert_eq!(call.input, expected, "{} {}", sent.operation, sent.protocol);
    }
}

#[test]
fn answers_are_written_as_botocore_reads_them() {
    for answer in recording().answers {
        let (protocol, operation) = (protocol(&answer.protocol), operation(&answer.operation));
        let output =
            operation.output.map(|schema| Document::from_json(schema, &answer.output).unwrap());
        let output = output.unwrap_or_else(Document::empty);
        let response = protocol.encode_output(&SERVICE, operation, &output, "id");
        same_body(&response, &answer.body, &format!("{} {}", answer.operation, answer.protocol));
    }
}

/// The codes of reference/autoscaling-and-cloudwatch.md, section 6.1.
#[test]
fn errors_have_a_type_and_awsquerys_code() {
    let requests = recording().requests;
    for refusal in recording().errors {
        let mut sent = requests.iter().filter(|sent| {
            (&sent.protocol, sent.operation.as_str()) == (&refusal.protocol, "DeleteAlarms")
        });
        let call = call(sent.next().unwrap());
        let status = refusal.status.try_into().unwrap();
        let response =
            call.respond_error(&ErrorBody::new(refusal.code.clone(), status, "a < b"), "id");
        assert_eq!(response.status(), status);
        same_body(&response, &refusal.body, &format!("{} {}", refusal.code, refusal.protocol));
        // Only who asks for it is told in a header.
        let told =
            response.headers().get("x-amzn-query-error").map(|value| value.to_str().unwrap());
        let expected = (refusal.protocol != "query").then_some(refusal.query_error.as_str());
        assert_eq!(told, expected);
    }
}
