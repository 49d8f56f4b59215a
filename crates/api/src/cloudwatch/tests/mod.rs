//! Operations through the wire, in each of the three protocols: what comes back, what is left behind, and AWS's words
//! where something does not go.

mod alarms;
mod data;
mod history;
mod refusals;
mod speak;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::time::{Clock, Timestamp};
use serde_json::{Value, json};
use wire::cloudwatch::SERVICE;

use crate::{Context, testing};
use speak::{Answer, Spoken};

/// 2026-01-01T00:00:00Z.
const START_SECS: i64 = 1_767_225_600;

/// A clock that stands still until it is moved.
#[derive(Debug)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }
}

struct World {
    cx: Context,
    hands: Arc<Hands>,
}

impl World {
    fn new() -> Self {
        let hands = Arc::new(Hands(AtomicI64::new(START_SECS * 1000)));
        let clock: Arc<dyn Clock> = Arc::<Hands>::clone(&hands);
        let cx = testing::context(clock);
        Self { cx, hands }
    }

    fn advance(&self, secs: i64) {
        self.hands.0.fetch_add(secs * 1000, Ordering::Relaxed);
    }

    async fn ask(&self, spoken: Spoken, operation: &str, input: &Value) -> Answer {
        let (parts, body) = spoken.request(operation, input);
        let response = match wire::route(&SERVICE, &parts, &body) {
            Ok(call) => crate::serve(&self.cx, &call, "id").await,
            Err(rejection) => rejection.respond("id"),
        };
        spoken.answer(&response)
    }

    async fn good(&self, operation: &str, input: Value) -> Value {
        let answer = self.ask(Spoken::Json, operation, &input).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
        if answer.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&answer.body).unwrap()
        }
    }

    async fn put(&self, name: &str, values: &[(i64, f64)]) {
        let datum = |(at, value): &(i64, f64)| json!({"MetricName": name, "Timestamp": START_SECS + at, "Value": value});
        let data: Vec<Value> = values.iter().map(datum).collect();
        self.good("PutMetricData", json!({"Namespace": "App", "MetricData": data})).await;
    }
}

/// A minimal alarm.
fn alarm(name: &str) -> Value {
    json!({"AlarmName": name, "MetricName": "Load", "Namespace": "App", "Statistic": "Average", "Period": 60,
           "EvaluationPeriods": 3, "Threshold": 1.5, "ComparisonOperator": "GreaterThanThreshold"})
}

/// An object with some members replaced, or taken out by null.
fn but(mut object: Value, changes: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    let Value::Object(changes) = changes else { panic!("not an object") };
    for (name, value) in changes {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    object
}
