//! Metrics in and out.

use serde_json::{Value, json};

use super::speak::Spoken;
use super::{START_SECS, World, but};

fn statistics(name: &str, changes: Value) -> Value {
    let whole = json!({"Namespace": "App", "MetricName": name, "StartTime": START_SECS, "EndTime": START_SECS + 600,
                       "Period": 60});
    but(whole, changes)
}

fn stat(id: &str, name: &str, stat: &str) -> Value {
    json!({"Id": id, "MetricStat": {"Metric": {"Namespace": "App", "MetricName": name}, "Period": 60, "Stat": stat}})
}

fn query(queries: &Value) -> Value {
    json!({"StartTime": START_SECS, "EndTime": START_SECS + 600, "MetricDataQueries": queries})
}

#[tokio::test]
async fn every_protocol_puts_and_reads_the_same() {
    for spoken in Spoken::ALL {
        let world = World::new();
        let data = json!({"Namespace": "App", "MetricData": [
            {"MetricName": "Load", "Timestamp": START_SECS + 5, "Values": [1.5, 2.5], "Counts": [3, 1], "Unit": "Count",
             "Dimensions": [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}]},
            {"MetricName": "Set", "Values": [], "Counts": [], "StatisticValues": {"Sum": 10, "SampleCount": 4, "Minimum": 1, "Maximum": 5}},
        ]});
        let answer = world.ask(spoken, "PutMetricData", &data).await;
        assert_eq!(answer.status, 200, "{spoken:?} {answer:?}");
        let wanted = statistics(
            "Load",
            json!({"Statistics": ["Sum", "Average", "SampleCount"], "ExtendedStatistics": ["p50.0"],
            "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]}),
        );
        let shown = world.good("GetMetricStatistics", wanted.clone()).await;
        let point = json!({"Timestamp": START_SECS, "Sum": 7.0, "Average": 1.75, "SampleCount": 4.0, "Unit": "Count",
                           "ExtendedStatistics": {"p50.0": 1.5}});
        assert_eq!(shown["Label"], "Load");
        assert_eq!(with_seconds(&shown["Datapoints"][0]), point, "{spoken:?}");
        let answer = world.ask(spoken, "GetMetricStatistics", &wanted).await;
        let [label, extended] = ["Load", "p50.0"].map(|text| answer.body.contains(text));
        assert!(answer.status == 200 && label && extended, "{answer:?}");
        let listed = world.good("ListMetrics", json!({"Dimensions": [{"Name": "b"}]})).await;
        assert_eq!(
            listed["Metrics"],
            json!([{"Namespace": "App", "MetricName": "Load",
            "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]}])
        );
    }
}

/// Whole seconds as integers.
#[expect(clippy::cast_possible_truncation, reason = "seconds of this century")]
fn with_seconds(point: &Value) -> Value {
    let secs = point["Timestamp"].as_f64().unwrap() as i64;
    but(point.clone(), json!({"Timestamp": secs}))
}

#[tokio::test]
async fn percentiles_of_statistic_sets_are_not_known() {
    let world = World::new();
    let set = json!({"Sum": 10, "SampleCount": 4, "Minimum": 1, "Maximum": 5});
    let data = json!([{"MetricName": "Set", "StatisticValues": set}]);
    world.good("PutMetricData", json!({"Namespace": "App", "MetricData": data})).await;
    let only = statistics("Set", json!({"ExtendedStatistics": ["p90"]}));
    assert_eq!(world.good("GetMetricStatistics", only).await["Datapoints"], json!([]));
    let both = statistics("Set", json!({"ExtendedStatistics": ["p90"], "Statistics": ["Maximum"]}));
    let shown = world.good("GetMetricStatistics", both).await;
    assert_eq!(
        (&shown["Datapoints"][0]["Maximum"], shown["Datapoints"][0].get("ExtendedStatistics")),
        (&json!(5.0), None)
    );
}

#[tokio::test]
async fn math_is_evaluated_and_results_keep_their_order() {
    let world = World::new();
    world.put("Backlog", &[(0, 12.0), (60, 30.0), (180, 8.0)]).await;
    world.put("Workers", &[(0, 3.0), (60, 0.0), (120, 5.0), (180, 2.0)]).await;
    let queries = json!([
        {"Id": "each", "Expression": "b / w", "Label": "Backlog per worker"},
        but(stat("b", "Backlog", "Sum"), json!({"ReturnData": false})),
        stat("w", "Workers", "Average"),
        stat("nothing", "Missing", "Sum"),
    ]);
    let input = but(query(&queries), json!({"ScanBy": "TimestampAscending"}));
    let shown = world.good("GetMetricData", input.clone()).await;
    let results = shown["MetricDataResults"].as_array().unwrap();
    let ids: Vec<&str> = results.iter().map(|one| one["Id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["each", "w", "nothing"]);
    // Division by zero and a missing operand drop the point.
    assert_eq!(results[0]["Values"], json!([4.0, 4.0]));
    assert_eq!(
        (&results[0]["Label"], &results[1]["Label"]),
        (&json!("Backlog per worker"), &json!("Workers"))
    );
    assert_eq!(
        (&results[2]["Values"], &results[2]["StatusCode"]),
        (&json!([]), &json!("Complete"))
    );
    assert!(shown.get("NextToken").is_none());
    for spoken in [Spoken::Query, Spoken::Cbor] {
        let answer = world.ask(spoken, "GetMetricData", &input).await;
        assert!(answer.status == 200 && answer.body.contains("Backlog per worker"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_metric_in_several_units_has_a_message_and_no_points() {
    let world = World::new();
    for unit in ["Seconds", "Milliseconds"] {
        let data = json!([{"MetricName": "Mixed", "Value": 1, "Unit": unit}]);
        world.good("PutMetricData", json!({"Namespace": "App", "MetricData": data})).await;
    }
    let shown = world.good("GetMetricData", query(&json!([stat("m", "Mixed", "Sum")]))).await;
    let result = &shown["MetricDataResults"][0];
    assert_eq!(result["Values"], json!([]));
    let message = json!([{"Code": "MultipleUnits", "Value": "Multiple units returned: '[Milliseconds, Seconds]'"}]);
    assert_eq!(result["Messages"], message);
    let both = world
        .good("GetMetricStatistics", statistics("Mixed", json!({"Statistics": ["Sum"]})))
        .await;
    assert_eq!(both["Datapoints"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn pages_of_datapoints_join_to_the_whole() {
    let world = World::new();
    for name in ["a", "b"] {
        let values: Vec<(i64, f64)> =
            (0..7).map(|minute| (i64::from(minute) * 60, f64::from(minute))).collect();
        world.put(name, &values).await;
    }
    let whole = query(&json!([stat("a", "a", "Sum"), stat("b", "b", "Sum")]));
    let mut input = but(whole.clone(), json!({"MaxDatapoints": 3}));
    let (mut found, mut pages) = (vec![Vec::new(), Vec::new()], 0);
    loop {
        let page = world.good("GetMetricData", input.clone()).await;
        for result in page["MetricDataResults"].as_array().unwrap() {
            let own = usize::from(result["Id"] == "b");
            found[own].extend(result["Values"].as_array().unwrap().clone());
        }
        pages += 1;
        let Some(token) = page.get("NextToken") else { break };
        input = but(input, json!({"NextToken": token}));
    }
    assert_eq!(pages, 5);
    let whole = world.good("GetMetricData", whole).await;
    for (own, result) in found.iter().zip(whole["MetricDataResults"].as_array().unwrap()) {
        assert_eq!(&json!(own), &result["Values"]);
        assert_eq!(own.first(), Some(&json!(6.0)));
    }
}

#[tokio::test]
async fn metrics_are_listed_in_pages_as_long_as_they_are_alive() {
    let world = World::new();
    for first in [0, 600] {
        let data: Vec<Value> = (first..first + 600)
            .map(|n| json!({"MetricName": format!("m{n:04}"), "Value": 1}))
            .collect();
        world.good("PutMetricData", json!({"Namespace": "App", "MetricData": data})).await;
    }
    let (mut input, mut names) = (json!({}), Vec::new());
    loop {
        let page = world.good("ListMetrics", input).await;
        let shown = page["Metrics"].as_array().unwrap();
        assert!(shown.len() <= 500);
        names.extend(shown.iter().map(|metric| metric["MetricName"].as_str().unwrap().to_owned()));
        let Some(token) = page.get("NextToken") else { break };
        input = json!({"NextToken": token});
    }
    let all: Vec<String> = (0..1200).map(|n| format!("m{n:04}")).collect();
    assert_eq!(names, all);
    let count = async |input: Value| {
        world.good("ListMetrics", input).await["Metrics"].as_array().unwrap().len()
    };
    assert_eq!(count(json!({"MetricName": "m0007"})).await, 1);
    assert_eq!(count(json!({"Namespace": "Other"})).await, 0);
    assert_eq!(count(json!({"OwningAccount": "111111111111"})).await, 0);
    world.advance(4 * 3600);
    assert_eq!(count(json!({"RecentlyActive": "PT3H"})).await, 0);
    assert_eq!(count(json!({})).await, 500);
    world.advance(14 * 86_400);
    assert_eq!(count(json!({})).await, 0);
}

#[tokio::test]
async fn times_beyond_every_calendar_are_answered() {
    let world = World::new();
    world.put("m", &[(0, 1.0)]).await;
    let edges = [-9.2e15, -1e12, -1.0, 0.0, 1e12, 9.2e15].map(Value::from);
    let queries = json!([stat("a", "m", "Sum"), {"Id": "e", "Expression": "FILL(a, 0)"}]);
    for from in &edges {
        for to in &edges {
            let range = json!({"StartTime": from, "EndTime": to});
            for (operation, input) in [
                ("GetMetricStatistics", statistics("m", json!({"Statistics": ["Sum"]}))),
                ("GetMetricData", query(&queries)),
                ("GetMetricData", query(&json!([stat("a", "m", "p90")]))),
            ] {
                let answer = world.ask(Spoken::Json, operation, &but(input, range.clone())).await;
                assert!(matches!(answer.status, 200 | 400), "{operation} {range} {answer:?}");
            }
        }
        let datum = json!([{"MetricName": "m", "Value": 1, "Timestamp": from}]);
        let put = json!({"Namespace": "App", "MetricData": datum});
        assert_eq!(world.ask(Spoken::Json, "PutMetricData", &put).await.status, 400, "{from}");
        let asked = json!({"StartDate": from, "EndDate": from});
        let answer = world.ask(Spoken::Json, "DescribeAlarmHistory", &asked).await;
        assert!(matches!(answer.status, 200 | 400), "{answer:?}");
    }
}
