//! Alarms: made, shown, found, set, switched, tagged, deleted.

use serde_json::{Value, json};

use super::speak::Spoken;
use super::{START_SECS, World, alarm, but};

async fn described(world: &World, input: Value) -> Vec<Value> {
    world.good("DescribeAlarms", input).await["MetricAlarms"].as_array().unwrap().clone()
}

fn names(alarms: &[Value]) -> Vec<&str> {
    alarms.iter().map(|alarm| alarm["AlarmName"].as_str().unwrap()).collect()
}

fn arn(name: &str) -> String {
    format!("arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}")
}

#[tokio::test]
async fn a_minimal_alarm_is_shown_with_its_defaults_and_nothing_else() {
    for spoken in Spoken::ALL {
        let world = World::new();
        assert_eq!(world.ask(spoken, "PutMetricAlarm", &alarm("high")).await.status, 200);
        let answer = world.good("DescribeAlarms", json!({})).await;
        #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
        let now = START_SECS as f64;
        let added = json!({
            "AlarmArn": arn("high"), "ActionsEnabled": true, "OKActions": [], "AlarmActions": [],
            "InsufficientDataActions": [], "Dimensions": [], "AlarmConfigurationUpdatedTimestamp": now,
            "StateUpdatedTimestamp": now, "StateTransitionedTimestamp": now, "StateValue": "INSUFFICIENT_DATA",
            "StateReason": "Unchecked: Initial alarm creation",
        });
        let shown: Value = serde_json::from_str(&answer.to_string()).unwrap();
        assert_eq!(
            rounded(&shown["MetricAlarms"][0]),
            rounded(&but(alarm("high"), added)),
            "{spoken:?}"
        );
        assert_eq!((&shown["CompositeAlarms"], &shown["LogAlarms"]), (&json!([]), &json!([])));
        let answer = world.ask(spoken, "DescribeAlarms", &json!({"AlarmNames": ["high"]})).await;
        assert!(answer.status == 200 && answer.body.contains(&arn("high")), "{answer:?}");
    }
}

/// Every number as a float: 60 and 60.0 are one to clients.
fn rounded(alarm: &Value) -> Value {
    let members = alarm.as_object().unwrap().iter();
    members
        .map(|(name, value)| {
            (name.clone(), value.as_f64().map_or_else(|| value.clone(), Value::from))
        })
        .collect()
}

