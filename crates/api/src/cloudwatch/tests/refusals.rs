//! What is refused, in each protocol: status, awsQuery's code, and the text. Rows follow
//! `reference/autoscaling-and-cloudwatch.md`, sections 6.1 to 6.3.

use serde_json::{Value, json};

use super::speak::Spoken;
use super::{START_SECS, World, alarm, but};

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

fn put(datum: Value) -> Value {
    json!({"Namespace": "App", "MetricData": [but(json!({"MetricName": "m"}), datum)]})
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn data() {
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

fn statistics(changes: Value) -> Value {
    let whole = json!({"Namespace": "App", "MetricName": "m", "StartTime": START_SECS, "EndTime": START_SECS + 3600,
                       "Period": 60, "Statistics": ["Sum"]});
    but(whole, changes)
}

fn query(queries: &Value) -> Value {
    json!({"StartTime": START_SECS, "EndTime": START_SECS + 3600, "MetricDataQueries": queries})
}

fn stat(id: &str, changes: Value) -> Value {
    let metric = json!({"Namespace": "App", "MetricName": "m"});
    json!({"Id": id, "MetricStat": but(json!({"Metric": metric, "Period": 60, "Stat": "Sum"}), changes)})
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn reads() {
    let (value, combination, invalid) =
        ("InvalidParameterValue", "InvalidParameterCombination", "ValidationError");
    let expression = |text: &str| query(&json!([{"Id": "e", "Expression": text}]));
    let rows: Vec<Row> = vec![
        (
            "GetMetricStatistics",
            statistics(json!({"Statistics": null})),
            400,
            combination,
            "Must specify either Statistics or ExtendedStatistics",
        ),
        (
            "GetMetricStatistics",
            statistics(json!({"Period": 7})),
            400,
            value,
            "The parameter Period must be",
        ),
        ("GetMetricStatistics", statistics(json!({"Period": 0})), 400, invalid, "'period'"),
        (
            "GetMetricStatistics",
            statistics(json!({"Period": 1, "EndTime": START_SECS + 86_400})),
            400,
            combination,
            "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may reduce the datapoints \
             requested by increasing Period, or decreasing the time range.",
        ),
        (
            "GetMetricStatistics",
            statistics(json!({"EndTime": START_SECS})),
            400,
            value,
            "The parameter StartTime must be less than the parameter EndTime.",
        ),
        (
            "GetMetricStatistics",
            statistics(json!({"ExtendedStatistics": ["p101"]})),
            400,
            value,
            "The value p101 for parameter",
        ),
        (
            "GetMetricStatistics",
            statistics(json!({"Unit": "Furlongs"})),
            400,
            invalid,
            "Member must satisfy enum",
        ),
        (
            "GetMetricData",
            but(query(&json!([stat("a", json!({}))])), json!({"EndTime": START_SECS})),
            400,
            invalid,
            "The parameter StartTime must not equal parameter EndTime.",
        ),
        (
            "GetMetricData",
            but(query(&json!([stat("a", json!({}))])), json!({"EndTime": START_SECS - 1})),
            400,
            invalid,
            "The parameter EndTime must be greater than StartTime.",
        ),
        (
            "GetMetricData",
            query(&json!([{"Id": "a"}])),
            400,
            invalid,
            "The parameter MetricDataQueries.member.1.MetricStat is required.\n",
        ),
        (
            "GetMetricData",
            query(&json!([stat("a", json!({"Period": 7}))])),
            400,
            invalid,
            "member.1.MetricStat.Period must be",
        ),
        (
            "GetMetricData",
            query(&json!([stat("a", json!({"Stat": "Median"}))])),
            400,
            invalid,
            "The value Median for parameter",
        ),
        (
            "GetMetricData",
            query(&json!([stat("A", json!({}))])),
            400,
            invalid,
            "The value 'A' for parameter Id is invalid",
        ),
        (
            "GetMetricData",
            query(&json!([stat("a", json!({})), stat("a", json!({}))])),
            400,
            invalid,
            "are not unique: 'a'",
        ),
        (
            "GetMetricData",
            expression("SEARCH('{App} MetricName=\"m\"', 'Sum', 60)"),
            400,
            invalid,
            "Error in expression 'e': Function 'SEARCH' is not supported by Tidegate",
        ),
        (
            "GetMetricData",
            expression("m1 +"),
            400,
            invalid,
            "Error in expression 'e': Invalid syntax",
        ),
        (
            "GetMetricData",
            but(query(&json!([stat("a", json!({}))])), json!({"MaxDatapoints": 100_801})),
            400,
            invalid,
            "The value 100801 for parameter MaxDatapoints is invalid.",
        ),
        (
            "GetMetricData",
            but(query(&json!([stat("a", json!({}))])), json!({"NextToken": "nonsense"})),
            400,
            "InvalidNextToken",
            "NextToken",
        ),
        ("ListMetrics", json!({"NextToken": "nonsense"}), 400, "InvalidNextToken", "NextToken"),
        ("ListMetrics", json!({"RecentlyActive": "PT4H"}), 400, invalid, "[PT3H]"),
    ];
    check(rows).await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn alarms() {
    let (value, invalid) = ("InvalidParameterValue", "ValidationError");
    let put = |changes: Value| but(alarm("new"), changes);
    let math = |queries: Value| {
        let bare = json!({"MetricName": null, "Namespace": null, "Statistic": null, "Period": null, "Metrics": queries});
        put(bare)
    };
    let arn = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:missing";
    let tags = json!([{"Key": "k", "Value": "v"}]);
    let rows: Vec<Row> = vec![
        (
            "PutMetricAlarm",
            put(json!({"Statistic": null, "ExtendedStatistic": "p101"})),
            400,
            value,
            "The value p101 for parameter ExtendedStatistic is not supported.",
        ),
        (
            "PutMetricAlarm",
            put(json!({"TreatMissingData": "x"})),
            400,
            invalid,
            "The value x is not supported for TreatMissingData parameter. Supported values are [breaching, notBreaching, \
             ignore, missing].",
        ),
        (
            "PutMetricAlarm",
            put(json!({"EvaluateLowSampleCountPercentile": "x"})),
            400,
            invalid,
            "Option x is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and \
             ignore.",
        ),
        (
            "PutMetricAlarm",
            put(json!({"Period": 7})),
            400,
            invalid,
            "Period must be 10, 20, 30 or a multiple of 60",
        ),
        (
            "PutMetricAlarm",
            put(json!({"EvaluationPeriods": 1441})),
            400,
            invalid,
            "more than a day",
        ),
        ("PutMetricAlarm", put(json!({"DatapointsToAlarm": 4})), 400, invalid, "DatapointsToAlarm"),
        ("PutMetricAlarm", put(json!({"Threshold": null})), 400, invalid, "Threshold"),
        ("PutMetricAlarm", put(json!({"AlarmName": "a\tb"})), 400, invalid, "ASCII Control"),
        (
            "PutMetricAlarm",
            put(json!({"OKActions": ["a", "b", "c", "d", "e", "f"]})),
            400,
            invalid,
            "oKActions",
        ),
        (
            "PutMetricAlarm",
            put(json!({"ThresholdMetricId": "a", "Threshold": null})),
            400,
            invalid,
            "does not support",
        ),
        (
            "PutMetricAlarm",
            math(json!([stat("a", json!({})), stat("b", json!({}))])),
            400,
            invalid,
            "Exactly one element",
        ),
        (
            "PutMetricAlarm",
            math(json!([{"Id": "e", "Expression": "SEARCH('x', 'Sum', 60)", "Period": 60}])),
            400,
            invalid,
            "Function 'SEARCH' is not supported",
        ),
        (
            "SetAlarmState",
            json!({"AlarmName": "missing", "StateValue": "OK", "StateReason": "r"}),
            404,
            "ResourceNotFound",
            "",
        ),
        (
            "SetAlarmState",
            json!({"AlarmName": "there", "StateValue": "INVALID", "StateReason": "r"}),
            400,
            invalid,
            "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must satisfy \
             enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
        ),
        (
            "SetAlarmState",
            json!({"AlarmName": "there", "StateValue": "OK", "StateReason": "r", "StateReasonData": "{"}),
            400,
            "InvalidFormat",
            "not valid JSON",
        ),
        (
            "DescribeAlarms",
            json!({"AlarmNames": ["a"], "AlarmNamePrefix": "b"}),
            400,
            "InvalidParameterCombination",
            "exclusive",
        ),
        ("DescribeAlarms", json!({"MaxRecords": 101}), 400, invalid, "'maxRecords'"),
        ("DescribeAlarms", json!({"NextToken": "nonsense"}), 400, "InvalidNextToken", "NextToken"),
        (
            "DescribeAlarmHistory",
            json!({"NextToken": "nonsense"}),
            400,
            "InvalidNextToken",
            "NextToken",
        ),
        (
            "TagResource",
            json!({"ResourceARN": arn, "Tags": tags}),
            404,
            "ResourceNotFoundException",
            arn,
        ),
        (
            "UntagResource",
            json!({"ResourceARN": arn, "TagKeys": ["k"]}),
            404,
            "ResourceNotFoundException",
            arn,
        ),
        (
            "TagResource",
            json!({"ResourceARN": "arn:aws:s3:::b", "Tags": tags}),
            400,
            value,
            "ResourceARN is invalid",
        ),
        ("ListTagsForResource", json!({"ResourceARN": "x"}), 400, value, "ResourceARN is invalid"),
    ];
    check(rows).await;
}
