//! Operations through the wire: what comes back, and AWS's words where something does not go.

use std::sync::Arc;

use ::logs::{Bounds, Logs, Output};
use bytes::Bytes;
use domain::instance::{DeploymentId, FleetId, InstanceId};
use domain::time::{Clock, Timestamp};
use http::Request;
use serde_json::{Value, json};

use crate::{Context, testing};

const GROUP: &str = "/aws/sagemaker/Endpoints/Chat";

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_767_225_600_000)
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }
}

struct World {
    cx: Context,
    _root: tempfile::TempDir,
}

/// Says `lines` on instances 1 and 2 of the variant `main`, alternating, a millisecond apart from 1000 on.
async fn world(lines: &[&str]) -> World {
    let root = tempfile::tempdir().unwrap();
    let logs = Logs::open(root.path().to_owned(), Bounds::DEFAULT).unwrap();
    let fleet = |endpoint: &str| FleetId {
        endpoint: endpoint.parse().unwrap(),
        deployment: DeploymentId(1),
        variant: "main".parse().unwrap(),
    };
    let at = Timestamp::from_millis(1000);
    let log = |number| logs.log(&fleet("Chat"), &InstanceId::from_entropy(number), at);
    let writers = [log(1), log(2)];
    for ((line, writer), millis) in lines.iter().zip(writers.iter().cycle()).zip(1000..) {
        writer.append(Timestamp::from_millis(millis), Output::Out, line.as_bytes().to_vec());
    }
    logs.log(&fleet("silent"), &InstanceId::from_entropy(3), at).flush().await;
    let cx = Context { logs: Arc::new(logs), ..testing::context(Arc::new(Still)) };
    World { cx, _root: root }
}

impl World {
    async fn call(&self, operation: &str, input: Value) -> (u16, Value) {
        let request = Request::post("/")
            .header("x-amz-target", format!("Logs_20140328.{operation}"))
            .header("content-type", "application/x-amz-json-1.1")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let response =
            match wire::route(&wire::logs::SERVICE, &parts, &Bytes::from(input.to_string())) {
                Ok(call) => crate::serve(&self.cx, &call, "id").await,
                Err(rejection) => rejection.respond("id"),
            };
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    async fn good(&self, operation: &str, input: Value) -> Value {
        let (status, body) = self.call(operation, input).await;
        assert_eq!(status, 200, "{operation}: {body}");
        body
    }

    async fn bad(&self, operation: &str, input: Value) -> String {
        let (status, body) = self.call(operation, input).await;
        assert_eq!(status, 400, "{operation}: {body}");
        let text = body["message"].as_str().or_else(|| body["Message"].as_str()).unwrap();
        format!("{}: {text}", body["__type"].as_str().unwrap())
    }
}

fn texts(page: &Value) -> Vec<&str> {
    page["events"].as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap()).collect()
}

fn stream(number: u128) -> String {
    format!("main/{}", InstanceId::from_entropy(number))
}

#[tokio::test]
async fn groups_are_listed_with_filters_and_pages() {
    let world = world(&["a", "b"]).await;
    let all = world.good("DescribeLogGroups", json!({})).await;
    let names: Vec<_> =
        all["logGroups"].as_array().unwrap().iter().map(|one| &one["logGroupName"]).collect();
    assert_eq!(names, [GROUP, "/aws/sagemaker/Endpoints/silent"]);
    let arn = format!("arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}");
    assert_eq!(
        all["logGroups"][0],
        json!({
            "logGroupName": GROUP, "creationTime": 1000, "metricFilterCount": 0, "arn": format!("{arn}:*"),
            "storedBytes": 22, "logGroupClass": "STANDARD", "logGroupArn": arn,
        })
    );
    let first = world.good("DescribeLogGroups", json!({"limit": 1})).await;
    let next =
        world.good("DescribeLogGroups", json!({"limit": 1, "nextToken": first["nextToken"]})).await;
    assert_eq!(next["logGroups"][0]["logGroupName"], "/aws/sagemaker/Endpoints/silent");
    assert_eq!(next["nextToken"], Value::Null);
    for (filter, count) in [
        (json!({"logGroupNamePrefix": "/aws/sagemaker"}), 2),
        (json!({"logGroupNamePrefix": "/aws/lambda"}), 0),
        (json!({"logGroupNamePattern": "Chat"}), 1),
        (json!({"logGroupNamePattern": "chat"}), 0),
        (json!({"logGroupClass": "INFREQUENT_ACCESS"}), 0),
        (json!({"logGroupIdentifiers": [arn]}), 1),
        (json!({"includeLinkedAccounts": true, "accountIdentifiers": ["111111111111"]}), 0),
    ] {
        let found = world.good("DescribeLogGroups", filter.clone()).await;
        assert_eq!(found["logGroups"].as_array().unwrap().len(), count, "{filter}");
    }
    let both = json!({"logGroupNamePrefix": "a", "logGroupNamePattern": "a"});
    assert!(world.bad("DescribeLogGroups", both).await.starts_with("InvalidParameterException: "));
}