#[tokio::test]
async fn everything_that_was_given_comes_back() {
    let world = World::new();
    let rich = but(
        alarm("rich"),
        json!({"AlarmDescription": "why", "ActionsEnabled": false, "OKActions": ["a"], "AlarmActions": ["b"],
               "InsufficientDataActions": ["c"], "Unit": "Count", "DatapointsToAlarm": 2, "TreatMissingData": "breaching",
               "Statistic": null, "ExtendedStatistic": "p99.9", "EvaluateLowSampleCountPercentile": "ignore",
               "Dimensions": [{"Name": "a", "Value": "1"}], "EvaluationInterval": 60,
               "WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 5}}),
    );
    let metric = json!({"Namespace": "App", "MetricName": "m", "Dimensions": []});
    let queries = json!([
        {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum", "Unit": "Count"}, "ReturnData": false},
        {"Id": "e", "Expression": "m * 2", "Label": "Twice", "Period": 60},
    ]);
    let math = but(
        alarm("math"),
        json!({"MetricName": null, "Namespace": null, "Statistic": null, "Period": null, "Metrics": queries}),
    );
    for given in [rich, math] {
        world.good("PutMetricAlarm", given.clone()).await;
        let shown = described(&world, json!({"AlarmNames": [given["AlarmName"]]})).await;
        for (name, value) in given.as_object().unwrap() {
            assert_eq!(&shown[0][name], value, "{name}");
        }
    }
}

#[tokio::test]
async fn configuring_keeps_state_and_tags_and_the_same_again_is_nothing() {
    let world = World::new();
    let tags = |value: &str| json!({"Tags": [{"Key": "team", "Value": value}]});
    world.good("PutMetricAlarm", but(alarm("a"), tags("one"))).await;
    world
        .good(
            "SetAlarmState",
            json!({"AlarmName": "a", "StateValue": "ALARM", "StateReason": "by hand"}),
        )
        .await;
    world.advance(60);
    world
        .good(
            "PutMetricAlarm",
            but(alarm("a"), json!({"Tags": tags("two")["Tags"], "Threshold": 3})),
        )
        .await;
    let shown = &described(&world, json!({})).await[0];
    assert_eq!((&shown["StateValue"], &shown["StateReason"]), (&json!("ALARM"), &json!("by hand")));
    assert_eq!(shown["Threshold"], 3.0);
    let listed = world.good("ListTagsForResource", json!({"ResourceARN": arn("a")})).await;
    assert_eq!(listed["Tags"], tags("one")["Tags"]);
    let before = world.cx.store.state();
    world.advance(60);
    world.good("PutMetricAlarm", but(alarm("a"), json!({"Threshold": 3}))).await;
    let after = world.cx.store.state();
    let [one, two] = [before, after].map(|state| state.alarms.get("a").unwrap().clone());
    assert_eq!(one, two);
}

#[tokio::test]
async fn alarms_are_found_by_name_prefix_state_and_action_in_pages() {
    let world = World::new();
    for number in 0..7 {
        let action = json!({"AlarmActions": [format!("arn:aws:autoscaling:x{}", number % 2)]});
        world.good("PutMetricAlarm", but(alarm(&format!("web-{number}")), action)).await;
    }
    world.good("PutMetricAlarm", alarm("other")).await;
    world
        .good("SetAlarmState", json!({"AlarmName": "web-3", "StateValue": "OK", "StateReason": ""}))
        .await;
    let rows = [
        (json!({"AlarmNames": ["web-5", "web-1", "nobody", "web-1"]}), vec!["web-1", "web-5"]),
        (json!({"AlarmNamePrefix": "oth"}), vec!["other"]),
        (json!({"AlarmNamePrefix": "oth", "AlarmNames": []}), vec!["other"]),
        (json!({"StateValue": "OK"}), vec!["web-3"]),
        (json!({"ActionPrefix": "arn:aws:autoscaling:x1"}), vec!["web-1", "web-3", "web-5"]),
        (json!({"AlarmTypes": ["CompositeAlarm"]}), vec![]),
        (
            json!({"AlarmTypes": ["CompositeAlarm", "MetricAlarm"], "AlarmNamePrefix": "o"}),
            vec!["other"],
        ),
        (json!({"ParentsOfAlarmName": "web-1"}), vec![]),
    ];
    for (input, expected) in rows {
        assert_eq!(names(&described(&world, input.clone()).await), expected, "{input}");
    }
    for filter in [
        json!({"AlarmNamePrefix": "web-"}),
        json!({"AlarmNames": ["web-2", "web-0", "web-4", "web-6"]}),
    ] {
        let whole = described(&world, filter.clone()).await;
        let (mut input, mut found) = (but(filter, json!({"MaxRecords": 2})), Vec::new());
        loop {
            let page = world.good("DescribeAlarms", input.clone()).await;
            let shown = page["MetricAlarms"].as_array().unwrap().clone();
            assert!((1..=2).contains(&shown.len()));
            found.extend(shown);
            let Some(token) = page.get("NextToken") else { break };
            input = but(input, json!({"NextToken": token}));
        }
        assert_eq!(names(&found), names(&whole));
    }
}

#[tokio::test]
async fn alarms_are_found_by_exactly_their_metric() {
    let world = World::new();
    let dimensions = json!([{"Name": "a", "Value": "1"}]);
    world.good("PutMetricAlarm", alarm("plain")).await;
    world
        .good(
            "PutMetricAlarm",
            but(alarm("with"), json!({"Dimensions": dimensions, "Unit": "Count"})),
        )
        .await;
    let metric = json!({"MetricName": "Load", "Namespace": "App"});
    let rows = [
        (json!({}), vec!["plain"]),
        (json!({"Dimensions": dimensions}), vec!["with"]),
        (
            json!({"Dimensions": dimensions, "Unit": "Count", "Period": 60, "Statistic": "Average"}),
            vec!["with"],
        ),
        (json!({"Dimensions": dimensions, "Unit": "Seconds"}), vec![]),
        (json!({"Period": 10}), vec![]),
        (json!({"Statistic": "Sum"}), vec![]),
        (json!({"ExtendedStatistic": "p90"}), vec![]),
        (json!({"MetricName": "Other"}), vec![]),
    ];
    for (more, expected) in rows {
        let found = world.good("DescribeAlarmsForMetric", but(metric.clone(), more.clone())).await;
        assert_eq!(names(found["MetricAlarms"].as_array().unwrap()), expected, "{more}");
    }
}

#[tokio::test]
async fn actions_are_switched_and_unknown_names_are_no_error() {
    for spoken in Spoken::ALL {
        let world = World::new();
        world.good("PutMetricAlarm", alarm("a")).await;
        for (operation, enabled) in [("DisableAlarmActions", false), ("EnableAlarmActions", true)] {
            let answer =
                world.ask(spoken, operation, &json!({"AlarmNames": ["a", "nobody"]})).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(described(&world, json!({})).await[0]["ActionsEnabled"], enabled);
        }
    }
}

#[tokio::test]
async fn tags_are_added_listed_taken_and_gone_with_the_alarm() {
    for spoken in Spoken::ALL {
        let world = World::new();
        world.good("PutMetricAlarm", alarm("a")).await;
        let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
        let all = json!({"ResourceARN": arn("a"), "Tags": [tag("k", "1"), tag("l", "2")]});
        assert_eq!(world.ask(spoken, "TagResource", &all).await.status, 200);
        let taken = json!({"ResourceARN": arn("a"), "TagKeys": ["k", "nothing"]});
        assert_eq!(world.ask(spoken, "UntagResource", &taken).await.status, 200);
        let listed = world.good("ListTagsForResource", json!({"ResourceARN": arn("a")})).await;
        assert_eq!(listed["Tags"], json!([tag("l", "2")]));
        let many: Vec<Value> = (0..50).map(|n| tag(&format!("n{n}"), "")).collect();
        let refused =
            world.ask(spoken, "TagResource", &json!({"ResourceARN": arn("a"), "Tags": many})).await;
        assert_eq!((refused.status, refused.code.as_str()), (400, "InvalidParameterValue"));
        let deleted =
            world.ask(spoken, "DeleteAlarms", &json!({"AlarmNames": ["a", "nobody"]})).await;
        assert_eq!(deleted.status, 200, "{deleted:?}");
        assert!(described(&world, json!({})).await.is_empty());
        world.good("PutMetricAlarm", alarm("a")).await;
        let listed = world.good("ListTagsForResource", json!({"ResourceARN": arn("a")})).await;
        assert_eq!(listed["Tags"], json!([]));
    }
}
