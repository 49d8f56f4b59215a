//! Requests that are answered.

use domain::route::Strategy;

use crate::support::{Behaviour, ModelServer, World, until};

/// The largest body that a request or an answer may have.
const LARGEST: usize = gateway::BODY_BYTES_MAX;

#[tokio::test]
async fn a_signed_request_comes_back_from_a_tcp_server() {
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::Echo).await);
    world.publish_one(model.route());
    let answer = world.client().await.invoke("hello").await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"hello"[..]));
    assert_eq!(answer.header("content-type"), Some("text/echo"));
    assert_eq!(answer.header("x-amzn-invoked-production-variant"), Some("v"));
    assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36));
}

#[tokio::test]
async fn a_unix_socket_serves_as_well_and_its_connection_is_used_again() {
    let (world, model) = (
        World::with(|settings| settings.threads = std::num::NonZeroUsize::MIN),
        ModelServer::unix(Behaviour::Echo),
    );
    world.publish_one(model.route());
    let mut client = world.client().await;
    for body in ["one", "two", "three"] {
        assert_eq!(client.invoke(body).await.body, body);
    }
    assert_eq!((model.requests(), model.connections()), (3, 1));
}

#[tokio::test]
async fn an_idle_connection_is_closed_from_this_side() {
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::Echo).await);
    world.publish_one(model.route());
    assert_eq!(world.client().await.invoke("x").await.status, 200);
    until("the connection is closed", || model.closed() == 1).await;
}

#[tokio::test]
async fn only_the_headers_of_the_contract_reach_the_model_server() {
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::Echo).await);
    world.publish_one(model.route());
    let headers = [
        ("content-type", "text/csv"),
        ("accept", "application/json"),
        ("x-amzn-sagemaker-custom-attributes", "trace=7"),
        ("x-amzn-sagemaker-inference-id", "id-1"),
        ("x-amzn-sagemaker-target-variant", "v"),
        ("cookie", "secret"),
        ("x-forwarded-for", "1.2.3.4"),
    ];
    let answer = world.client().await.invoke_with(&headers, "1,2").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let head = model.heads().remove(0);
    let mut lines: Vec<_> = head.lines().collect();
    assert_eq!(lines.remove(0), "post /invocations http/1.1");
    lines.sort_unstable();
    let expected = [
        "accept: application/json",
        "content-length: 3",
        "content-type: text/csv",
        "host: localhost",
        "x-amzn-sagemaker-custom-attributes: trace=7",
        "x-amzn-sagemaker-inference-id: id-1",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn of_the_model_servers_headers_only_two_come_back() {
    let bytes = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\ncontent-type: a/b\r\nset-cookie: x\r\n\
                 x-amzn-sagemaker-custom-attributes: back\r\nserver: me\r\n\r\nok";
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::raw(bytes)).await);
    world.publish_one(model.route());
    let answer = world.client().await.invoke("").await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"ok"[..]));
    let mut names: Vec<_> = answer.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let expected = [
        "content-length",
        "content-type",
        "date",
        "x-amzn-invoked-production-variant",
        "x-amzn-requestid",
        "x-amzn-sagemaker-custom-attributes",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn chunked_empty_and_close_delimited_answers_are_whole() {
    let table = [
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
            "abcde",
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", ""),
        ("HTTP/1.0 200 OK\r\n\r\nuntil the end", "until the end"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", "x"),
    ];
    let world = World::start();
    for (bytes, expected) in table {
        let model = ModelServer::tcp(Behaviour::raw(bytes)).await;
        world.publish_one(model.route());
        let answer = world.client().await.invoke("?").await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body[..]),
            (200, expected.as_bytes()),
            "{bytes}"
        );
    }
}

#[tokio::test]
async fn many_requests_at_once_share_an_http2_connection() {
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::Echo).await);
    world.publish_one(model.route());
    let http2 = world.http2().await;
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..64 {
        let mut http2 = http2.clone();
        requests.spawn(async move { (number, http2.invoke(format!("body {number}")).await) });
    }
    while let Some(done) = requests.join_next().await {
        let (number, answer) = done.unwrap();
        assert_eq!((answer.status.as_u16(), answer.body), (200, format!("body {number}").into()));
    }
    assert_eq!(model.requests(), 64);
}

#[tokio::test]
async fn the_largest_body_goes_there_and_back_over_both_versions() {
    let (world, model) = (World::start(), ModelServer::unix(Behaviour::Echo));
    world.publish_one(model.route());
    let body: bytes::Bytes = (0..=250_u8).cycle().take(LARGEST).collect::<Vec<_>>().into();
    let answer = world.client().await.invoke(body.clone()).await;
    assert!(answer.status == 200 && answer.body == body, "{}", answer.status);
    let answer = world.http2().await.invoke(body.clone()).await;
    assert!(answer.status == 200 && answer.body == body, "{}", answer.status);
}

#[tokio::test]
async fn a_targeted_variant_is_chosen_whatever_its_weight() {
    let world = World::start();
    let (a, b) = (ModelServer::tcp(Behaviour::Echo).await, ModelServer::tcp(Behaviour::Echo).await);
    for strategy in [Strategy::Random, Strategy::LeastOutstanding] {
        world.publish_with(strategy, &[("a", 1.0, vec![a.route()]), ("b", 0.0, vec![b.route()])]);
        let mut client = world.client().await;
        for (headers, expected) in
            [(&[][..], "a"), (&[("x-amzn-sagemaker-target-variant", "b")], "b")]
        {
            let answer = client.invoke_with(headers, "x").await;
            assert_eq!(answer.header("x-amzn-invoked-production-variant"), Some(expected));
        }
    }
    assert_eq!((a.requests(), b.requests()), (2, 2));
}
