//! What goes to the control plane, and how.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;

use crate::support::{Behaviour, ModelServer, World, invocation, raw};

fn request(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let request = Request::builder().method(Method::PUT).uri(path);
    request.body(Full::new(body.into())).expect("a path")
}

#[tokio::test]
async fn large_bodies_stream_through_in_both_directions() {
    let world = World::start();
    let body: Bytes = (0..=250_u8).cycle().take(20 * 1024 * 1024).collect::<Vec<_>>().into();
    let answer = world.client().await.send(request("/bucket/key", body.clone())).await;
    assert_eq!(answer.header("x-path"), Some("/bucket/key"));
    assert!(answer.status == 200 && answer.body == body);
    let answer = world.client().await.send(request("/bucket/key", "small")).await;
    assert_eq!((answer.header("content-length"), &answer.body[..]), (Some("5"), &b"small"[..]));
}

#[tokio::test]
async fn only_the_scopes_service_and_the_path_together_make_an_invocation() {
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::Echo).await);
    world.publish_one(model.route());
    let mut client = world.client().await;
    let table = [
        ("s3", "/endpoints/e/invocations"),
        ("sagemaker", "/"),
        ("sagemaker", "/endpoints/e/f/invocations"),
    ];
    for (service, path) in table {
        let answer = client.signed_for(service, request(path, "x")).await;
        assert_eq!(answer.header("x-path"), Some(path));
    }
    assert_eq!(client.send(request("/healthz", "")).await.header("x-path"), Some("/healthz"));
    assert_eq!((world.controlled.load(Ordering::SeqCst), model.connections()), (4, 0));
    // Unsigned, the path alone decides.
    assert_eq!(client.send(invocation("x")).await.error().1, "MissingAuthenticationTokenException");
    assert_eq!(world.controlled.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn the_control_plane_learns_who_asks() {
    let answer = World::start().client().await.send(request("/peer", "")).await;
    assert!(answer.body.starts_with(b"127.0.0.1:"), "{answer:?}");
}

#[tokio::test]
async fn a_panic_there_is_an_answer_here_and_the_thread_lives() {
    let world = World::with(|settings| settings.threads = std::num::NonZeroUsize::MIN);
    let mut client = world.client().await;
    let (status, kind, _) = client.send(request("/panic", "")).await.error();
    assert_eq!((status, &kind[..]), (500, "InternalFailure"));
    assert_eq!(client.send(request("/x", "fine")).await.body, "fine");
}

#[tokio::test]
async fn requests_may_be_pipelined() {
    let world = World::start();
    let one = "PUT /one HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n1";
    let two = "PUT /two HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1\r\n\r\n2";
    let answer = raw(world.address(), [one, two].concat().as_bytes()).await;
    let paths: Vec<_> = answer.lines().filter_map(|line| line.strip_prefix("x-path: ")).collect();
    assert_eq!(paths, ["/one", "/two"]);
}
