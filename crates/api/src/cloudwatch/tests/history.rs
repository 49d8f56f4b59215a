//! What alarms leave behind.

use serde_json::{Value, json};

use super::speak::Spoken;
use super::{START_SECS, World, alarm, but};

async fn items(world: &World, input: Value) -> Vec<Value> {
    world.good("DescribeAlarmHistory", input).await["AlarmHistoryItems"].as_array().unwrap().clone()
}

fn summaries(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["HistorySummary"].as_str().unwrap()).collect()
}

/// One alarm's life, ten seconds between its events, and another's.
async fn lived() -> World {
    let world = World::new();
    world.good("PutMetricAlarm", alarm("a")).await;
    world.good("PutMetricAlarm", alarm("b")).await;
    let data = json!({"version": "1.0", "queryDate": "2026-01-01T00:00:10.000+0000"}).to_string();
    let set = |value: &str| json!({"AlarmName": "a", "StateValue": value, "StateReason": "r", "StateReasonData": data});
    for (operation, input) in [
        ("SetAlarmState", set("ALARM")),
        ("SetAlarmState", set("ALARM")),
        ("DisableAlarmActions", json!({"AlarmNames": ["a"]})),
        ("DisableAlarmActions", json!({"AlarmNames": ["a"]})),
        ("PutMetricAlarm", but(alarm("a"), json!({"Threshold": 2}))),
        ("DeleteAlarms", json!({"AlarmNames": ["a"]})),
    ] {
        world.advance(10);
        world.good(operation, input).await;
    }
    world
}

#[tokio::test]
async fn each_change_leaves_one_item_and_the_history_outlives_the_alarm() {
    let world = lived().await;
    let found = items(&world, json!({"AlarmName": "a", "ScanBy": "TimestampAscending"})).await;
    assert_eq!(
        summaries(&found),
        [
            "Alarm \"a\" created",
            "Alarm updated from INSUFFICIENT_DATA to ALARM",
            "Alarm \"a\" updated",
            "Alarm \"a\" updated",
            "Alarm \"a\" deleted",
        ]
    );
    let set = &found[1];
    assert_eq!(
        (&set["HistoryItemType"], &set["AlarmType"]),
        (&json!("StateUpdate"), &json!("MetricAlarm"))
    );
    let data: Value = serde_json::from_str(set["HistoryData"].as_str().unwrap()).unwrap();
    assert_eq!(data["oldState"]["stateValue"], "INSUFFICIENT_DATA");
    assert_eq!(data["newState"]["stateReasonData"]["version"], "1.0");
    let deleted: Value = serde_json::from_str(found[4]["HistoryData"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&deleted["type"], &deleted["deletedAlarm"]["alarmName"]),
        (&json!("Delete"), &json!("a"))
    );
    for spoken in [Spoken::Query, Spoken::Cbor] {
        let answer = world.ask(spoken, "DescribeAlarmHistory", &json!({"AlarmName": "a"})).await;
        assert!(
            answer.status == 200 && answer.body.contains("from INSUFFICIENT_DATA to ALARM"),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn items_are_found_by_alarm_kind_and_time_in_pages() {
    let world = lived().await;
    let count = async |input: Value| items(&world, input).await.len();
    assert_eq!(count(json!({})).await, 6);
    assert_eq!(count(json!({"AlarmName": "b"})).await, 1);
    assert_eq!(count(json!({"AlarmName": "nobody"})).await, 0);
    assert_eq!(count(json!({"HistoryItemType": "StateUpdate"})).await, 1);
    assert_eq!(count(json!({"HistoryItemType": "Action"})).await, 0);
    assert_eq!(count(json!({"AlarmTypes": ["CompositeAlarm"]})).await, 0);
    assert_eq!(count(json!({"StartDate": START_SECS + 10, "EndDate": START_SECS + 30})).await, 2);
    for (order, alarm) in [
        ("TimestampAscending", json!(null)),
        ("TimestampDescending", json!(null)),
        ("TimestampDescending", json!("a")),
    ] {
        let filter = but(json!({"ScanBy": order}), json!({"AlarmName": alarm}));
        let whole = items(&world, filter.clone()).await;
        let times: Vec<f64> =
            whole.iter().map(|item| item["Timestamp"].as_f64().unwrap()).collect();
        assert!(times.is_sorted_by(|one, next| if order == "TimestampAscending" {
            one <= next
        } else {
            one >= next
        }));
        let (mut input, mut found) = (but(filter, json!({"MaxRecords": 1})), Vec::new());
        loop {
            let page = world.good("DescribeAlarmHistory", input.clone()).await;
            found.extend(page["AlarmHistoryItems"].as_array().unwrap().clone());
            let Some(token) = page.get("NextToken") else { break };
            input = but(input, json!({"NextToken": token}));
        }
        assert_eq!(found, whole, "{order}");
    }
}
