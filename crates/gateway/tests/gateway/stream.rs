//! Answers that are passed on while the model server writes them.

use std::num::NonZeroUsize;
use std::time::Duration;

use domain::route::Traffic;
use serde_json::json;

use crate::support::{Behaviour, ModelServer, Pen, Streamed, World, streaming, until};

/// Longer than any step of a test takes, shorter than a test may.
const SOON: Duration = Duration::from_millis(300);

async fn world() -> (World, ModelServer, Pen) {
    let world = World::start();
    let (pen, behaviour) = Behaviour::pieces();
    let model = ModelServer::tcp(behaviour).await;
    world.publish_one(model.route());
    (world, model, pen)
}

/// The stream, when the model server has written its head and this first chunk.
async fn begun(world: &World, pen: &Pen, first: &[u8]) -> Streamed {
    let mut client = world.client().await;
    let write = async {
        pen.head().await;
        pen.chunk(first).await;
    };
    let (mut stream, ()) = tokio::join!(client.open(&[], "?"), write);
    assert_eq!(stream.part().await, first);
    stream
}

#[tokio::test]
async fn chunks_come_as_parts_while_they_are_written() {
    let (world, model, pen) = world().await;
    let headers = [("x-amzn-sagemaker-accept", "text/event-stream"), ("accept", "a/b")];
    let mut client = world.client().await;
    let write = async {
        pen.head().await;
        pen.chunk(b"one").await;
    };
    let (mut stream, ()) = tokio::join!(client.open(&headers, "?"), write);
    assert_eq!(stream.status, 200);
    let expected = [
        ("content-type", "application/vnd.amazon.eventstream"),
        ("x-amzn-sagemaker-content-type", "text/event-stream"),
        ("x-amzn-sagemaker-custom-attributes", "back"),
        ("x-amzn-invoked-production-variant", "v"),
    ];
    for (name, value) in expected {
        assert_eq!(stream.header(name), Some(value), "{name}");
    }
    assert_eq!(stream.header("x-amzn-requestid").map(str::len), Some(36));
    assert_eq!(stream.part().await, "one");
    // The second is not even written before the first is here.
    pen.chunk(b"two").await;
    assert_eq!(stream.part().await, "two");
    assert_eq!(world.routes.in_flight(model.id()), 1);
    pen.chunk(b"").await;
    assert_eq!(stream.next().await, None);
    until("nobody is inside", || world.routes.in_flight(model.id()) == 0).await;
    let head = model.heads().remove(0);
    assert!(head.contains("accept: text/event-stream\r\n") && !head.contains("a/b"), "{head}");
    assert!(!head.contains("x-amzn-sagemaker-accept"), "{head}");
}

#[tokio::test]
async fn the_connection_to_the_model_server_is_used_again() {
    let world = World::with(|settings| settings.threads = NonZeroUsize::MIN);
    let model = ModelServer::unix(Behaviour::Echo);
    world.publish_one(model.route());
    let mut client = world.client().await;
    for _ in 0..3 {
        assert_eq!(client.open(&[], "all of it").await.rest().await, b"all of it");
    }
    assert_eq!(client.open(&[], "").await.next().await, None, "nothing is no part");
    assert_eq!((model.requests(), model.connections()), (4, 1));
}

#[tokio::test]
async fn large_answers_come_whole_over_both_versions() {
    let (world, body) = (World::start(), vec![b'x'; 20 * 1024 * 1024]);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let model = ModelServer::tcp(Behaviour::raw([head.as_bytes(), &body].concat())).await;
    world.publish_one(model.route());
    let mut client = world.client().await;
    assert!(client.open(&[], "?").await.rest().await == body);
    assert!(world.http2().await.open("?").await.rest().await == body);
}

