//! InvokeEndpoint and its response streams, in the SDK's own types.

use aws_sdk_sagemakerruntime::Client;
use aws_sdk_sagemakerruntime::config::{BehaviorVersion, Credentials};
use aws_sdk_sagemakerruntime::error::ProvideErrorMetadata;
use aws_sdk_sagemakerruntime::operation::RequestId;
use aws_sdk_sagemakerruntime::operation::invoke_endpoint::InvokeEndpointError;
use aws_sdk_sagemakerruntime::operation::invoke_endpoint_with_response_stream::{
    InvokeEndpointWithResponseStreamError, InvokeEndpointWithResponseStreamOutput,
};
use aws_sdk_sagemakerruntime::primitives::Blob;
use aws_sdk_sagemakerruntime::types::ResponseStream;
use aws_sdk_sagemakerruntime::types::error::ResponseStreamError;

use crate::support::{http, named, once, server};

fn client_with(credentials: Credentials) -> Client {
    let server = server();
    let config = aws_sdk_sagemakerruntime::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(server.url)
        .region(server.region)
        .credentials_provider(credentials)
        .retry_config(once())
        .http_client(http())
        .build();
    Client::from_conf(config)
}

fn client() -> Client {
    client_with(server().credentials)
}

fn echo() -> String {
    named("TIDEGATE_TEST_ECHO")
}

fn failing() -> String {
    named("TIDEGATE_TEST_FAILING")
}

fn speaker() -> String {
    named("TIDEGATE_TEST_SPEAKER")
}

#[tokio::test]
async fn a_body_goes_through_as_it_is() {
    let body: Vec<u8> = (0..=255).collect();
    let call = client().invoke_endpoint().endpoint_name(echo()).body(Blob::new(body.clone()));
    let answer =
        call.content_type("application/x-tide").custom_attributes("trace=7").send().await.unwrap();
    assert!(answer.request_id().is_some());
    assert_eq!(answer.content_type(), Some("application/x-tide"));
    assert_eq!(answer.custom_attributes(), Some("trace=7"));
    assert_eq!(answer.invoked_production_variant(), Some("main"));
    assert_eq!(answer.body().unwrap().as_ref(), body);
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_a_validation_error() {
    let call = client().invoke_endpoint().endpoint_name("nope").body(Blob::new("x"));
    match call.send().await.unwrap_err().into_service_error() {
        InvokeEndpointError::ValidationError(error) => {
            assert_eq!(error.message(), Some("Endpoint nope of account 000000000000 not found."));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_model_servers_failure_is_a_model_error_with_what_it_said() {
    let call = client().invoke_endpoint().endpoint_name(failing()).body(Blob::new("x"));
    match call.send().await.unwrap_err().into_service_error() {
        InvokeEndpointError::ModelError(error) => {
            assert_eq!(error.original_status_code(), Some(500));
            assert!(error.original_message().unwrap().contains("TIDEGATE_ECHO_FAILURE_RATE"));
            assert!(
                error.log_stream_arn().unwrap().ends_with(&format!("/Endpoints/{}", failing()))
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_secret_is_told_as_such() {
    let right = server().credentials;
    let wrong = client_with(Credentials::new(right.access_key_id(), "wrong", None, None, "test"));
    let refused = wrong
        .invoke_endpoint()
        .endpoint_name(echo())
        .body(Blob::new("x"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 403);
    let code = refused.into_service_error();
    assert!(
        matches!(code.code(), Some("SignatureDoesNotMatch" | "InvalidSignatureException")),
        "{code:?}"
    );
}

async fn stream(asked: &str) -> InvokeEndpointWithResponseStreamOutput {
    let call = client().invoke_endpoint_with_response_stream().endpoint_name(speaker());
    call.body(Blob::new(asked)).custom_attributes("trace=8").send().await.unwrap()
}

fn words(event: ResponseStream) -> Vec<u8> {
    let ResponseStream::PayloadPart(part) = event else { panic!("{event:?}") };
    part.bytes.unwrap().into_inner()
}

#[tokio::test]
async fn a_stream_brings_every_part_in_order() {
    let mut answer = stream("say high and low").await;
    assert_eq!(answer.content_type(), Some("text/plain"));
    assert_eq!(answer.custom_attributes(), Some("trace=8"));
    let mut whole = Vec::new();
    while let Some(event) = answer.body.recv().await.unwrap() {
        whole.extend(words(event));
    }
    assert_eq!(whole, b"highandlow");
}

#[tokio::test]
async fn a_part_of_a_stream_is_there_before_the_next_is_made() {
    let mut answer = stream("wait").await;
    let first = words(answer.body.recv().await.unwrap().unwrap());
    assert_eq!(first, b"first");
    client().invoke_endpoint().endpoint_name(speaker()).body(Blob::new("go")).send().await.unwrap();
    let mut rest = Vec::new();
    while let Some(event) = answer.body.recv().await.unwrap() {
        rest.extend(words(event));
    }
    assert_eq!(rest, b"second");
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_a_model_stream_error() {
    let mut answer = stream("break high and").await;
    let mut whole = Vec::new();
    let broken = loop {
        match answer.body.recv().await {
            Ok(Some(event)) => whole.extend(words(event)),
            Ok(None) => panic!("the stream ended as if it were whole: {whole:?}"),
            Err(error) => break error.into_service_error(),
        }
    };
    assert_eq!(whole, b"highand");
    match broken {
        ResponseStreamError::ModelStreamError(error) => {
            assert_eq!(error.error_code(), Some("StreamBroken"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_stream_that_cannot_begin_is_refused_like_any_call() {
    let call = client()
        .invoke_endpoint_with_response_stream()
        .endpoint_name("nope")
        .body(Blob::new("say x"));
    let refused = call.send().await.unwrap_err().into_service_error();
    assert!(
        matches!(refused, InvokeEndpointWithResponseStreamError::ValidationError(_)),
        "{refused:?}"
    );
}
