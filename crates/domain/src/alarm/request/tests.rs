//! What is accepted, and the words of what is not: section 6.3, else as the service answered clients.

use serde_json::json;

use super::super::Kind;
use super::*;
use crate::metric::Source;

/// The least that makes an alarm on one metric.
fn metric() -> Request {
    Request {
        name: "queue".to_owned(),
        metric_name: Some("Queue".to_owned()),
        namespace: Some("Shop".to_owned()),
        statistic: Some("Average".to_owned()),
        period: Some(60),
        evaluation_periods: Some(3),
        threshold: Some(50.0),
        comparison: Some("GreaterThanThreshold".to_owned()),
        ..Request::default()
    }
}

fn query(id: &str, period: u32, returns: Option<bool>) -> Query {
    let stat = Stat {
        metric: MetricId::new("Shop", id, Vec::new()),
        statistic: Statistic::Sum,
        unit: None,
        period: Some(period),
    };
    Query { id: id.to_owned(), source: Source::Metric(stat), label: None, return_data: returns }
}

fn expression(text: &str, period: Option<u32>) -> Query {
    let source = Source::Expression { text: text.to_owned(), period };
    Query { id: "e1".to_owned(), source, label: None, return_data: None }
}

fn math(metrics: Vec<Query>) -> Request {
    Request {
        metric_name: None,
        namespace: None,
        statistic: None,
        period: None,
        metrics,
        ..metric()
    }
}

fn text(word: &str) -> String {
    word.to_owned()
}

fn ten_and_one() -> Vec<Query> {
    (0..11).map(|one| query(&format!("m{one}"), 60, Some(one == 0))).collect()
}

#[test]
fn a_request_has_amazons_defaults() {
    let (name, config) = metric().accept().unwrap();
    assert_eq!(name.as_str(), "queue");
    assert!(config.actions_enabled);
    assert_eq!(
        (config.datapoints_to_alarm, config.treat_missing, config.needed()),
        (None, None, 3)
    );
    let (_, config) =
        math(vec![query("m1", 10, Some(false)), expression("m1 * 2", None)]).accept().unwrap();
    assert_eq!(config.period().as_secs(), 10);
    assert_eq!(config.metrics().count(), 1);
}

