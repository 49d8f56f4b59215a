//! Every protocol, both directions: what one side writes the other reads, and no bytes make it panic.

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use proptest::prelude::*;

use super::{ErrorBody, Protocol, decode_response, encode_request, route};
use crate::schema::Schema;
use crate::service::{OperationModel, SERVICES, Service, Spelling};
use crate::testing::document;
use crate::{Document, ResponseError, sagemaker};

/// SageMaker's shapes in other protocols' clothes, for its blobs, maps and nesting.
static QUERY: Service = Service {
    id: "query",
    service_id: "Query",
    signing_name: "query",
    endpoint_prefix: "query",
    target_prefix: "Query",
    api_version: "2010-08-01",
    xml_namespace: "http://query.amazonaws.com/doc/2010-08-01/",
    validation_code: "ValidationError",
    query_compatible: false,
    spelling: Spelling::Both,
    protocols: &[Protocol::AwsQuery, Protocol::RpcV2Cbor],
    operations: &[OperationModel {
        name: "Everything",
        method: "POST",
        uri: "/",
        status: 200,
        input: Some(&sagemaker::schemas::CREATE_ENDPOINT_CONFIG_INPUT),
        output: Some(&sagemaker::schemas::DESCRIBE_MODEL_OUTPUT),
        event_stream: None,
        result_wrapper: Some("EverythingResult"),
        gzip: false,
        errors: &[],
    }],
    unserved: &[],
};

/// Every operation in every protocol of its service.
fn triples() -> Vec<(&'static Service, Protocol, &'static OperationModel)> {
    let mut triples = Vec::new();
    for service in SERVICES.iter().copied().chain([&QUERY]) {
        for &protocol in service.protocols {
            triples.extend(service.operations.iter().map(|found| (service, protocol, found)));
        }
    }
    triples
}

fn any_document(schema: Option<&'static Schema>) -> BoxedStrategy<Document> {
    schema.map_or_else(|| Just(Document::empty()).boxed(), document)
}

/// awsQuery has no way to write a structure or map without members; such are taken out first.
fn without_empty(document: Document) -> Option<Document> {
    match document {
        Document::Map(entries) => {
            let kept =
                entries.into_iter().filter_map(|(name, value)| Some((name, without_empty(value)?)));
            let kept: Vec<_> = kept.collect();
            (!kept.is_empty()).then_some(Document::Map(kept))
        }
        Document::List(elements) => {
            Some(Document::List(elements.into_iter().filter_map(without_empty).collect()))
        }
        other => Some(other),
    }
}

fn writable(protocol: Protocol, document: Document) -> Document {
    if protocol == Protocol::AwsQuery {
        without_empty(document).unwrap_or_else(Document::empty)
    } else {
        document
    }
}