#[tokio::test]
async fn what_goes_wrong_before_the_first_byte_is_told_as_it_always_is() {
    let world = World::with(|settings| settings.limits.answer = SOON);
    let head_only = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let table = [
        (
            Behaviour::status(503, "busy"),
            "Received server error (503) from primary with message \"busy\".",
        ),
        (
            Behaviour::status(400, "bad"),
            "Received client error (400) from primary with message \"bad\".",
        ),
        (Behaviour::Hang, "Your invocation timed out while waiting"),
        (Behaviour::Raw { bytes: head_only.into(), close: false }, "Your invocation timed out"),
        (Behaviour::raw(head_only), "The connection to container primary broke off"),
        (Behaviour::raw("garbage"), "The connection to container primary broke off"),
    ];
    for (behaviour, text) in table {
        let model = ModelServer::tcp(behaviour.clone()).await;
        world.publish_one(model.route());
        let (status, kind, message) = world.client().await.signed(streaming("x")).await.error();
        assert_eq!((status, &kind[..]), (424, "ModelError"), "{behaviour:?}: {message}");
        assert!(message.contains(text), "{behaviour:?}: {message}");
        until("nobody is inside", || world.routes.in_flight(model.id()) == 0).await;
    }
}

#[tokio::test]
async fn it_is_admitted_as_every_other_request() {
    let (world, model, _pen) = world().await;
    let unsigned = world.client().await.send(streaming("x")).await.error();
    assert_eq!((unsigned.0, &unsigned.1[..]), (403, "MissingAuthenticationTokenException"));
    let mut tampered = streaming("x");
    crate::support::sign(&mut tampered, &world.address().to_string(), "sagemaker").await;
    *tampered.body_mut() = http_body_util::Full::new("y".into());
    let tampered = world.client().await.send(tampered).await.error();
    assert_eq!((tampered.0, &tampered.1[..]), (403, "InvalidSignatureException"));
    let table = [
        ("x-amzn-sagemaker-session-id", "s", "stateful sessions"),
        ("x-amzn-sagemaker-target-variant", "w", "Variant w of endpoint e of account"),
        ("x-amzn-sagemaker-target-variant", "-", "at 'targetVariant' failed to satisfy"),
    ];
    for (name, value, text) in table {
        let mut request = streaming("x");
        request.headers_mut().insert(name, value.parse().unwrap());
        let (status, kind, message) = world.client().await.signed(request).await.error();
        assert_eq!((status, &kind[..]), (400, "ValidationError"), "{name}: {message}");
        assert!(message.contains(text), "{name}: {message}");
    }
    let large = streaming(vec![b'x'; gateway::BODY_BYTES_MAX + 1]);
    assert_eq!(world.client().await.signed(large).await.error().1, "ValidationError");
    assert_eq!((model.connections(), model.bytes()), (0, 0));
}

#[tokio::test]
async fn a_model_server_that_breaks_off_is_told_within_the_stream() {
    let (world, _model, pen) = world().await;
    let mut stream = begun(&world, &pen, b"half a ").await;
    drop(pen);
    let (kind, members) = stream.exception().await;
    let message = "The connection to container primary broke off before its response was complete.";
    assert_eq!(kind, "ModelStreamError");
    assert_eq!(members, json!({ "ErrorCode": "StreamBroken", "Message": message }));
}

