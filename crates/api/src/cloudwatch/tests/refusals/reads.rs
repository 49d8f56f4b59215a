//! Reads of metrics (section 6.2).

use serde_json::{Value, json};

use super::super::{START_SECS, but};
use super::{Row, check, stat};

fn statistics(changes: Value) -> Value {
    let whole = json!({"Namespace": "App", "MetricName": "m", "StartTime": START_SECS, "EndTime": START_SECS + 3600,
                       "Period": 60, "Statistics": ["Sum"]});
    but(whole, changes)
}

fn query(queries: &Value) -> Value {
    json!({"StartTime": START_SECS, "EndTime": START_SECS + 3600, "MetricDataQueries": queries})
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn bad_reads_are_refused() {
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
