//! What RPC v2 CBOR reads and writes, byte for byte, and what strangers' bytes do to it.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use proptest::prelude::*;

use crate::cloudwatch::{
    Datapoint, Dimension, GetMetricStatisticsOutput, MetricDatum, PutMetricDataInput, SERVICE,
    StandardUnit,
};
use crate::protocol::rpc_v2_cbor::decode::read;
use crate::protocol::rpc_v2_cbor::encode::to_bytes;
use crate::protocol::rpc_v2_cbor::item::ITEMS_MAX;
use crate::protocol::{
    Call, ErrorBody, PARSED_BODY_BYTES_MAX, Protocol, Rejection, ResponseError, route,
};
use crate::schema::Schema;
use crate::{Document, Shape, Timestamp, Value as _, cloudwatch};

fn call(operation: &str, body: impl Into<Bytes>) -> Result<Call, Box<Rejection>> {
    let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
    let request = Request::post(path)
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("content-type", "application/cbor")
        .header("x-amzn-query-mode", "true");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    route(&SERVICE, &parts, &body.into())
}

/// Pieces of CBOR that are easier to read as hexadecimal, with texts between quotes.
fn cbor(notation: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in notation.split_whitespace() {
        if let Some(text) = word.strip_prefix('"') {
            let text = text.trim_end_matches('"');
            bytes.extend([0x78, u8::try_from(text.len()).unwrap()]);
            bytes.extend(text.bytes());
        } else {
            let digits = |at: usize| u8::from_str_radix(&word[at..at + 2], 16).unwrap();
            bytes.extend((0..word.len()).step_by(2).map(digits));
        }
    }
    bytes
}

fn datum() -> PutMetricDataInput {
    PutMetricDataInput {
        namespace: "App".to_owned(),
        metric_data: Some(vec![MetricDatum {
            metric_name: "Depth".to_owned(),
            dimensions: Some(vec![Dimension { name: "Queue".to_owned(), value: "q".to_owned() }]),
            timestamp: Some(Timestamp(1_795_427_766_250)),
            value: Some(2.0),
            statistic_values: None,
            values: None,
            counts: None,
            unit: Some(StandardUnit::Count),
            storage_resolution: Some(1),
        }]),
        ..PutMetricDataInput::default()
    }
}

/// The same request as different clients write it.
#[test]
fn a_request_is_read_in_every_form_of_cbor() {
    let bodies = [
        // Lengths told, a double for the time.
        r#"a2 "Namespace" "App" "MetricData" 81 a6 "MetricName" "Depth" "Dimensions" 81 a2 "Name" "Queue" "Value" "q"
           "Timestamp" c1 fb41dac1036d900000 "Value" fb4000000000000000 "Unit" "Count" "StorageResolution" 01"#,
        // Lengths not told; texts in pieces; a half, and an integer in eight bytes.
        r#"bf "Namespace" 7f 61 41 62 7070 ff "MetricData" 9f bf "MetricName" "Depth" "Dimensions" 9f
           bf 7f "Na" "me" ff "Queue" "Value" "q" ff ff "Timestamp" c1 fb41dac1036d900000 "Value" f94000
           "Unit" "Count" "StorageResolution" 1b0000000000000001 ff ff ff"#,
        // A float in four bytes, whole numbers as floats and floats as whole numbers, nulls and unknown members.
        r#"a4 "Future" bf 01 c2 42 0102 ff "EntityMetricData" f6 "Namespace" "App" "MetricData" 81 a8
           "MetricName" "Depth" "Dimensions" 81 a2 "Name" "Queue" "Value" "q" "Timestamp" c1 fb41dac1036d900000
           "Value" 02 "Values" f7 "Unit" "Count" "StorageResolution" fa3f800000 "Later" 9f 5f 41 00 ff f5 ff"#,
    ];
    for body in bodies {
        let call = call("PutMetricData", cbor(body)).unwrap();
        assert_eq!((call.operation.name, call.protocol), ("PutMetricData", Protocol::RpcV2Cbor));
        assert_eq!(call.input::<PutMetricDataInput>().unwrap(), datum());
    }
}

