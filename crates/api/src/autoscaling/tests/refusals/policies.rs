//! Policies: types, steps and metrics.

use serde_json::{Value, json};

use super::super::{named, stepping, tracking, with};
use super::{check, world};

#[tokio::test]
async fn types_and_configurations_of_policies() {
    let put = "PutScalingPolicy";
    let typed = |name: &str, kind: &str| named(json!({"PolicyName": name, "PolicyType": kind}));
    let mismatch = "You must only provide a single scaling policy configuration, which must match the scaling policy \
                    type specified.";
    let changed =
        "You cannot change a StepScaling policy to a non StepScaling policy, or vice versa.";
    let with_type = |input: Value, kind: &str| with(input, json!({"PolicyType": kind}));
    let mut two = tracking("p", 5.0);
    two["StepScalingPolicyConfiguration"] = stepping("p")["StepScalingPolicyConfiguration"].clone();
    let pair = json!({"PredefinedMetricPairSpecification": {"PredefinedMetricType": "ECSServiceCPUUtilization"},
                      "TargetValue": 5});
    let predictive = named(json!({"PolicyName": "p", "PolicyType": "PredictiveScaling",
        "PredictiveScalingPolicyConfiguration": {"MetricSpecifications": [pair]}}));
    let forecast = named(json!({"PolicyName": "tt", "StartTime": 1, "EndTime": 2}));
    let no_predictive = "Predictive scaling is not supported for service namespace: sagemaker, scalable dimension: \
                         sagemaker:variant:DesiredInstanceCount";
    check(vec![
        (put, named(json!({"PolicyName": "p"})), "Scaling policy type must be specified"),
        (put, typed("p", "StepScaling"), "StepScaling policy configuration must be specified"),
        (
            put,
            typed("p", "TargetTrackingScaling"),
            "TargetTrackingScaling policy configuration must be specified",
        ),
        (put, typed("p", "PredictiveScaling"), "You must specify PredictiveScalingConfiguration."),
        (put, predictive, no_predictive),
        (put, typed("p", "RightSizing"), mismatch),
        (put, with_type(stepping("p"), "TargetTrackingScaling"), mismatch),
        (put, with_type(tracking("p", 5.0), "StepScaling"), mismatch),
        (put, two, mismatch),
        (put, tracking("step", 5.0), changed),
        (put, stepping("tt"), changed),
        ("GetPredictiveScalingForecast", forecast, no_predictive),
    ])
    .await;
}

