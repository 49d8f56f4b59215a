//! What the command asks, and what it prints.

use serde_json::json;

use super::*;
use crate::testing::FakeServer;

const MISSING: (u16, &str) = (
    400,
    r#"{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}"#,
);

fn page(events: &[(i64, &str, &str)], next: Option<&str>) -> String {
    let events: Vec<_> = events
        .iter()
        .map(|(at, id, text)| {
            json!({"timestamp": at, "eventId": id, "message": text, "logStreamName": "main/i-1"})
        })
        .collect();
    json!({"events": events, "nextToken": next}).to_string()
}

fn source() -> Source {
    Source::new(&"chat".parse().unwrap(), Streams::All, 5)
}

#[test]
fn spans_have_a_number_and_a_unit() {
    for (text, millis) in
        [("30s", 30_000), ("10m", 600_000), ("3h", 10_800_000), ("7d", 604_800_000)]
    {
        assert_eq!(text.parse(), Ok(Span { millis }));
    }
    for bad in ["", "10", "m", "-1m", "1.5h", "1w", "99999999999d", "1 m"] {
        assert!(bad.parse::<Span>().is_err(), "{bad}");
    }
}

#[tokio::test]
async fn every_event_is_shown_once_over_pages_and_polls() {
    let pages = [
        page(&[(5, "a", "one"), (7, "b", "two")], Some("t")),
        page(&[(7, "c", "three")], None),
        page(&[(7, "b", "two"), (7, "c", "three"), (7, "d", "four"), (8, "e", "five")], None),
        page(&[(8, "e", "five")], None),
    ];
    let answers: Vec<_> = pages.iter().map(|page| (200, page.as_str())).collect();
    let server = FakeServer::answering(&answers).await;
    let client = Client::new(server.target());
    let (output, data, _) = Output::in_memory(false);
    let mut source = source();
    let mut counts = Vec::new();
    for _ in 0..3 {
        counts.push(source.show(&client, &output).await.unwrap());
    }
    assert_eq!(counts, [3, 2, 0]);
    let text = data.text();
    let words: Vec<_> = text.lines().filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(words, ["one", "two", "three", "four", "five"]);
    let starts: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| serde_json::from_str::<serde_json::Value>(&asked.body).unwrap())
        .map(|body| body["startTime"].as_i64().unwrap())
        .collect();
    assert_eq!(starts, [5, 5, 7, 8]);
}

#[tokio::test]
async fn an_endpoint_without_logs_is_told_from_none() {
    let refused = r#"{"__type":"ValidationException","message":"Could not find endpoint \"x\"."}"#;
    let server = FakeServer::answering(&[MISSING, (400, refused)]).await;
    let (output, ..) = Output::in_memory(false);
    let error = source().show(&Client::new(server.target()), &output).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(server.operations(), ["FilterLogEvents", "DescribeEndpoint"]);
}

#[tokio::test]
async fn a_server_that_is_gone_is_waited_for() {
    let server = FakeServer::answering(&[]).await;
    let gone = Client::new(server.stop().await);
    let found = page(&[(6, "a", "back")], None);
    let denied = (400, r#"{"__type":"AccessDeniedException","message":"no"}"#);
    let back = FakeServer::answering(&[(200, &found), denied]).await;
    let (output, data, notes) = Output::in_memory(false);
    let find = || Ok(Client::new(back.target()));
    let error = follow(gone, &mut source(), find, &output).await.unwrap_err();
    assert!(error.to_string().contains("AccessDeniedException"), "{error}");
    assert!(data.text().ends_with("main/i-1 back\n"));
    assert!(notes.text().ends_with("; waiting for it\n"), "{}", notes.text());
}

#[tokio::test]
async fn an_instance_is_found_whatever_its_variant() {
    let streams = json!({"logStreams": [{"logStreamName": "a/i-1"}, {"logStreamName": "b/i-2"}]});
    let streams = streams.to_string();
    let server = FakeServer::answering(&[(200, &streams), (200, &streams)]).await;
    let client = Client::new(server.target());
    let chat = "chat".parse().unwrap();
    assert_eq!(source::stream_of(&client, &chat, "i-2").await.unwrap(), "b/i-2");
    let error = source::stream_of(&client, &chat, "i-3").await.unwrap_err().to_string();
    assert_eq!(error, "chat has no log of an instance i-3; there is b/i-2");
}
