//! Alarms and their tags (section 6.3).

use serde_json::{Value, json};

use super::super::{alarm, but};
use super::{Row, check, stat};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn bad_alarms_are_refused() {
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