type Case = (fn(&mut Request), &'static str);

const REFUSED: &[Case] = &[
    (|it| it.name = "a\nb".to_owned(), "AlarmName must not contain ASCII Control characters"),
    (
        |it| it.comparison = None,
        "PutMetricAlarm request should have a valid ComparisonOperator parameter",
    ),
    (|it| it.threshold = None, "PutMetricAlarm request should have valid Threshold parameter"),
    (
        |it| it.threshold = Some(f64::NAN),
        "PutMetricAlarm request should have valid Threshold parameter",
    ),
    (
        |it| it.evaluation_periods = None,
        "PutMetricAlarm request should have an EvaluationPeriods parameter",
    ),
    (|it| it.evaluation_periods = Some(0), "EvaluationPeriods must be at least 1"),
    (|it| it.datapoints_to_alarm = Some(0), "DatapointsToAlarm must be at least 1"),
    (
        |it| it.datapoints_to_alarm = Some(4),
        "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
    ),
    (|it| it.metric_name = None, "MetricName must not be null"),
    (|it| it.namespace = None, "Namespace must not be null"),
    (|it| it.statistic = None, "PutMetricAlarm request should have a Statistic parameter"),
    (|it| it.period = None, "PutMetricAlarm request should have a Period parameter"),
    (
        |it| it.extended_statistic = Some(text("p90")),
        "PutMetricAlarm request can not be made with both Statistic and ExtendedStatistic parameters. Only one \
         of them should be present",
    ),
    (
        |it| (it.statistic, it.extended_statistic) = (None, Some(text("p101"))),
        "The value p101 for parameter ExtendedStatistic is not supported.",
    ),
    (
        |it| (it.statistic, it.extended_statistic) = (None, Some(text("Average"))),
        "The value Average for parameter ExtendedStatistic is not supported.",
    ),
    (
        |it| it.treat_missing = Some(text("other")),
        "The value other is not supported for TreatMissingData parameter. Supported values are [breaching, \
         notBreaching, ignore, missing].",
    ),
    (
        |it| it.evaluate_low_samples = Some(text("other")),
        "Option other is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are \
         evaluate and ignore.",
    ),
    (
        |it| it.evaluate_low_samples = Some(text("ignore")),
        "Option evaluateLowSampleCountPercentile can not be applied with statistic Average. This option is \
         enabled only for percentile statistics.",
    ),
    (|it| it.period = Some(15), "Period must be 10, 20, 30 or a multiple of 60"),
    (|it| it.period = Some(0), "Period must be 10, 20, 30 or a multiple of 60"),
    (
        |it| it.evaluation_periods = Some(1441),
        "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400) for \
         alarms using period < 3600",
    ),
    (
        |it| (it.period, it.evaluation_periods) = (Some(3600), Some(169)),
        "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800) for \
         alarms using period >= 3600",
    ),
    (
        |it| it.metrics = vec![query("m1", 60, None)],
        "MetricName should not be set if list of Metrics is set.",
    ),
    (
        |it| *it = Request { statistic: Some(text("Sum")), ..math(vec![query("m1", 60, None)]) },
        "Statistic should not be set if list of Metrics is set.",
    ),
    (
        |it| *it = Request { unit: Some(Unit::Count), ..math(vec![query("m1", 60, None)]) },
        "Unit should not be set if list of Metrics is set.",
    ),
    (
        |it| *it = math(vec![query("m1", 60, Some(false))]),
        "Exactly one element of the metrics list should return data.",
    ),
    (
        |it| *it = math(vec![query("m1", 60, None), query("m2", 60, None)]),
        "Exactly one element of the metrics list should return data.",
    ),
    (
        |it| *it = math(vec![query("m1", 60, Some(false)), query("m2", 10, None)]),
        "All metrics and expressions in the metrics list must have the same period: 'm2' has 10 seconds, others have 60.",
    ),
    (
        |it| *it = math(ten_and_one()),
        "The metrics list must not have more than 10 metrics and 10 expressions.",
    ),
    (
        |it| it.threshold_metric_id = Some(text("e1")),
        "Threshold and ThresholdMetricId cannot both be set",
    ),
    (
        |it| it.comparison = Some(text("LessThanLowerThreshold")),
        "Tidegate does not support anomaly detection bands of alarms yet.",
    ),
    (
        |it| {
            it.kept.0.insert("EvaluationCriteria".to_owned(), json!({}));
        },
        "Tidegate does not support EvaluationCriteria of alarms yet.",
    ),
];

#[test]
fn requests_are_refused_in_amazons_words() {
    for (change, expected) in REFUSED {
        let mut request = metric();
        change(&mut request);
        assert_eq!(request.accept().unwrap_err().to_string(), *expected);
    }
}

#[test]
fn refusals_have_the_codes_of_the_query_protocol() {
    assert_eq!(Refusal::ExtendedStatistic("p101".to_owned()).kind(), Kind::InvalidParameterValue);
    assert_eq!(Refusal::ReasonData.kind(), Kind::InvalidFormat);
    assert_eq!(Refusal::DatapointsToAlarm.kind(), Kind::Validation);
    let long = "n".repeat(256);
    assert_eq!(AlarmName::parse(&long).unwrap_err().kind(), Kind::Validation);
    assert!(AlarmName::parse(&long[..255]).is_ok());
    assert!(AlarmName::parse("").is_err());
}

#[test]
fn the_longest_that_may_be_asked_for_is_accepted() {
    for (period, periods) in
        [(10, 8640), (20, 4320), (30, 2880), (60, 1440), (3600, 168), (86_400, 7)]
    {
        let request =
            Request { period: Some(period), evaluation_periods: Some(periods), ..metric() };
        assert!(request.accept().is_ok(), "{period} x {periods}");
    }
}