#[tokio::test]
async fn a_stream_that_goes_on_for_ever_is_ended() {
    let world = World::with(|settings| settings.limits.stream = SOON);
    let (pen, behaviour) = Behaviour::pieces();
    let model = ModelServer::tcp(behaviour).await;
    world.publish_one(model.route());
    let mut stream = begun(&world, &pen, b"0").await;
    let write = async {
        while pen.try_chunk(b"and on ").await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let read = async {
        loop {
            let frame = stream.next().await.expect("it does not end in silence");
            if let Some(kind) = frame.text(":exception-type") {
                break (kind.to_owned(), serde_json::from_slice(&frame.payload).unwrap());
            }
        }
    };
    let ((kind, members), ()): ((_, serde_json::Value), ()) = tokio::join!(read, write);
    assert_eq!(
        (&kind[..], &members["ErrorCode"]),
        ("ModelStreamError", &json!("ModelInvocationTimeExceeded"))
    );
    assert_eq!(members["Message"], "The model did not finish its response within 0.3 seconds.");
    until("the model server notices", || model.closed() > 0).await;
    assert_eq!(world.routes.in_flight(model.id()), 0);
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_the_model_servers_work_at_once() {
    let (world, model, pen) = world().await;
    let mut client = world.client().await;
    let write = async {
        pen.head().await;
        pen.chunk(b"0").await;
    };
    let (mut stream, ()) = tokio::join!(client.open(&[], "?"), write);
    assert_eq!(stream.part().await, "0");
    // Nothing more is written: it is not the failing of a write that tells.
    client.hang_up();
    drop(stream);
    until("the model server notices", || model.closed() > 0).await;
    until("nobody is inside", || world.routes.in_flight(model.id()) == 0).await;
}

#[tokio::test]
async fn an_instance_that_is_taken_out_waits_for_its_stream_but_not_for_ever() {
    let world = World::with(|settings| settings.limits.stream_drain = SOON);
    let (pen, behaviour) = Behaviour::pieces();
    let model = ModelServer::tcp(behaviour).await;
    world.publish_one(model.route());
    let mut stream = begun(&world, &pen, b"0").await;
    world.routes.publish(std::sync::Arc::default());
    pen.chunk(b"1").await;
    assert_eq!(stream.part().await, "1");
    assert_eq!(world.routes.in_flight(model.id()), 1);
    let (kind, members) = stream.exception().await;
    assert_eq!((&kind[..], &members["ErrorCode"]), ("ModelStreamError", &json!("StreamBroken")));
    assert!(
        members["Message"].as_str().unwrap().starts_with("The instance was taken out"),
        "{members}"
    );
    until("the model server notices", || model.closed() > 0).await;
    assert_eq!(world.routes.in_flight(model.id()), 0);
}

#[tokio::test]
async fn a_route_that_comes_back_costs_its_streams_nothing() {
    let world = World::with(|settings| settings.limits.stream_drain = SOON);
    let (pen, behaviour) = Behaviour::pieces();
    let model = ModelServer::tcp(behaviour).await;
    world.publish_one(model.route());
    let mut stream = begun(&world, &pen, b"0").await;
    world.routes.publish(std::sync::Arc::default());
    world.publish_one(model.route());
    tokio::time::sleep(SOON * 2).await;
    pen.chunk(b"1").await;
    pen.chunk(b"").await;
    assert_eq!(stream.rest().await, b"1");
}

#[tokio::test]
async fn a_server_that_stops_lets_streams_end_and_tells_those_that_do_not() {
    let (world, _model, pen) = world().await;
    let mut stream = begun(&world, &pen, b"0").await;
    let (drained, (kind, members)) =
        tokio::join!(world.gateway.drain(SOON * 4), stream.exception());
    assert_eq!((drained.cut_off, &kind[..]), (0, "InternalStreamFailure"));
    assert!(members["Message"].as_str().unwrap().starts_with("The server stops"), "{members}");
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_the_model_server_and_not_the_memory() {
    let (world, _model, pen) = world().await;
    let mut stream = begun(&world, &pen, b"0").await;
    let (block, count) = (vec![b'x'; 1024 * 1024], 64);
    let mut write = std::pin::pin!(async {
        for _ in 0..count {
            pen.chunk(&block).await;
        }
        pen.chunk(b"").await;
    });
    // As much as the sockets' buffers hold goes; all of it would go within this time, were there room.
    let all = tokio::time::timeout(Duration::from_secs(1), &mut write).await;
    assert!(all.is_err(), "64 MiB went somewhere");
    let (rest, ()) = tokio::join!(stream.rest(), write);
    assert_eq!(rest.len(), count * block.len());
}

#[tokio::test]
async fn a_client_that_does_not_read_keeps_no_instance_beyond_the_limit() {
    let world = World::with(|settings| settings.limits.stream = SOON);
    let (pen, behaviour) = Behaviour::pieces();
    let model = ModelServer::tcp(behaviour).await;
    world.publish_one(model.route());
    let _stream = begun(&world, &pen, b"0").await;
    let block = vec![b'x'; 1024 * 1024];
    while pen.try_chunk(&block).await {}
    until("nobody is inside", || world.routes.in_flight(model.id()) == 0).await;
    until("the model server notices", || model.closed() > 0).await;
}
