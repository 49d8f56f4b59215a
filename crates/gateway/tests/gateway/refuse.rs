//! Requests that go no further, and of which no model server sees a byte.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    ACCOUNT, Behaviour, ModelServer, World, invocation, raw, raw_and_finish, sign, until,
};

const TOO_LARGE: usize = gateway::BODY_BYTES_MAX + 1;

async fn world() -> (World, ModelServer) {
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::Echo).await);
    world.publish_one(model.route());
    (world, model)
}

/// Nothing arrived: not even a connection was made.
fn assert_untouched(model: &ModelServer) {
    assert_eq!((model.connections(), model.bytes()), (0, 0));
}

async fn signed(world: &World, body: &'static str) -> Request<Full<Bytes>> {
    let mut request = invocation(body);
    sign(&mut request, &world.address().to_string(), "sagemaker").await;
    request
}

/// The request's head as HTTP/1.1, without its length and its end.
fn head(request: &Request<Full<Bytes>>) -> String {
    let mut head = "POST /endpoints/e/invocations HTTP/1.1\r\n".to_owned();
    for (name, value) in request.headers() {
        write!(head, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    head
}

type Spoil = fn(&mut Request<Full<Bytes>>);

fn replace(request: &mut Request<Full<Bytes>>, name: &'static str, value: &[u8]) {
    request.headers_mut().insert(name, HeaderValue::from_bytes(value).unwrap());
}

fn move_to(request: &mut Request<Full<Bytes>>, path: &str) {
    *request.uri_mut() = path.parse().unwrap();
}

/// What is done to a good request, and how the answer's type and text begin.
const SPOILT: [(&str, Spoil, &str, &str); 7] = [
    (
        "unsigned",
        |request| drop(request.headers_mut().remove("authorization")),
        "MissingAuthenticationTokenException",
        "Request is missing Authentication Token",
    ),
    ("tampered body", |request| *request.body_mut() = Full::new("hellO".into()), INVALID, MISMATCH),
    ("tampered path", |request| move_to(request, "/endpoints/f/invocations"), INVALID, MISMATCH),
    (
        "tampered query",
        |request| move_to(request, "/endpoints/e/invocations?a=b"),
        INVALID,
        MISMATCH,
    ),
    (
        "garbled",
        |request| replace(request, "authorization", b"AWS4-HMAC-SHA256 x"),
        "IncompleteSignatureException",
        "",
    ),
    (
        "not text",
        |request| replace(request, "authorization", b"\xff\xfe"),
        "MissingAuthenticationTokenException",
        "",
    ),
    (
        "stale",
        |request| replace(request, "x-amz-date", b"20130301T000000Z"),
        INVALID,
        "Signature expired: 20130301T000000Z is now earlier than",
    ),
];

const INVALID: &str = "InvalidSignatureException";
const MISMATCH: &str = "The request signature we calculated does not match";

#[tokio::test]
async fn unsigned_and_badly_signed_requests_are_answered_in_the_runtimes_words() {
    let (world, model) = world().await;
    for (name, spoil, kind, message) in SPOILT {
        let mut request = signed(&world, "hello").await;
        spoil(&mut request);
        let answer = world.client().await.send(request).await;
        let found = answer.error();
        assert_eq!((found.0, &found.1[..]), (403, kind), "{name}: {found:?}");
        assert!(found.2.starts_with(message), "{name}: {}", found.2);
        assert!(answer.headers.contains_key("x-amzn-requestid"), "{name}");
    }
    assert_untouched(&model);
}

#[tokio::test]
async fn another_key_or_region_is_refused_before_the_body_is_read() {
    let (world, model) = world().await;
    for (from, to, kind) in [
        ("AKIAGATEWAYTESTSKEY1", "AKIAGATEWAYTESTSKEY2", "UnrecognizedClientException"),
        ("eu-test-1", "eu-test-2", "InvalidSignatureException"),
    ] {
        let mut request = signed(&world, "hello").await;
        let changed = request.headers()["authorization"].to_str().unwrap().replace(from, to);
        request.headers_mut().insert("authorization", changed.parse().unwrap());
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        let sent = format!("{}content-length: 5\r\n\r\n", head(&request));
        stream.write_all(sent.as_bytes()).await.unwrap();
        // The body that the head announces never comes, and the answer does not wait for it.
        let mut answer = String::new();
        while !answer.contains(kind) {
            let mut part = [0; 4096];
            let count = stream.read(&mut part).await.unwrap();
            assert!(count > 0, "{answer}");
            answer += str::from_utf8(&part[..count]).unwrap();
        }
    }
    assert_untouched(&model);
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_and_the_client_can_read_why() {
    let (world, model) = world().await;
    let answer = world.client().await.invoke(vec![b'x'; TOO_LARGE]).await;
    let expected = "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=6291457 cap=6291457]' at 'body' \
                    failed to satisfy constraint: Member must have length less than or equal to 6291456";
    assert_eq!(answer.error(), (400, "ValidationError".into(), expected.into()));
    assert_eq!(answer.header("connection"), Some("close"));
    let answer = world.http2().await.invoke(vec![b'x'; TOO_LARGE]).await;
    assert_eq!(answer.error(), (400, "ValidationError".into(), expected.into()));
    assert_untouched(&model);
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_still_gets_its_refusal() {
    let (world, model) = world().await;
    let length = 40 * 1024 * 1024;
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    let request = signed(&world, "").await;
    let authorization = request.headers()["authorization"].to_str().unwrap();
    let date = request.headers()["x-amz-date"].to_str().unwrap();
    let head = format!(
        "POST /endpoints/e/invocations HTTP/1.1\r\nhost: {}\r\nauthorization: {authorization}\r\nx-amz-date: {date}\r\n\
         content-length: {length}\r\n\r\n",
        world.address()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let block = vec![b'x'; 1024 * 1024];
    for _ in 0..length / block.len() {
        stream.write_all(&block).await.expect("the gateway keeps reading");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("lim=41943040"), "{answer}");
    assert_untouched(&model);
}

/// The head of a request, refused by the data plane and by the control plane, whose body comes when the answer has long
/// been given and the connection closed from the other side.
#[tokio::test]
async fn a_body_that_comes_after_the_refusal_does_not_take_the_answer_away() {
    let (world, model) = world().await;
    let body = vec![b'x'; 64 * 1024];
    for path in ["/endpoints/e/invocations", "/refuse"] {
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        // Only now is it certain that the gateway has said all that it will.
        stream.readable().await.unwrap();
        for part in body.chunks(8 * 1024) {
            tokio::time::sleep(Duration::from_millis(5)).await;
            stream.write_all(part).await.expect("the gateway takes it");
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer, not a reset");
        assert!(answer.starts_with("HTTP/1.1 403 "), "{path}: {answer}");
        drop(stream);
        until("the place is free", || world.gateway.connections() == 0).await;
    }
    assert_untouched(&model);
}

#[tokio::test]
async fn who_asks_first_is_told_to_continue_or_why_not() {
    let (world, model) = world().await;
    let request = signed(&world, "hello").await;
    let head = |length: usize| {
        format!("{}content-length: {length}\r\nexpect: 100-continue\r\n\r\n", head(&request))
    };
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(head(TOO_LARGE).as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_untouched(&model);

    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(head(5).as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(model.connections(), 0, "nothing goes on before the body is verified");
    stream.write_all(b"hello").await.unwrap();
    let mut start = [0; 15];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_chunked_body_above_the_limit_and_a_body_that_breaks_off_are_refused() {
    let (world, model) = world().await;
    let request = signed(&world, "").await;
    let start = head(&request);
    let chunked = [
        format!("{start}transfer-encoding: chunked\r\n\r\n{TOO_LARGE:x}\r\n").into_bytes(),
        vec![b'x'; TOO_LARGE],
        b"\r\n0\r\n\r\n".to_vec(),
    ];
    let answer = raw(world.address(), &chunked.concat()).await;
    assert!(answer.contains("Value at 'body' failed to satisfy constraint"), "{answer}");
    // The gateway cannot say anything to a client that is gone; it must only not take the part for the whole.
    raw_and_finish(world.address(), format!("{start}content-length: 10\r\n\r\n12345").as_bytes())
        .await;
    assert_untouched(&model);
}

#[tokio::test]
async fn members_that_break_the_model_are_named() {
    let (world, model) = world().await;
    let long = "x".repeat(1025);
    let table = [
        (
            ("x-amzn-sagemaker-custom-attributes", &long[..]),
            "at 'customAttributes' failed to satisfy constraint: Member must have length less than or equal to 1024",
        ),
        (
            ("x-amzn-sagemaker-inference-id", &long[..65]),
            "at 'inferenceId' failed to satisfy constraint: Member must have length less than or equal to 64",
        ),
        (
            ("x-amzn-sagemaker-target-variant", "-"),
            "at 'targetVariant' failed to satisfy constraint: Member must satisfy regular expression pattern",
        ),
        (
            ("x-amzn-sagemaker-target-model", "m.tar.gz"),
            "Endpoint e is not a multi-model endpoint and does not support target model header.",
        ),
        (
            ("x-amzn-sagemaker-target-container-hostname", "c"),
            "X-Amzn-SageMaker-Target-Container-Hostname",
        ),
        (
            ("x-amzn-sagemaker-inference-component", "c"),
            "Please remove the Inference Component Name header and try again.",
        ),
        (("x-amzn-sagemaker-session-id", "NEW_SESSION"), "X-Amzn-SageMaker-Session-Id"),
        (("x-amzn-sagemaker-enable-explanations", "x"), "X-Amzn-SageMaker-Enable-Explanations"),
        (("x-amzn-sagemaker-prefix-aware-id", "x"), "X-Amzn-SageMaker-Prefix-Aware-Id"),
        (
            ("x-amzn-sagemaker-target-variant", "w"),
            "Variant w of endpoint e of account 123456789012 not found.",
        ),
    ];
    for (header, text) in table {
        let answer = world.client().await.invoke_with(&[header], "x").await;
        let (status, kind, message) = answer.error();
        assert_eq!((status, &kind[..]), (400, "ValidationError"), "{header:?}: {message}");
        assert!(message.contains(text), "{header:?}: {message}");
        let code = answer.json()["ErrorCode"].as_str().map(str::to_owned);
        let expected = (header.0 == "x-amzn-sagemaker-target-model")
            .then(|| "TARGET_MODEL_HEADER_NOT_SUPPORTED".to_owned());
        assert_eq!(code, expected, "{header:?}");
    }
    assert_untouched(&model);
}

#[tokio::test]
async fn endpoints_that_do_not_exist_and_methods_too_are_refused() {
    let (world, model) = world().await;
    let not_found = |name: &str| format!("Endpoint {name} of account {ACCOUNT} not found.");
    let pattern = "1 validation error detected: Value 'a_b' at 'endpointName' failed to satisfy constraint: Member must \
                   satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9])*";
    let table = [
        (Method::POST, "/endpoints/f/invocations", 400, "ValidationError", not_found("f")),
        (Method::POST, "/endpoints/E/invocations", 400, "ValidationError", not_found("E")),
        (Method::POST, "/endpoints/a_b/invocations", 400, "ValidationError", pattern.to_owned()),
        (Method::POST, "/endpoints/a%5Fb/invocations", 400, "ValidationError", pattern.to_owned()),
        (Method::POST, "/endpoints/%65/invocations", 200, "", String::new()),
        (Method::GET, "/endpoints/e/invocations", 404, "UnknownOperationException", String::new()),
    ];
    for (method, path, status, kind, message) in table {
        let mut request = invocation("x");
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        let answer = world.client().await.signed(request).await;
        if status == 200 {
            assert_eq!(answer.status, 200, "{path}");
            continue;
        }
        let found = answer.error();
        assert_eq!((found.0, &found.1[..]), (status, kind), "{path}: {found:?}");
        assert!(message.is_empty() || found.2 == message, "{path}: {}", found.2);
    }
    assert_eq!(model.requests(), 1);
    // A header that nothing supports does not hide that the endpoint is not there.
    let mut request = invocation("x");
    *request.uri_mut() = "/endpoints/f/invocations".parse().unwrap();
    request.headers_mut().insert("x-amzn-sagemaker-target-model", HeaderValue::from_static("m"));
    assert_eq!(world.client().await.signed(request).await.error().2, not_found("f"));
}

#[tokio::test]
async fn a_body_that_dawdles_is_given_up() {
    let world = World::with(|settings| settings.limits.body_read = Duration::from_millis(200));
    let model = ModelServer::tcp(Behaviour::Echo).await;
    world.publish_one(model.route());
    let request = signed(&world, "hello").await;
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    let part = format!("{}content-length: 5\r\n\r\nhel", head(&request));
    stream.write_all(part.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 408");
    assert_untouched(&model);
}

#[tokio::test]
async fn bodies_beyond_the_room_there_is_are_turned_away_and_the_room_comes_back() {
    let world = World::with(|settings| settings.limits.held_bytes = 1000);
    let permits = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let model = ModelServer::tcp(Behaviour::EchoWhenTold(std::sync::Arc::clone(&permits))).await;
    world.publish_one(model.route());
    let (mut first, mut second) = (world.client().await, world.client().await);
    let ask = first.invoke(vec![b'x'; 400]);
    let turned_away = async {
        until("the model server is asked", || model.requests() > 0).await;
        let answer = second.invoke(vec![b'x'; 601]).await;
        permits.add_permits(1);
        answer
    };
    let (answered, turned_away) = tokio::join!(ask, turned_away);
    assert_eq!(answered.status, 200);
    assert_eq!((turned_away.error().0, &turned_away.error().1[..]), (503, "ServiceUnavailable"));
    permits.add_permits(1);
    assert_eq!(world.client().await.invoke(vec![b'x'; 500]).await.status, 200);
    // The answer counts as well as the request: 600 and 600 do not fit, and the model server has already answered.
    permits.add_permits(1);
    assert_eq!(world.client().await.invoke(vec![b'x'; 600]).await.error().0, 503);
}

#[tokio::test]
async fn bytes_that_are_not_http_get_a_400_or_a_close() {
    let (world, model) = world().await;
    let endless = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(80 * 1024));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "h: x\r\n".repeat(200));
    for bytes in [
        "\0\0\0\0",
        "GET\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        &endless,
        &many,
    ] {
        let answer = raw_and_finish(world.address(), bytes.as_bytes()).await;
        let start: String = answer.chars().take(12).collect();
        assert!(
            ["", "HTTP/1.1 400", "HTTP/1.1 431"].contains(&&start[..]) || !answer.contains("HTTP"),
            "{answer}"
        );
    }
    assert_eq!(world.client().await.invoke("still there").await.status, 200);
    assert_eq!(model.requests(), 1);
}
