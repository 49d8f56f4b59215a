//! What becomes of calls, and of those that have not begun when it is to end.

use wire::value::Value as _;
use wire::{application_autoscaling, sagemaker};

use super::*;
use crate::testing::FakeServer;

const CLOCK: &str = r#"{"now":"1970-01-01T00:02:00Z","now_epoch_seconds":120.0,"time_scale":60.0}"#;

fn deletion() -> Document {
    sagemaker::DeleteEndpointInput { endpoint_name: "tide".into() }.to_document()
}

#[tokio::test]
async fn a_server_is_known_by_its_clock() {
    for (status, answer, is_tidegate) in
        [(200, CLOCK, true), (404, "<html>", false), (200, "{}", false), (200, "hello", false)]
    {
        let server = FakeServer::answering(&[(status, answer)]).await;
        let client = Client::new(server.target());
        let remote = ClientRemote::meet(&client).await.unwrap();
        assert_eq!(remote.is_tidegate(), is_tidegate, "{status} {answer}");
        assert_eq!(server.operations().len(), 1);
    }
}

#[tokio::test]
async fn aws_is_not_asked_what_it_is() {
    let server = FakeServer::answering(&[]).await;
    let mut target = server.target();
    // Where it would be asked is a server that answers; it must not be.
    target.server.aws = Some(crate::target::Aws::of("eu-west-1").unwrap());
    let client = Client::new(target);
    assert!(!ClientRemote::meet(&client).await.unwrap().is_tidegate());
    assert_eq!(server.operations(), Vec::<String>::new());
}

#[tokio::test]
async fn every_call_is_made_once() {
    let throttled = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    let answers = [(200, CLOCK), (400, throttled), (500, "{}"), (200, r#"{"ScalableTargets":[]}"#)];
    let server = FakeServer::answering(&answers).await;
    let client = Client::new(server.target());
    let remote = ClientRemote::meet(&client).await.unwrap();
    let fault = remote.call(&sagemaker::SERVICE, "DeleteEndpoint", &deletion()).await.unwrap_err();
    let wanted = Fault::Refused {
        code: "ThrottlingException".into(),
        message: "Rate exceeded".into(),
        status: 400,
    };
    assert_eq!(fault, wanted);
    assert_eq!(
        remote.explained(&fault).to_string(),
        "DeleteEndpoint: ThrottlingException: Rate exceeded"
    );
    let describe = Document::empty();
    let service = &application_autoscaling::SERVICE;
    let fault = remote.call(service, "DescribeScalableTargets", &describe).await.unwrap_err();
    assert!(matches!(fault, Fault::Refused { status: 500, .. }), "{fault:?}");
    remote.call(service, "DescribeScalableTargets", &describe).await.unwrap();
    assert_eq!(server.operations().len(), 4);
}

/// moto 5.2.5, recorded.
#[tokio::test]
async fn what_moto_lacks_is_not_asked_for_again_and_again() {
    let page = "<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>";
    let answers = [(404, "<html>"), (500, page), (500, page), (500, page)];
    let server = FakeServer::answering(&answers).await;
    let client = Client::new(server.target());
    let remote = ClientRemote::meet(&client).await.unwrap();
    let service = &application_autoscaling::SERVICE;
    let arn = application_autoscaling::ListTagsForResourceRequest { resource_arn: "arn".into() };
    let fault = remote.call(service, "ListTagsForResource", &arn.to_document()).await.unwrap_err();
    assert!(matches!(&fault, Fault::Refused { status: 501, .. }), "{fault:?}");
    // Of what it has, such a page is a failure that may pass.
    let fault =
        remote.call(service, "DescribeScalableTargets", &Document::empty()).await.unwrap_err();
    assert!(matches!(&fault, Fault::Refused { status: 500, .. }), "{fault:?}");
    assert_eq!(server.operations().len(), 4);
}

#[tokio::test]
async fn a_server_that_has_gone_leaves_open_what_happened() {
    let server = FakeServer::answering(&[(200, CLOCK)]).await;
    let client = Client::new(server.target());
    let remote = ClientRemote::meet(&client).await.unwrap();
    server.stop().await;
    let fault = remote.call(&sagemaker::SERVICE, "DeleteEndpoint", &deletion()).await.unwrap_err();
    assert!(matches!(&fault, Fault::Lost(why) if why.contains("no server answers")), "{fault:?}");
    // Time that cannot be told stands still.
    assert_eq!(remote.now().await, Timestamp::from_millis(120_000));
}

#[tokio::test]
async fn behind_a_closed_gate_no_call_begins() {
    let server = FakeServer::answering(&[(200, CLOCK)]).await;
    let client = Client::new(server.target());
    let remote = ClientRemote::meet(&client).await.unwrap();
    let under_way = remote.gate().enter().unwrap();
    remote.gate().close();
    let input = deletion();
    let mut call = Box::pin(remote.call(&sagemaker::SERVICE, "DeleteEndpoint", &input));
    tokio::select! {
        biased;
        _ = &mut call => unreachable!("it must not be made"),
        () = remote.gate().is_empty() => unreachable!("one is under way"),
        () = tokio::task::yield_now() => {}
    }
    drop(under_way);
    tokio::select! {
        biased;
        _ = &mut call => unreachable!("it must not be made"),
        () = remote.gate().is_empty() => {}
    }
    assert_eq!(server.operations().len(), 1);
}