/// An error in its own form: status, type and message.
fn refusal(rejection: &Rejection) -> (u16, String, String) {
    let response = rejection.respond("id");
    assert_eq!(response.headers()["smithy-protocol"], "rpc-v2-cbor");
    assert_eq!(response.headers()["content-type"], "application/cbor");
    let code = response.headers()["x-amzn-query-error"].to_str().unwrap().to_owned();
    let error = match answer(&response) {
        Err(ResponseError::Service(error)) => error,
        other => panic!("not an error: {other:?}"),
    };
    (response.status().as_u16(), code, error.message)
}

fn answer(response: &Response<Bytes>) -> Result<Document, ResponseError> {
    let operation = cloudwatch::Operation::PutMetricData.model();
    let (status, headers) = (response.status(), response.headers());
    Protocol::RpcV2Cbor.decode_response(operation, status, headers, response.body())
}

#[test]
fn what_cannot_be_read_is_refused_with_a_code_of_its_own() {
    let deep = |opening: &[u8]| opening.repeat(100_000);
    let large = vec![0xa0; PARSED_BODY_BYTES_MAX + 1];
    let many = [cbor(r#"a1 "Future" 9f"#), vec![0; ITEMS_MAX], cbor("ff")].concat();
    let members = [cbor(r#"a1 "MetricData" 9f"#), deep(&cbor(r#"bf "Dimensions" 9f"#))].concat();
    let table: &[(Vec<u8>, u16, &str)] = &[
        (deep(&[0x9f]), 400, "a map, not an array"),
        (members, 400, "known members, one in the other"),
        ([cbor(r#"a1 "Future""#), deep(&[0x81])].concat(), 400, "unknown lists"),
        ([cbor(r#"a1 "Future""#), deep(&[0xc1])].concat(), 400, "unknown tags"),
        ([cbor(r#"a1 "Future""#), deep(&[0xbf, 0x00])].concat(), 400, "unknown maps"),
        ([cbor(r#"a1 "Future""#), deep(&[0x5f])].concat(), 400, "pieces without a length"),
        (large, 413, "too many bytes"),
        (many, 400, "too many values"),
        (cbor("bb ffffffffffffffff"), 400, "a map of 2^64 entries"),
        (cbor(r#"a1 "MetricData" 9b ffffffffffffffff"#), 400, "a list of 2^64 elements"),
        (cbor(r#"a1 "Namespace" 7b ffffffffffffffff 41"#), 400, "a text of 2^64 bytes"),
        (cbor(r#"a1 "Namespace" 7a 00000010 41"#), 400, "a text that promises more than there is"),
        (cbor(r#"a1 "Future" 5b 7fffffffffffffff"#), 400, "unknown bytes of 2^63"),
        (cbor(r#"a1 "Namespace" 62 c328"#), 400, "no UTF-8"),
        (cbor(r#"a1 "Namespace" 7f 41 41 ff"#), 400, "bytes as a piece of a text"),
        (cbor(r#"a1 "Namespace" 7f 7f 61 41 ff ff"#), 400, "pieces in pieces"),
        (cbor(r#"a2 "Namespace" "A" "Namespace" "B""#), 400, "a member twice"),
        (cbor(r#"a1 01 "A""#), 400, "a key that is no text"),
        (cbor(r#"a1 "Namespace" 01"#), 400, "a number for a text"),
        (cbor(r#"a1 "Namespace" ff"#), 400, "a break for a value"),
        (cbor("a1 ff"), 400, "a break where a length was told"),
        (cbor(r#"bf "Namespace" ff"#), 400, "a key without a value"),
        (cbor(r#"a1 "StrictEntityValidation" f6 00"#), 400, "something after the end"),
        (cbor("f6"), 400, "null"),
        (cbor("1c"), 400, "a reserved length"),
        (cbor("ff"), 400, "a break"),
        (cbor("d9 d9f7 a0"), 400, "a tag around it all"),
    ];
    for (body, status, what) in table {
        let rejection = call("PutMetricData", body.clone()).unwrap_err();
        let (found, code, message) = refusal(&rejection);
        assert_eq!(found, *status, "{what}: {message}");
        let expected = if *status == 413 {
            "RequestEntityTooLargeException"
        } else {
            "SerializationException"
        };
        assert_eq!(code, format!("{expected};Sender"), "{what}: {message}");
    }
}

#[test]
fn numbers_are_within_their_type() {
    let datum = |value: &str| {
        let head = r#"a2 "Namespace" "A" "MetricData" 81 a2 "MetricName" "M""#;
        call("PutMetricData", cbor(&format!("{head} {value}")))
    };
    let out_of_range = "A number is out of range for";
    let table = [
        (r#""StorageResolution" f93e00"#, Some(format!("{out_of_range} an Integer"))),
        (r#""StorageResolution" 1b8000000000000000"#, Some(format!("{out_of_range} an Integer"))),
        (r#""StorageResolution" 3bffffffffffffffff"#, Some(format!("{out_of_range} an Integer"))),
        (r#""StorageResolution" 20"#, Some("greater than or equal to 1".to_owned())),
        (r#""Timestamp" c1 fb7fefffffffffffff"#, Some(format!("{out_of_range} a Timestamp"))),
        (r#""Timestamp" c1 f97e00"#, Some(format!("{out_of_range} a Timestamp"))),
        (
            r#""Timestamp" c1 "now""#,
            Some("a text string can not be converted to a Timestamp".to_owned()),
        ),
        (
            r#""Timestamp" c0 "2026-11-23T09:56:06Z""#,
            Some("a tagged value can not be converted to a Timestamp".to_owned()),
        ),
        (r#""Value" f5"#, Some("a simple value can not be converted to a Double".to_owned())),
        // Whether a metric may have these values is for the service to say.
        (r#""Value" f97e00"#, None),
        (r#""Value" fb7ff0000000000000"#, None),
        (r#""Value" 3bffffffffffffffff"#, None),
        (r#""Timestamp" c1 3a00000000"#, None),
        (r#""Timestamp" 1a6b040ea0"#, None),
    ];
    for (value, expected) in table {
        match (datum(value), expected) {
            (Ok(_), None) => {}
            (Err(rejection), Some(expected)) => {
                let (_, _, message) = refusal(&rejection);
                assert!(message.contains(&expected), "{value}: {message}");
            }
            (found, _) => panic!("{value}: {found:?}"),
        }
    }
}

#[test]
fn an_operation_is_named_by_the_path() {
    let post = |path: &str, method: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("smithy-protocol", "rpc-v2-cbor");
        let (parts, ()) =
            request.header("x-amzn-query-mode", "true").body(()).unwrap().into_parts();
        route(&SERVICE, &parts, &Bytes::from_static(&[0xa0]))
    };
    let prefix = "/service/GraniteServiceVersion20100801/operation";
    assert_eq!(
        post(&format!("{prefix}/ListMetrics"), "POST").unwrap().operation.name,
        "ListMetrics"
    );
    let table = [
        (format!("{prefix}/ListMetrics"), "GET", 404),
        (format!("{prefix}/Nonsense"), "POST", 404),
        (format!("{prefix}/ListMetrics/"), "POST", 404),
        ("/service/Other/operation/ListMetrics".to_owned(), "POST", 404),
        ("/".to_owned(), "POST", 404),
        (format!("{prefix}/PutDashboard"), "POST", 400),
    ];
    for (path, method, status) in table {
        let (found, code, message) = refusal(&post(&path, method).unwrap_err());
        assert_eq!(
            (found, code.as_str()),
            (status, "UnknownOperationException;Sender"),
            "{path}: {message}"
        );
    }
}

/// A client may leave the body out where no member is needed.
#[test]
fn no_body_is_no_members() {
    assert_eq!(call("ListMetrics", Bytes::new()).unwrap().input, Document::empty());
    let (_, code, message) = refusal(&call("DeleteAlarms", Bytes::new()).unwrap_err());
    assert_eq!(code, "ValidationError;Sender");
    assert_eq!(
        message,
        "1 validation error detected: Value null at 'alarmNames' failed to satisfy constraint: Member must not be null"
    );
}

#[test]
fn an_output_is_a_map_with_every_length_told() {
    let output = GetMetricStatisticsOutput {
        label: None,
        datapoints: Some(vec![Datapoint {
            timestamp: Some(Timestamp(-1_500)),
            average: Some(0.5),
            sum: Some(f64::INFINITY),
            ..Datapoint::default()
        }]),
    };
    let call = call("DeleteAlarms", cbor(r#"a1 "AlarmNames" 80"#)).unwrap();
    let written = Protocol::RpcV2Cbor.encode_output(
        &SERVICE,
        cloudwatch::Operation::GetMetricStatistics.model(),
        &output.to_document(),
        "id",
    );
    let expected = [
        b"\xa1\x6aDatapoints\x81\xa3\x69Timestamp\xc1\xfb\xbf\xf8\0\0\0\0\0\0".as_slice(),
        b"\x67Average\xfb\x3f\xe0\0\0\0\0\0\0\x63Sum\xfb\x7f\xf0\0\0\0\0\0\0",
    ];
    assert_eq!(written.body(), &expected.concat());
    assert_eq!(written.headers()["x-amzn-requestid"], "id");
    let void = call.respond_empty("id");
    assert_eq!((void.status(), void.body().len()), (StatusCode::OK, 0));
    assert_eq!(void.headers()["smithy-protocol"], "rpc-v2-cbor");
    assert!(!void.headers().contains_key("content-type"));
}

/// Members beside the message come along; what is not a scalar cannot.
#[test]
fn an_error_is_a_map_of_its_members() {
    let error = ErrorBody::new("ResourceNotFoundException", StatusCode::NOT_FOUND, "no")
        .with("ResourceId", Document::String("a".to_owned()))
        .with("Attempts", Document::Integer(-1))
        .with("Others", Document::List(Vec::new()));
    let call = call("ListMetrics", Bytes::new()).unwrap();
    let response = call.respond_error(&error, "id");
    let name = "com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFoundException";
    let expected = [
        b"\xa4\x66__type\x78\x3e".as_slice(),
        name.as_bytes(),
        b"\x67message\x62no\x6aResourceId\x61a\x68Attempts\x20",
    ];
    assert_eq!(response.body(), &expected.concat());
    assert_eq!(response.headers()["x-amzn-query-error"], "ResourceNotFoundException;Sender");
}

fn survives(schema: &'static Schema, document: &Document) -> Result<(), TestCaseError> {
    let bytes = to_bytes(|writer| writer.value(schema, document));
    let read = read(schema, &bytes).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(read, document.clone());
    for end in 0..bytes.len() {
        let cut = bytes.get(..end).unwrap_or_default();
        prop_assert!(super::decode::read(schema, cut).is_err(), "cut at {}", end);
    }
    Ok(())
}

/// Items that make sense in one order or another.
fn any_items() -> impl Strategy<Value = Vec<u8>> {
    let item = prop_oneof![
        proptest::sample::select(vec![
            "a1",
            "a2",
            "bf",
            "81",
            "82",
            "9f",
            "ff",
            "f6",
            "f5",
            "c1",
            "c2",
            "20",
            "01",
            "f93c00",
            "fa3f800000",
            "1bffffffffffffffff",
            "3bffffffffffffffff",
            "bbffffffffffffffff",
            "9a7fffffff",
            "7b0000000000000001",
            "5f",
            "7f",
            "6141",
            "4141",
            "1f",
            "fc",
            "f820",
            "\"Namespace\"",
            "\"MetricData\"",
            "\"MetricName\"",
            "\"Dimensions\"",
            "\"Timestamp\"",
            "\"Values\"",
            "\"Value\"",
        ])
        .prop_map(cbor),
        any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(item, 0..24).prop_map(|items| items.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn documents_survive_and_their_pieces_are_refused(
        input in crate::testing::document(PutMetricDataInput::schema()),
        model in crate::testing::document(crate::sagemaker::CreateModelInput::schema()),
        output in crate::testing::document(cloudwatch::DescribeAlarmsOutput::schema()),
    ) {
        survives(PutMetricDataInput::schema(), &input)?;
        survives(crate::sagemaker::CreateModelInput::schema(), &model)?;
        survives(cloudwatch::DescribeAlarmsOutput::schema(), &output)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_bytes_panic_or_are_the_servers_fault(body in any_items()) {
        if let Err(rejection) = call("PutMetricData", body) {
            let (status, _, message) = refusal(&rejection);
            prop_assert!(status == 400 && !message.is_empty(), "{status} {message}");
        }
    }
}
