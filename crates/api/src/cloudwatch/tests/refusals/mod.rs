//! What is refused, in each protocol: status, awsQuery's code, and the text. Rows follow
//! `reference/autoscaling-and-cloudwatch.md`, sections 6.1 to 6.3.

mod alarms;
mod data;
mod reads;

use serde_json::{Value, json};

use super::speak::Spoken;
use super::{World, alarm, but};

/// Operation, input, status, code, and what the text says.
type Row = (&'static str, Value, u16, &'static str, &'static str);

async fn check(rows: Vec<Row>) {
    let world = World::new();
    world.good("PutMetricAlarm", alarm("there")).await;
    for (operation, input, status, code, text) in rows {
        for spoken in Spoken::ALL {
            let answer = world.ask(spoken, operation, &input).await;
            let context = format!("{operation} {spoken:?} {text}: {answer:?}");
            assert_eq!((answer.status, answer.code.as_str()), (status, code), "{context}");
            let body = answer.body.replace("\\n", "\n").replace("\\\"", "\"");
            assert!(body.contains(text), "{context}");
        }
    }
    // Nothing is left behind.
    assert_eq!(world.good("ListMetrics", json!({})).await["Metrics"], json!([]));
    let alarms = world.good("DescribeAlarms", json!({})).await;
    assert_eq!(alarms["MetricAlarms"].as_array().unwrap().len(), 1);
    let history = world.good("DescribeAlarmHistory", json!({})).await;
    assert_eq!(history["AlarmHistoryItems"].as_array().unwrap().len(), 1);
}

fn stat(id: &str, changes: Value) -> Value {
    let metric = json!({"Namespace": "App", "MetricName": "m"});
    json!({"Id": id, "MetricStat": but(json!({"Metric": metric, "Period": 60, "Stat": "Sum"}), changes)})
}