#[tokio::test]
async fn streams_are_listed_by_name_and_by_time() {
    let world = world(&["a", "b", "c"]).await;
    let names = |answer: &Value| -> Vec<String> {
        let streams = answer["logStreams"].as_array().unwrap().iter();
        streams.map(|one| one["logStreamName"].as_str().unwrap().to_owned()).collect()
    };
    let ask = |more: Value| {
        let mut input = json!({"logGroupName": GROUP});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    for (more, wanted) in [
        (json!({}), vec![1, 2]),
        (json!({"descending": true}), vec![2, 1]),
        (json!({"orderBy": "LastEventTime"}), vec![2, 1]),
        (json!({"orderBy": "LastEventTime", "descending": true}), vec![1, 2]),
        (json!({"logStreamNamePrefix": stream(2)}), vec![2]),
        (json!({"logStreamNamePrefix": "other"}), vec![]),
    ] {
        let wanted: Vec<_> = wanted.into_iter().map(stream).collect();
        assert_eq!(
            names(&world.good("DescribeLogStreams", ask(more.clone())).await),
            wanted,
            "{more}"
        );
        let (mut found, mut input) = (Vec::new(), ask(more));
        input["limit"] = json!(1);
        for _ in 0..3 {
            let page = world.good("DescribeLogStreams", input.clone()).await;
            found.extend(names(&page));
            input["nextToken"] = page["nextToken"].clone();
            if page["nextToken"].is_null() {
                break;
            }
        }
        assert_eq!(found, wanted);
    }
    let first = world.good("DescribeLogStreams", ask(json!({}))).await;
    assert_eq!(
        (
            &first["logStreams"][0]["firstEventTimestamp"],
            &first["logStreams"][0]["lastEventTimestamp"]
        ),
        (&json!(1000), &json!(1002))
    );
    let silent = json!({"logGroupName": "/aws/sagemaker/Endpoints/silent"});
    let silent = world.good("DescribeLogStreams", silent).await;
    assert_eq!(silent["logStreams"][0]["lastEventTimestamp"], Value::Null);
    let refused = world
        .bad(
            "DescribeLogStreams",
            ask(json!({"orderBy": "LastEventTime", "logStreamNamePrefix": "a"})),
        )
        .await;
    assert_eq!(
        refused,
        "InvalidParameterException: Cannot order by LastEventTime with a logStreamNamePrefix."
    );
}

#[tokio::test]
async fn a_stream_is_paged_both_ways_until_the_token_repeats() {
    let world = world(&["a", "-", "b", "-", "c", "-", "d", "-", "e"]).await;
    let ask = |more: Value| {
        let mut input = json!({"logGroupName": GROUP, "logStreamName": stream(1)});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let newest = world.good("GetLogEvents", ask(json!({"limit": 2}))).await;
    assert_eq!(texts(&newest), ["d", "e"]);
    let back = &newest["nextBackwardToken"];
    let before = world.good("GetLogEvents", ask(json!({"limit": 2, "nextToken": back}))).await;
    assert_eq!(texts(&before), ["b", "c"]);
    let forward = json!({"nextToken": before["nextForwardToken"]});
    assert_eq!(texts(&world.good("GetLogEvents", ask(forward)).await), ["d", "e"]);
    let end = newest["nextForwardToken"].clone();
    let last = world.good("GetLogEvents", ask(json!({"nextToken": end}))).await;
    assert_eq!((texts(&last), &last["nextForwardToken"]), (vec![], &end));
    let head = world.good("GetLogEvents", ask(json!({"limit": 2, "startFromHead": true}))).await;
    assert_eq!(texts(&head), ["a", "b"]);
    let start = head["nextBackwardToken"].clone();
    let first = world.good("GetLogEvents", ask(json!({"nextToken": start}))).await;
    assert_eq!((texts(&first), &first["nextBackwardToken"]), (vec![], &start));
    // The start belongs to the range, the end does not.
    let range = json!({"startTime": 1002, "endTime": 1006});
    assert_eq!(texts(&world.good("GetLogEvents", ask(range)).await), ["b", "c"]);
    assert_eq!(
        world.bad("GetLogEvents", ask(json!({"nextToken": "f/12"}))).await,
        "InvalidParameterException: The specified nextToken is invalid."
    );
}

#[tokio::test]
async fn a_group_is_filtered_and_merged_by_time() {
    let world = world(&["ERROR a", "b", "c ERROR", "d", "e"]).await;
    let ask = |more: Value| {
        let mut input = json!({"logGroupIdentifier": GROUP});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    for (more, wanted) in [
        (json!({}), vec!["ERROR a", "b", "c ERROR", "d", "e"]),
        (json!({"startTime": 1001, "endTime": 1003}), vec!["b", "c ERROR", "d"]),
        (json!({"filterPattern": "ERROR"}), vec!["ERROR a", "c ERROR"]),
        (json!({"filterPattern": "-ERROR"}), vec!["b", "d", "e"]),
        (json!({"logStreamNames": [stream(2)]}), vec!["b", "d"]),
        (json!({"logStreamNamePrefix": "main/", "limit": 2}), vec!["ERROR a", "b"]),
        (json!({"startFromHead": false, "limit": 2}), vec!["e", "d"]),
    ] {
        let page = world.good("FilterLogEvents", ask(more.clone())).await;
        assert_eq!(texts(&page), wanted, "{more}");
        assert_eq!(page["searchedLogStreams"], json!([]));
        assert_eq!(page["nextToken"].is_null(), more.get("limit").is_none(), "{more}");
    }
    let (mut found, mut input) = (Vec::new(), ask(json!({"limit": 2})));
    loop {
        let page = world.good("FilterLogEvents", input.clone()).await;
        found.extend(texts(&page).into_iter().map(str::to_owned));
        input["nextToken"] = page["nextToken"].clone();
        if input["nextToken"].is_null() {
            break;
        }
    }
    assert_eq!(found, ["ERROR a", "b", "c ERROR", "d", "e"]);
    for (more, wanted) in [
        (json!({"filterPattern": "{ $.a = 1 }"}), "does not support JSON patterns"),
        (json!({"filterPattern": "a:b"}), "Invalid character(s) in term 'a:b'"),
        (json!({"nextToken": "zzz"}), "The specified nextToken is invalid."),
        (json!({"logStreamNamePrefix": "a", "logStreamNames": ["a"]}), "both"),
        (json!({"logGroupName": GROUP}), "but not both"),
        (json!({"startFromHead": false, "startTime": 1}), "Jan 1, 2024"),
    ] {
        let refused = world.bad("FilterLogEvents", ask(more.clone())).await;
        assert!(refused.starts_with("InvalidParameterException: "), "{refused}");
        assert!(refused.contains(wanted), "{more}: {refused}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_told_in_the_words_of_aws() {
    let world = world(&["a"]).await;
    let no_group = "ResourceNotFoundException: The specified log group does not exist.";
    let no_stream = "ResourceNotFoundException: The specified log stream does not exist.";
    for group in ["/aws/sagemaker/Endpoints/chat", "/aws/lambda/f", "Chat"] {
        for operation in ["DescribeLogStreams", "GetLogEvents", "FilterLogEvents"] {
            let input = json!({"logGroupName": group, "logStreamName": "a"});
            assert_eq!(world.bad(operation, input).await, no_group, "{operation} {group}");
        }
    }
    let input = json!({"logGroupName": GROUP, "logStreamName": "main/i-0"});
    assert_eq!(world.bad("GetLogEvents", input).await, no_stream);
    let input = json!({"logGroupName": GROUP, "logStreamNames": [stream(1), "main/i-0"]});
    assert_eq!(world.bad("FilterLogEvents", input).await, no_stream);
    let neither = world.bad("GetLogEvents", json!({"logStreamName": "a"})).await;
    assert!(neither.starts_with("InvalidParameterException: "), "{neither}");
}