#[tokio::test]
async fn steps() {
    let put = "PutScalingPolicy";
    let step = |config: Value| {
        named(
            json!({"PolicyName": "p", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": config}),
        )
    };
    let steps = |list: &[(Option<f64>, Option<f64>)]| {
        let one = |(lower, upper): &(Option<f64>, Option<f64>)| json!({"MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper, "ScalingAdjustment": 1});
        step(json!({"AdjustmentType": "ChangeInCapacity",
                    "StepAdjustments": list.iter().map(one).collect::<Vec<_>>()}))
    };
    let (zero, one, two) = (Some(0.0), Some(1.0), Some(2.0));
    let more = |name: &str, value: i32| {
        let mut input = stepping("p");
        input["StepScalingPolicyConfiguration"][name] = json!(value);
        input
    };
    check(vec![
        (put, step(json!({})), "Adjustment type must be specified"),
        (put, steps(&[]), "There must be at least one step adjustment"),
        (
            put,
            steps(&[(zero, one), (two, None)]),
            "Step adjustment intervals cannot have gaps between them",
        ),
        (put, steps(&[(zero, two), (one, None)]), "Step adjustment intervals cannot overlap"),
        (
            put,
            steps(&[(None, zero), (None, one)]),
            "At most one StepAdjustment may have an unspecified lower bound",
        ),
        (
            put,
            more("MinAdjustmentMagnitude", 1),
            "Minimum adjustment magnitude is only allowed for adjustment type PercentChangeInCapacity",
        ),
        (put, more("Cooldown", -1), "Cooldown must be nonnegative"),
    ])
    .await;
}

#[tokio::test]
async fn metrics_to_track() {
    let put = "PutScalingPolicy";
    let track = |config: Value| {
        named(json!({"PolicyName": "p", "PolicyType": "TargetTrackingScaling",
                     "TargetTrackingScalingPolicyConfiguration": config}))
    };
    let of = |metric: &str| json!({"PredefinedMetricType": metric});
    let custom = json!({"MetricName": "m", "Namespace": "n", "Statistic": "Sum"});
    check(vec![
        (
            put,
            tracking("p", 0.0),
            "For target tracking scaling, target value must be between '8.51592E-109' and '1.174271E108', but was \
             '0.0'.",
        ),
        (
            put,
            tracking("p", 1e300),
            "For target tracking scaling, target value must be between '8.51592E-109' and '1.174271E108', but was \
             '1.0E300'.",
        ),
        (
            put,
            track(json!({"TargetValue": 5})),
            "PredefinedMetricSpecification or CustomizedMetricSpecification must be set for target tracking scaling.",
        ),
        (
            put,
            track(json!({"TargetValue": 5, "CustomizedMetricSpecification": custom,
                         "PredefinedMetricSpecification": of("SageMakerVariantInvocationsPerInstance")})),
            "Only one of PredefinedMetricSpecification or CustomizedMetricSpecification can be set for target tracking \
             scaling.",
        ),
        (
            put,
            tracking("p", 5.0),
            "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
        ),
    ])
    .await;
}

#[tokio::test]
async fn metrics_that_cannot_be_tracked() {
    let put = "PutScalingPolicy";
    let track = |config: Value| {
        named(json!({"PolicyName": "p", "PolicyType": "TargetTrackingScaling",
                     "TargetTrackingScalingPolicyConfiguration": config}))
    };
    let of = |metric: &str| json!({"PredefinedMetricType": metric});
    let predefined = |metric: &str| {
        track(json!({"TargetValue": 5, "PredefinedMetricSpecification": of(metric)}))
    };
    let custom = json!({"MetricName": "m", "Namespace": "n", "Statistic": "Sum"});
    let customized =
        |metric: Value| track(json!({"TargetValue": 5, "CustomizedMetricSpecification": metric}));
    let math = |query: Value| customized(json!({"Metrics": [query]}));
    let stat = |stat: &str| {
        let metric = json!({"MetricName": "m", "Namespace": "n"});
        math(json!({"Id": "a", "MetricStat": {"Metric": metric, "Stat": stat}}))
    };
    let mut united = custom.clone();
    united["Unit"] = json!("Furlongs");
    check(vec![
        (
            put,
            predefined("ALBRequestCountPerTarget"),
            "Resource label should be specified for predefined metric type ALBRequestCountPerTarget",
        ),
        (
            put,
            predefined("ECSServiceAverageCPUUtilization"),
            "Scalable dimension sagemaker:variant:DesiredInstanceCount only supports the following predefined metric \
             types: SageMakerVariantInvocationsPerInstance, SageMakerVariantConcurrentRequestsPerModelHighResolution",
        ),
        (
            put,
            customized(json!({"MetricName": "m"})),
            "CustomizedMetricSpecification must have either Metrics, or MetricName, Namespace and Statistic",
        ),
        (
            put,
            stat("median"),
            "#FailedResourceAccessException: Failed to put the alarms of the policy. Reason: The value median for \
             parameter Stat is not supported.",
        ),
        (
            put,
            customized(united),
            "#FailedResourceAccessException: Failed to put the alarms of the policy. Reason: The value Furlongs for \
             parameter Unit is not supported.",
        ),
    ])
    .await;
    let world = world().await;
    let told = world.bad(put, math(json!({"Id": "a", "Expression": "m1 +"}))).await;
    assert!(
        told.starts_with("FailedResourceAccessException: Failed to put the alarms of the policy."),
        "{told}"
    );
}
