//! `PutMetricData` (section 6.2).

use serde_json::{Value, json};

use super::super::{START_SECS, but};
use super::{Row, check};

fn put(datum: Value) -> Value {
    json!({"Namespace": "App", "MetricData": [but(json!({"MetricName": "m"}), datum)]})
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn bad_data_is_refused() {
    let many = |count: usize| vec![json!({"MetricName": "m", "Value": 1}); count];
    let set = |sum: f64, count: f64, least: f64, most: f64| {
        put(
            json!({"StatisticValues": {"Sum": sum, "SampleCount": count, "Minimum": least, "Maximum": most}}),
        )
    };
    let (value, combination, missing) =
        ("InvalidParameterValue", "InvalidParameterCombination", "MissingParameter");
    let numbers: Vec<f64> = (0..151).map(f64::from).collect();
    let stale = "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks.";
    let rows: Vec<Row> = vec![
        (
            "PutMetricData",
            json!({"Namespace": "AWS/EC2", "MetricData": many(1)}),
            400,
            value,
            "The value AWS/ for parameter Namespace is invalid.",
        ),
        (
            "PutMetricData",
            json!({"Namespace": ":x", "MetricData": many(1)}),
            400,
            "ValidationError",
            "'namespace'",
        ),
        (
            "PutMetricData",
            json!({"Namespace": "App"}),
            400,
            missing,
            "The parameter MetricData is required.",
        ),
        (
            "PutMetricData",
            json!({"Namespace": "App", "MetricData": many(1001)}),
            400,
            value,
            "The collection MetricData must not have a size greater than 1000.",
        ),
        (
            "PutMetricData",
            put(json!({"Value": "NaN"})),
            400,
            value,
            "The value NaN for parameter MetricData.member.1.Value is invalid.",
        ),
        (
            "PutMetricData",
            put(json!({"Value": "Infinity"})),
            400,
            value,
            "The value Infinity for parameter",
        ),
        (
            "PutMetricData",
            put(json!({"Value": 1e308})),
            400,
            value,
            "The value 1.0E308 for parameter MetricData.member.1.Value is invalid.",
        ),
        (
            "PutMetricData",
            put(json!({"Values": [1, -1e308]})),
            400,
            value,
            "The value -1.0E308 for parameter MetricData.member.1.Values.member.2 is invalid.",
        ),
        (
            "PutMetricData",
            put(json!({"Values": [1], "Counts": [-1]})),
            400,
            value,
            "MetricData.member.1.Counts.member.1",
        ),
        (
            "PutMetricData",
            put(json!({"Values": numbers})),
            400,
            value,
            "The collection MetricData.member.1.Values must not have a size greater than 150.",
        ),
        (
            "PutMetricData",
            put(json!({"Value": 1, "Values": [1]})),
            400,
            combination,
            "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have \
             specified both.",
        ),
        (
            "PutMetricData",
            but(
                put(json!({})),
                json!({"MetricData": [{"MetricName": "m", "Value": 1, "StatisticValues":
                {"Sum": 1, "SampleCount": 1, "Minimum": 1, "Maximum": 1}}]}),
            ),
            400,
            combination,
            "The parameters MetricData.member.1.Value and MetricData.member.1.StatisticValues are mutually exclusive and \
             you have specified both.",
        ),
        (
            "PutMetricData",
            put(json!({"Values": [1, 2], "Counts": [1]})),
            400,
            value,
            "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.",
        ),
        (
            "PutMetricData",
            put(json!({})),
            400,
            missing,
            "At least one of the parameters MetricData.member.1.Value or",
        ),
        (
            "PutMetricData",
            set(1.0, 0.0, 1.0, 1.0),
            400,
            value,
            "SampleCount must be greater than 0.",
        ),
        ("PutMetricData", set(1.0, 1.0, 2.0, 1.0), 400, value, "Maximum must be greater than"),
        (
            "PutMetricData",
            put(json!({"Value": 1, "Timestamp": START_SECS - 14 * 86_400 - 1})),
            400,
            value,
            stale,
        ),
        (
            "PutMetricData",
            put(json!({"Value": 1, "Timestamp": START_SECS + 2 * 3600 + 1})),
            400,
            value,
            "must specify a time no more than two hours in the future.",
        ),
        // Every datum that is wrong is told.
        (
            "PutMetricData",
            json!({"Namespace": "App", "MetricData": [{"MetricName": "a", "Value": "NaN"}, {"MetricName": "b", "Value": 1},
                   {"MetricName": "c", "Value": "NaN"}]}),
            400,
            value,
            "The value NaN for parameter MetricData.member.1.Value is invalid.\nThe value NaN for parameter \
             MetricData.member.3.Value is invalid.",
        ),
        (
            "PutMetricData",
            put(json!({"Value": 1, "Unit": "Furlongs"})),
            400,
            "ValidationError",
            "Member must satisfy enum",
        ),
        (
            "PutMetricData",
            put(json!({"Value": 1, "StorageResolution": 30})),
            400,
            value,
            "member.1.StorageResolution",
        ),
        (
            "PutMetricData",
            put(json!({"Value": 1, "Dimensions": [{"Name": "é", "Value": "v"}]})),
            400,
            value,
            "contains non-ASCII characters.",
        ),
        (
            "PutMetricData",
            put(
                json!({"Value": 1, "Dimensions": [{"Name": "a", "Value": "v"}, {"Name": "a", "Value": "w"}]}),
            ),
            400,
            value,
            "The value a for parameter MetricData.member.1.Dimensions.member.2.Name is invalid.",
        ),
    ];
    check(rows).await;
}
