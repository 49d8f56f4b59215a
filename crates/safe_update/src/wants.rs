//! What the target tracking policies see: the latest datapoints of their metrics.
//!
//! A metric that cannot be read is left out: without it, counts return to what they were.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::name::VariantName;
use domain::safe_update::{Reading, Saved, SavedTarget};
use domain::time::Timestamp;
use serde_json::{Value, json};
use wire::cloudwatch;

use crate::Remote;
use crate::ask::call;

/// Seconds of one datapoint: the period of the policies' alarms (`reference/autoscaling-and-cloudwatch.md`, section 2.1).
/// High-resolution metrics are read by the minute too, which shows no less of a maximum.
const PERIOD_SECS: i64 = 60;

/// How far back datapoints are asked for: as many as a policy looks at, and two that may be late.
const WINDOW: Duration = Duration::from_mins(5);

/// By variant, one reading for each policy whose metric has datapoints.
pub(crate) async fn readings(
    remote: &impl Remote,
    seen: &Saved,
    now: Timestamp,
) -> BTreeMap<VariantName, Vec<Reading>> {
    let mut readings: BTreeMap<VariantName, Vec<Reading>> = BTreeMap::new();
    for target in &seen.targets {
        for policy in &target.policies {
            let plan = policy.policy.get("TargetTrackingScalingPolicyConfiguration");
            let Some(plan) = plan.filter(|plan| plan.is_object()) else { continue };
            let wanted = plan.get("TargetValue").and_then(Value::as_f64);
            let Some((wanted, queries)) = wanted.zip(queries(target, plan)) else { continue };
            let datapoints = datapoints(remote, &queries, now).await;
            if !datapoints.is_empty() {
                let reading = Reading { target: wanted, datapoints };
                readings.entry(target.variant.clone()).or_default().push(reading);
            }
        }
    }
    readings
}

/// Newest first; none where they cannot be read. The minute that is not over says too little.
async fn datapoints(remote: &impl Remote, queries: &Value, now: Timestamp) -> Vec<f64> {
    let end = now.as_millis().div_euclid(PERIOD_SECS * 1000) * PERIOD_SECS;
    let window = i64::try_from(WINDOW.as_secs()).unwrap_or(PERIOD_SECS);
    let input = json!({
        "MetricDataQueries": queries,
        "StartTime": end - window,
        "EndTime": end,
        "ScanBy": "TimestampDescending",
    });
    let answer = call(remote, &cloudwatch::SERVICE, "GetMetricData", &input).await;
    let values = answer.as_ref().ok().and_then(|it| it.pointer("/MetricDataResults/0/Values"));
    values.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// The metric that a policy follows, as `GetMetricData` asks for it.
fn queries(target: &SavedTarget, plan: &Value) -> Option<Value> {
    if let Some(predefined) = plan.get("PredefinedMetricSpecification") {
        let (metric, statistic) =
            predefined_metric(predefined.get("PredefinedMetricType")?.as_str()?)?;
        let id = target.target.get("ResourceId")?.as_str()?;
        let endpoint = id.strip_prefix("endpoint/")?.split('/').next()?;
        let dimensions = json!([
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": target.variant},
        ]);
        return Some(single("AWS/SageMaker", metric, statistic, &dimensions, None));
    }
    let custom = plan.get("CustomizedMetricSpecification")?;
    match custom.get("Metrics").and_then(Value::as_array).filter(|list| !list.is_empty()) {
        Some(queries) => Some(queries.iter().map(with_period).collect()),
        None => Some(single(
            custom.get("Namespace")?.as_str()?,
            custom.get("MetricName")?.as_str()?,
            custom.get("Statistic")?.as_str()?,
            custom.get("Dimensions").unwrap_or(&Value::Null),
            custom.get("Unit"),
        )),
    }
}

/// `reference/autoscaling-and-cloudwatch.md`, section 2.1.
fn predefined_metric(kind: &str) -> Option<(&'static str, &'static str)> {
    match kind {
        "SageMakerVariantInvocationsPerInstance" => Some(("InvocationsPerInstance", "Sum")),
        "SageMakerVariantConcurrentRequestsPerModelHighResolution" => {
            Some(("ConcurrentRequestsPerModel", "Maximum"))
        }
        _ => None,
    }
}

fn single(
    namespace: &str,
    metric: &str,
    statistic: &str,
    dimensions: &Value,
    unit: Option<&Value>,
) -> Value {
    json!([{
        "Id": "m1",
        "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions},
            "Period": PERIOD_SECS,
            "Stat": statistic,
            "Unit": unit,
        },
    }])
}

/// A query of a policy, which has no period of its own.
fn with_period(query: &Value) -> Value {
    let mut query = query.clone();
    match query.get_mut("MetricStat").filter(|stat| stat.is_object()) {
        Some(stat) => stat["Period"] = PERIOD_SECS.into(),
        None => query["Period"] = PERIOD_SECS.into(),
    }
    query
}
