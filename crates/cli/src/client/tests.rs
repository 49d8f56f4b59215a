//! Calls over real connections, to a server that checks their signatures.

use wire::sagemaker::{
    DeleteEndpointInput, DescribeModelInput, ListEndpointsInput, ListEndpointsOutput,
};
use wire::sagemaker_runtime::{self, InvokeEndpointInput};
use wire::value::Value as _;

use super::*;
use crate::testing::FakeServer;

const NO_ENDPOINTS: &str = r#"{"Endpoints":[]}"#;

async fn list(client: &Client) -> Result<ListEndpointsOutput, Error> {
    client
        .sagemaker(
            "ListEndpoints",
            &ListEndpointsInput { max_results: Some(7), ..ListEndpointsInput::default() },
        )
        .await
}

fn client(server: &FakeServer) -> Client {
    Client::new(server.target())
}

#[tokio::test]
async fn a_call_arrives_signed_and_its_answer_is_read() {
    let server = FakeServer::answering(&[(200, r#"{"Endpoints":[],"NextToken":"more"}"#)]).await;
    let answer = list(&client(&server)).await.unwrap();
    assert_eq!(answer.next_token.as_deref(), Some("more"));
    let asked = server.asked();
    assert_eq!(asked[0].what, "ListEndpoints");
    assert_eq!(asked[0].body, r#"{"MaxResults":7}"#);
}

#[tokio::test]
async fn reading_is_tried_again_when_the_server_falters() {
    let server = FakeServer::answering(&[(500, ""), (503, ""), (200, NO_ENDPOINTS)]).await;
    list(&client(&server)).await.unwrap();
    assert_eq!(server.operations().len(), 3);

    let server = FakeServer::answering(&[
        (500, ""),
        (500, ""),
        (500, r#"{"__type":"InternalFailure","message":"m"}"#),
    ])
    .await;
    let error = list(&client(&server)).await.unwrap_err();
    assert_eq!(error.to_string(), "ListEndpoints: InternalFailure: m");
    assert_eq!(server.operations().len(), 3);
}

#[tokio::test]
async fn changing_is_not_tried_again_once_it_was_sent() {
    let server =
        FakeServer::answering(&[(500, r#"{"__type":"InternalFailure","message":"m"}"#)]).await;
    let input = DeleteEndpointInput { endpoint_name: "e".into() };
    client(&server).sagemaker_order("DeleteEndpoint", &input).await.unwrap_err();
    assert_eq!(server.operations(), ["DeleteEndpoint"]);
}

#[tokio::test]
async fn a_refusal_keeps_its_code_and_its_words() {
    let body = r#"{"__type":"ValidationException","message":"Could not find model \"arn\"."}"#;
    let server = FakeServer::answering(&[(400, body)]).await;
    let input = DescribeModelInput { model_name: "m".into() };
    let error = client(&server)
        .sagemaker::<_, wire::sagemaker::DescribeModelOutput>("DescribeModel", &input)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "DescribeModel: ValidationException: Could not find model \"arn\"."
    );
    assert!(error.is_not_found());
    assert_eq!(error.refusal().map(|refusal| refusal.status), Some(400));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_the_way_out() {
    let server = FakeServer::answering(&[]).await;
    let mut target = server.stop().await;
    let url = target.server.url.to_string();
    let local = list(&Client::new(target.clone())).await.unwrap_err().to_string();
    assert!(
        local.starts_with(&format!("no server answers at {url}, where /data/server.json says")),
        "{local}"
    );
    assert!(
        local.contains("Connection refused")
            && local.ends_with("tidegate up")
            && !local.contains('\n'),
        "{local}"
    );
    target.server.origin = crate::Origin::Flag;
    let named = list(&Client::new(target)).await.unwrap_err().to_string();
    assert!(
        named.starts_with(&format!("nothing answers at {url}, from --endpoint-url (")),
        "{named}"
    );
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for_for_ever() {
    // Accepts connections, as the listening socket's queue does, and never answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut target = FakeServer::answering(&[]).await.target();
    target.server.url = crate::target::BaseUrl::parse(
        &format!("http://{}", listener.local_addr().unwrap()),
        &target.server.origin,
    )
    .unwrap();
    let manner = Manner {
        operation: "GetCallerIdentity",
        timeout: Duration::from_millis(50),
        retry: Retry::Idempotent,
    };
    let error =
        Client::new(target).call_in(&sts::SERVICE, &Document::empty(), manner).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn an_invocation_carries_bytes_both_ways() {
    let server = FakeServer::answering(&[(200, "answer")]).await;
    let input = InvokeEndpointInput {
        endpoint_name: "tide".into(),
        body: Bytes::from_static(b"question"),
        content_type: Some("text/plain".into()),
        ..InvokeEndpointInput::default()
    };
    let manner = Manner { operation: "InvokeEndpoint", timeout: CALL_TIMEOUT, retry: Retry::Never };
    let document = client(&server)
        .call_in(&sagemaker_runtime::SERVICE, &input.to_document(), manner)
        .await
        .unwrap();
    assert_eq!(
        document.get("Body").and_then(Document::as_blob).map(Bytes::as_ref),
        Some(&b"answer"[..])
    );
    let asked = server.asked();
    assert_eq!(
        asked[0].what.replace(&server.target().server.url.to_string(), ""),
        "POST /endpoints/tide/invocations"
    );
    assert_eq!(asked[0].body, "question");
}

#[tokio::test]
async fn objects_go_where_s3_has_them() {
    let owned = "<?xml version=\"1.0\"?><Error><Code>BucketAlreadyOwnedByYou</Code><Message>m</Message></Error>";
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let server =
        FakeServer::answering(&[(200, ""), (409, owned), (200, ""), (204, ""), (403, denied)])
            .await;
    let client = client(&server);
    assert!(client.create_bucket("models").await.unwrap());
    assert!(!client.create_bucket("models").await.unwrap());
    client.put_object("models", "a/model.tar.gz", Bytes::from_static(b"x")).await.unwrap();
    client.delete_object("models", "a/model.tar.gz").await.unwrap();
    let error = client.delete_bucket_if_empty("models").await.unwrap_err();
    assert_eq!(error.to_string(), "DeleteBucket: AccessDenied: Access Denied");
    let constraint = "<LocationConstraint>eu-west-1</LocationConstraint>";
    assert!(server.asked()[0].body.contains(constraint), "{}", server.asked()[0].body);
    let wanted = [
        "PUT /models",
        "PUT /models",
        "PUT /models/a/model.tar.gz",
        "DELETE /models/a/model.tar.gz",
        "DELETE /models",
    ];
    assert_eq!(server.operations(), wanted);
}

#[tokio::test]
async fn the_account_of_a_server_elsewhere_is_asked_for() {
    let body = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                <Arn>arn:aws:iam::999999999999:root</Arn><UserId>9</UserId><Account>999999999999</Account>\
                </GetCallerIdentityResult></GetCallerIdentityResponse>";
    let server = FakeServer::answering(&[(200, body)]).await;
    let mut target = server.target();
    assert_eq!(Client::new(target.clone()).account().await.unwrap(), "123456789012");
    target.server.local = None;
    let (output, data, notes) = Output::in_memory(false);
    Client::new(target).announce(&output, "deleting endpoint e").await.unwrap();
    let url = server.target().server.url;
    assert_eq!(
        notes.text(),
        format!("deleting endpoint e at {url}, account 999999999999, region eu-west-1\n")
    );
    assert_eq!(data.text(), "");
}

#[tokio::test]
async fn a_signature_that_is_refused_says_whose_it_was() {
    let table = [
        (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            "does not know access key AKIATEST",
        ),
        (
            "InvalidSignatureException",
            "The request signature we calculated does not match.\n\nThe Canonical String for",
            "another secret for access key AKIATEST",
        ),
        (
            "InvalidSignatureException",
            "Credential should be scoped to a valid region, not 'x'. ",
            "signed for region eu-west-1",
        ),
        ("InvalidSignatureException", "Signature expired: 1 is now earlier than 2", "clock"),
    ];
    for (code, message, wanted) in table {
        let body = serde_json::json!({ "__type": code, "message": message }).to_string();
        let server = FakeServer::answering(&[(400, &body)]).await;
        let text = list(&client(&server)).await.unwrap_err().to_string();
        let (first, hint) = text.split_once("\nhint: ").unwrap();
        assert!(hint.contains(wanted), "{text}");
        assert!(
            first.starts_with(&format!("ListEndpoints: {code}: ")) && !first.contains('\n'),
            "{text}"
        );
    }
}
