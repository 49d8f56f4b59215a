//! What is asked of CloudWatch for each kind of policy.

use std::sync::Mutex;
use std::time::Duration;

use domain::safe_update::{Reading, Saved, SavedPolicy, SavedTarget};
use domain::time::Timestamp;
use serde_json::{Value, json};
use wire::{Document, Service};

use super::fake::wait_for;
use crate::wants::readings;
use crate::{Fault, Remote};

/// Answers every `GetMetricData` with the same, and notes what was asked.
struct Metrics {
    asked: Mutex<Vec<Value>>,
    answer: Result<Value, Fault>,
}

impl Remote for Metrics {
    async fn call(
        &self,
        service: &'static Service,
        operation: &'static str,
        input: &Document,
    ) -> Result<Document, Fault> {
        let model = service.operation(operation).unwrap();
        self.asked.lock().unwrap().push(input.to_json(model.input.unwrap()));
        let answer = self.answer.clone()?;
        Ok(Document::from_json(model.output.unwrap(), &answer).unwrap())
    }

    async fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    async fn pause(&self, _: Duration) {}
}

fn seen(plan: &Value) -> Saved {
    let policy = json!({"TargetTrackingScalingPolicyConfiguration": plan});
    Saved {
        targets: vec![SavedTarget {
            variant: "web".parse().unwrap(),
            dimension: "sagemaker:variant:DesiredInstanceCount".to_owned(),
            arn: None,
            target: json!({"ResourceId": "endpoint/e/variant/web"}),
            tags: std::collections::BTreeMap::new(),
            policies: vec![SavedPolicy { name: "tide".to_owned(), arn: "arn".to_owned(), policy }],
            scheduled_actions: std::collections::BTreeMap::new(),
            as_of: Timestamp::default(),
        }],
        alarms: Vec::new(),
    }
}

/// What was asked, and what was read.
fn asked(plan: &Value, answer: Result<Value, Fault>) -> (Vec<Value>, Vec<Reading>) {
    let metrics = Metrics { asked: Mutex::default(), answer };
    // Half a minute after an edge of the minutes.
    let now = Timestamp::from_millis(1_780_000_050_000);
    let readings = wait_for(readings(&metrics, &seen(plan), now));
    (metrics.asked.into_inner().unwrap(), readings.into_values().flatten().collect())
}

fn answer() -> Value {
    json!({"MetricDataResults": [{"Id": "m1", "Values": [84.0, 70.0]}]})
}

#[test]
fn each_kind_of_policy_is_asked_for_by_its_metric() {
    let of_variant = |metric: &str, statistic: &str| {
        json!([{"Id": "m1", "MetricStat": {
            "Metric": {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": [
                {"Name": "EndpointName", "Value": "e"}, {"Name": "VariantName", "Value": "web"}]},
            "Period": 60, "Stat": statistic}}])
    };
    let predefined =
        |kind: &str| json!({"PredefinedMetricSpecification": {"PredefinedMetricType": kind}});
    let custom = json!({"CustomizedMetricSpecification": {"Namespace": "N", "MetricName": "M", "Statistic": "Average",
                        "Dimensions": [{"Name": "D", "Value": "V"}], "Unit": "Percent"}});
    let math = json!({"CustomizedMetricSpecification": {"Metrics": [
        {"Id": "a", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "M"}, "Stat": "Sum"}, "ReturnData": false},
        {"Id": "b", "Expression": "a / 2"}]}});
    // `reference/autoscaling-and-cloudwatch.md`, section 2.1.
    let table = [
        (
            predefined("SageMakerVariantInvocationsPerInstance"),
            of_variant("InvocationsPerInstance", "Sum"),
        ),
        (
            predefined("SageMakerVariantConcurrentRequestsPerModelHighResolution"),
            of_variant("ConcurrentRequestsPerModel", "Maximum"),
        ),
        (
            custom,
            json!([{"Id": "m1", "MetricStat": {
                "Metric": {"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "D", "Value": "V"}]},
                "Period": 60, "Stat": "Average", "Unit": "Percent"}}]),
        ),
        (
            math,
            json!([
                {"Id": "a", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "M"}, "Stat": "Sum",
                                           "Period": 60}, "ReturnData": false},
                {"Id": "b", "Expression": "a / 2", "Period": 60}]),
        ),
    ];
    for (mut plan, queries) in table {
        plan["TargetValue"] = 70.into();
        let (asked, readings) = asked(&plan, Ok(answer()));
        assert_eq!(asked[0]["MetricDataQueries"], queries);
        assert_eq!(readings, [Reading { target: 70.0, datapoints: vec![84.0, 70.0] }]);
        // The last minute that is over, and four before it.
        assert_eq!(
            (&asked[0]["StartTime"], &asked[0]["EndTime"]),
            (&json!(1_779_999_720.0), &json!(1_780_000_020.0))
        );
    }
}

#[test]
fn what_cannot_be_read_is_no_wish() {
    let plan = json!({"TargetValue": 70, "PredefinedMetricSpecification":
                      {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}});
    let refused =
        Fault::Refused { code: "AccessDenied".to_owned(), message: String::new(), status: 403 };
    let empty = json!({"MetricDataResults": [{"Id": "m1", "Values": []}]});
    for answer in [Err(refused), Err(Fault::Lost(String::new())), Ok(json!({})), Ok(empty)] {
        assert_eq!(asked(&plan, answer), (asked(&plan, Ok(json!({}))).0, Vec::new()));
    }
    // Neither is a metric that is not known here, nor step scaling, which has no target.
    let mut other = plan;
    other["PredefinedMetricSpecification"]["PredefinedMetricType"] = "Tomorrows".into();
    for plan in [other, Value::Null] {
        assert_eq!(asked(&plan, Ok(answer())), (Vec::new(), Vec::new()));
    }
}
