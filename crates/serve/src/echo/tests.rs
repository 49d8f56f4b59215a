use std::time::Duration;

use tokio::time::Instant;

use crate::testing::{Server, invocation, send};
use crate::{EchoSettings, Error};

#[tokio::test]
async fn the_body_its_type_and_the_custom_attributes_come_back() {
    let server = Server::echo(EchoSettings::default());
    for (content_type, body) in
        [("text/plain", &b"hello"[..]), ("image/png", b"\x00\xff"), ("a/b", b"")]
    {
        let headers =
            [("content-type", content_type), ("X-Amzn-SageMaker-Custom-Attributes", "trace=1")];
        let answer = server.invoke(&headers, body).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, body);
        assert_eq!(answer.header("content-type"), Some(content_type));
        assert_eq!(answer.header("x-amzn-sagemaker-custom-attributes"), Some("trace=1"));
    }
}

#[tokio::test]
async fn a_connection_serves_many_requests_of_any_size() {
    let server = Server::echo(EchoSettings::default());
    let mut client = server.connect().await;
    for size in [0, 1, 1 << 10, 1 << 20, 6 << 20] {
        let answer = send(&mut client, invocation(&[], vec![7; size])).await.unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, vec![7; size]);
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let server = Server::echo(EchoSettings::default());
    let answer = server.invoke(&[], vec![0; 7 << 20]).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.text(), "{\"error\":\"the body is longer than 6356992 bytes\"}");
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let server = Server::echo(EchoSettings::default());
    let answer = server.get("/invocations").await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("POST")));
    let answer = server.get("/v2/models/model").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.text(), "{\"error\":\"there is nothing at /v2/models/model\"}");
}

#[tokio::test(start_paused = true)]
async fn ping_is_good_after_the_startup_time_and_never_before() {
    let startup = Duration::from_secs(3);
    let server = Server::echo(EchoSettings { startup, ..EchoSettings::default() });
    let begun = Instant::now();
    assert_eq!(server.get("/ping").await.status, 503);
    tokio::time::sleep_until(begun + startup + Duration::from_millis(1)).await;
    assert_eq!(server.get("/ping").await.status, 200);

    let server = Server::echo(EchoSettings { never_ready: true, ..EchoSettings::default() });
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(server.get("/ping").await.status, 503);
}

#[tokio::test(start_paused = true)]
async fn answers_are_delayed_as_told() {
    let delay = Duration::from_millis(250);
    let server = Server::echo(EchoSettings { delay, ..EchoSettings::default() });
    let begun = Instant::now();
    assert_eq!(server.invoke(&[], "x").await.body, "x");
    assert!(begun.elapsed() >= delay);
}

#[tokio::test]
async fn failures_come_at_their_rate() {
    let server = Server::echo(EchoSettings { failure_rate: 1.0, ..EchoSettings::default() });
    let answer = server.invoke(&[], "x").await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.text(), "{\"error\":\"failed as TIDEGATE_ECHO_FAILURE_RATE asks\"}");

    let server = Server::echo(EchoSettings { failure_rate: 0.5, ..EchoSettings::default() });
    let mut client = server.connect().await;
    let mut failed = 0;
    for _ in 0..400 {
        let answer = send(&mut client, invocation(&[], "x")).await.unwrap();
        failed += u32::from(answer.status == 500);
    }
    // Beyond seven standard deviations of a fair coin.
    assert!((125..=275).contains(&failed), "{failed} of 400");
}

#[tokio::test]
async fn a_crash_breaks_the_request_off_and_ends_the_server_with_an_error() {
    let mut server = Server::echo(EchoSettings { crash_rate: 1.0, ..EchoSettings::default() });
    let mut client = server.connect().await;
    assert!(send(&mut client, invocation(&[], "x")).await.is_err());
    assert!(matches!(server.end().await, Err(Error::CrashAsked)));
}

#[tokio::test(start_paused = true)]
async fn stopping_answers_what_is_in_flight_and_closes_what_is_idle() {
    let delay = Duration::from_secs(5);
    let mut server = Server::echo(EchoSettings { delay, ..EchoSettings::default() });
    let mut busy = server.connect().await;
    let mut idle = server.connect().await;
    let warm = send(&mut idle, invocation(&[], "warm")).await.unwrap();
    assert_eq!(warm.body, "warm");
    let begun = Instant::now();
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.stop();
        server.end().await
    };
    let (answer, ended) = tokio::join!(send(&mut busy, invocation(&[], "last")), stopping);
    assert_eq!(answer.unwrap().body, "last");
    assert!(ended.is_ok());
    // Not a moment longer: an idle connection holds nothing up.
    assert!(begun.elapsed() < delay + Duration::from_secs(1));
    assert!(!server.folder.path().join("socket").exists());
    assert!(send(&mut idle, invocation(&[], "late")).await.is_err());
}