/// By name: the order in which members are met differs between the protocols.
fn sorted(document: &Document) -> Document {
    match document {
        Document::Map(entries) => {
            let mut entries: Vec<_> =
                entries.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Document::Map(entries)
        }
        Document::List(elements) => Document::List(elements.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[test]
fn requests_and_answers_come_back() {
    // A runner that has done its cases once runs no more of them.
    let runner = || proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(32));
    for (service, protocol, operation) in triples() {
        let inputs = any_document(operation.input);
        runner()
            .run(&inputs, |input| {
                let input = writable(protocol, input);
                let request = protocol.encode_input(service, operation, &input).unwrap();
                let (parts, body) = request.into_parts();
                prop_assert_eq!(Protocol::guess(service, &parts), protocol);
                let found = protocol.operation(service, &parts, &body).unwrap();
                prop_assert_eq!(found.name, operation.name);
                let read = protocol.decode_input(operation, &parts, &body).unwrap();
                prop_assert_eq!(sorted(&read), sorted(&input));
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{}: {error}", operation.name));
        let outputs = any_document(operation.output);
        runner()
            .run(&outputs, |output| {
                let response = protocol.encode_output(service, operation, &output, "id");
                prop_assert_eq!(response.headers()["x-amzn-requestid"].to_str().unwrap(), "id");
                let read = answer(protocol, operation, &response).unwrap();
                prop_assert_eq!(sorted(&read), sorted(&output));
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{}: {error}", operation.name));
    }
}

fn answer(
    protocol: Protocol,
    operation: &OperationModel,
    response: &Response<Bytes>,
) -> Result<Document, ResponseError> {
    protocol.decode_response(operation, response.status(), response.headers(), response.body())
}

#[test]
fn a_client_speaks_the_simplest_protocol() {
    let table = [
        ("cloudwatch", Protocol::AwsJson1_0),
        ("application_autoscaling", Protocol::AwsJson1_1),
        ("sts", Protocol::AwsQuery),
        ("tidegate", Protocol::RestJson),
    ];
    for (id, expected) in table {
        let service = Service::by_id(id).unwrap();
        for operation in service.operations {
            let names = ["EndpointName", "VariantName"]
                .map(|name| (name.to_owned(), Document::String("x".to_owned())));
            let input = Document::Map(names.into());
            let (parts, _) = encode_request(service, operation, &input).unwrap().into_parts();
            assert_eq!(Protocol::guess(service, &parts), expected, "{id}");
            let read = decode_response(
                service,
                operation,
                StatusCode::BAD_GATEWAY,
                &parts.headers,
                &Bytes::new(),
            );
            assert!(read.is_err());
        }
    }
}

#[test]
fn errors_come_back() {
    let sent = ErrorBody::new("AccessDenied", StatusCode::FORBIDDEN, "User: <a> & \"b\"");
    for (service, protocol, operation) in triples() {
        let response = protocol.encode_error(service, &sent, "id");
        let Err(ResponseError::Service(read)) = answer(protocol, operation, &response) else {
            panic!("{}: not an error", operation.name);
        };
        assert_eq!(
            (read.code.as_str(), &read.message, read.status),
            ("AccessDenied", &sent.message, sent.status)
        );
    }
}

#[test]
fn an_answer_that_is_no_answer_is_an_error() {
    for (_, protocol, operation) in triples() {
        let mut response = Response::new(Bytes::from_static(b"<html>502 Bad Gateway"));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        let Err(ResponseError::Service(read)) = answer(protocol, operation, &response) else {
            panic!("{}: not an error", operation.name);
        };
        assert_eq!((read.code.as_str(), read.status.as_u16()), ("Unknown", 502));
    }
}

#[test]
fn services_are_found_by_scope_target_and_path() {
    let request = |path: &str, target: Option<&str>| {
        let mut builder = Request::post(path);
        if let Some(target) = target {
            builder = builder.header("X-Amz-Target", target);
        }
        builder.body(()).unwrap().into_parts().0
    };
    let table = [
        (Some("sagemaker"), "/", Some("SageMaker.ListModels"), Some("sagemaker")),
        (Some("sagemaker"), "/", None, Some("sagemaker")),
        (Some("sagemaker"), "/endpoints/e/invocations", None, Some("sagemaker_runtime")),
        (Some("sagemaker"), "/endpoints/e/async-invocations", None, Some("sagemaker_runtime")),
        (Some("sagemaker"), "/nonsense", None, Some("sagemaker")),
        (Some("sts"), "/", None, Some("sts")),
        (Some("logs"), "/", Some("Logs_20140328.FilterLogEvents"), Some("logs")),
        (None, "/", Some("Logs_20140328.StartQuery"), Some("logs")),
        (Some("monitoring"), "/", None, Some("cloudwatch")),
        (Some("monitoring"), "/service/Other/operation/X", None, Some("cloudwatch")),
        (
            None,
            "/service/GraniteServiceVersion20100801/operation/PutMetricData",
            None,
            Some("cloudwatch"),
        ),
        (None, "/service/GraniteServiceVersion20100801/operation/", None, None),
        (None, "/", Some("AnyScaleFrontendService.TagResource"), Some("application_autoscaling")),
        (Some("tidegate"), "/", None, Some("tidegate")),
        (None, "/tidegate/v1/endpoints/e/instances", None, Some("tidegate")),
        (Some("s3"), "/", None, None),
        (None, "/", Some("SageMaker.ListModels"), Some("sagemaker")),
        (None, "/endpoints/e/invocations", None, Some("sagemaker_runtime")),
        (None, "/", None, None),
    ];
    for (scope, path, target, expected) in table {
        let found = crate::detect(scope, &request(path, target)).map(|service| service.id);
        assert_eq!(found, expected, "{scope:?} {path} {target:?}");
    }
}

fn any_request() -> impl Strategy<Value = (Parts, Bytes)> {
    let operations: Vec<&str> = triples().iter().map(|(.., operation)| operation.name).collect();
    let target = prop_oneof![
        Just(None),
        proptest::sample::select(operations).prop_map(|name| Some(format!("SageMaker.{name}"))),
        "[ -~]{0,20}".prop_map(Some),
    ];
    let path = prop_oneof![
        Just("/".to_owned()),
        "/endpoints/[a-z%0-9]{0,8}/invocations(\\?[ab=&%+]{0,8})?",
        "(/[a-z%0-9]{0,4}){1,4}",
        "/service/GraniteServiceVersion20100801/operation/(PutMetricData|GetMetricData|[A-Z%]{0,3})",
        "/tidegate/v1/endpoints/[a-z%0-9]{0,8}/(instances|variants/[a-z%]{0,3}/scaling)",
        "/\\?Action=GetCallerIdentity&Version=2011-06-15(&[A-Z.=&%]{0,10}){0,4}",
    ];
    let media_type = proptest::sample::select(vec![
        "",
        "application/json",
        "application/x-amz-json-1.0",
        "application/x-amz-json-1.1",
        "application/x-www-form-urlencoded",
        "application/cbor",
    ]);
    let protocol = proptest::sample::select(vec!["", "rpc-v2-cbor", "rpc-v3"]);
    let json = prop::collection::vec(
        prop_oneof![
            Just("{"),
            Just("}"),
            Just("["),
            Just("]"),
            Just(":"),
            Just(","),
            Just("1e9"),
            Just("-0"),
            Just("null"),
            Just("\"ModelName\""),
            Just("\"ProductionVariants\""),
            Just("\"Tags\""),
            Just("\"\\ud800\""),
            Just("true"),
        ],
        0..12,
    );
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        json.prop_map(|tokens| tokens.concat().into_bytes()),
        "(Action|Version|[A-Z.%0-9]{0,6})=[A-Za-z%&=.]{0,12}".prop_map(String::into_bytes),
    ];
    let header = prop::collection::vec(any::<u8>(), 0..16);
    let method = proptest::sample::select(vec!["GET", "POST", "PUT", "BREW"]);
    (method, path, target, media_type, protocol, header, body).prop_filter_map(
        "not a request at all",
        |(method, path, target, media_type, protocol, header, body)| {
            let mut builder =
                Request::builder().method(method).uri(path).header("content-type", media_type);
            if let Some(target) = target {
                builder = builder.header("x-amz-target", target);
            }
            builder = builder.header("smithy-protocol", protocol);
            builder = builder.header("x-amzn-query-mode", "true");
            builder = builder.header("x-amzn-sagemaker-custom-attributes", header);
            let (parts, ()) = builder.body(()).ok()?.into_parts();
            Some((parts, Bytes::from(body)))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_request_panics_or_is_the_servers_fault((parts, body) in any_request()) {
        for service in SERVICES.iter().copied().chain([&QUERY]) {
            if let Err(rejection) = route(service, &parts, &body) {
                let response = rejection.respond("id");
                prop_assert!(response.status().is_client_error(), "{rejection:?}");
                prop_assert!(!response.body().is_empty());
            }
        }
    }

    #[test]
    fn no_answer_panics(status in 200_u16..600, body in prop::collection::vec(any::<u8>(), 0..64), xml in "(<[ab]>|</[ab]>|&[a-z#0-9]{0,3};|]]>|<!\\[CDATA\\[|<\\?|x){0,12}") {
        for (_, protocol, operation) in triples() {
            for body in [Bytes::from(body.clone()), Bytes::from(xml.clone())] {
                let mut response = Response::new(body);
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                // Reading it at all is the property.
                let read = answer(protocol, operation, &response);
                prop_assert!(status < 300 || read.is_err());
            }
        }
    }
}

#[test]
fn every_pattern_of_every_model_compiles() {
    let mut seen = std::collections::BTreeSet::new();
    let mut patterns = 0;
    let mut open: Vec<&Schema> = Vec::new();
    for (.., operation) in triples() {
        let messages = [operation.input, operation.output, operation.event_stream];
        open.extend(messages.into_iter().flatten());
        open.extend(operation.errors.iter().map(|error| error.schema));
    }
    while let Some(schema) = open.pop() {
        if !seen.insert(std::ptr::from_ref(schema)) {
            continue;
        }
        match &schema.kind {
            crate::schema::Kind::Structure(structure) => {
                open.extend(structure.members.iter().map(|m| m.schema));
            }
            crate::schema::Kind::List(list) => open.push(list.member),
            crate::schema::Kind::Map(map) => open.extend([map.key, map.value]),
            crate::schema::Kind::String(rules) => {
                if let Some(pattern) = rules.pattern {
                    assert!(pattern.compiles(), "{}: {}", schema.name, pattern.text);
                    patterns += 1;
                }
            }
            _ => {}
        }
    }
    assert!(patterns > 30, "{patterns}");
}
