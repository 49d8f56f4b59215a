//! What is refused, in which words, and what a stranger's request may cost at most.

use std::time::Duration;

use super::super::{
    EXPRESSION_LENGTH_MAX, MathError, NESTING_MAX, POINTS_MAX, Problem, QUERIES_MAX, Window, check,
    evaluate, parse,
};
use super::{expression, metric, start};
use crate::metric::{Point, Query};
use crate::time::Timestamp;

/// Expressions over the metrics `m1` and `m2`, and what is said of each.
const REFUSED: &[(&str, &str)] = &[
    ("", "Invalid syntax (character 1: a value expected)"),
    ("m1 +", "Invalid syntax (character 5: a value expected)"),
    ("m1 m2", "Invalid syntax (character 4: an operator or the end expected)"),
    ("2m1", "Invalid syntax (character 2: an operator or the end expected)"),
    ("(m1", "Invalid syntax (character 4: ) expected)"),
    ("[]", "Invalid syntax (character 2: a value expected)"),
    ("[m1 m2]", "Invalid syntax (character 5: a comma or the end of the list expected)"),
    ("m1 = 2", "Invalid syntax (character 4: an operator or the end expected)"),
    ("1.2.3 + m1", "Invalid syntax (character 1: a number expected)"),
    ("1e999 + m1", "Invalid syntax (character 1: a number expected)"),
    ("1e + m1", "Invalid syntax (character 1: a number expected)"),
    ("ä + m1", "Invalid syntax (character 1: a value expected)"),
    ("m1 + ä", "Invalid syntax (character 6: a value expected)"),
    ("METRICS(\"m1)", "Invalid syntax (character 9: a text with its closing quote expected)"),
    ("sum(m1)", "Invalid syntax (character 4: an operator or the end expected)"),
    ("M1", "Invalid syntax (character 1: a value expected)"),
    ("m1 ANDm2", "Invalid syntax (character 4: an operator or the end expected)"),
    ("\"text\"", "Invalid syntax (character 1: a value expected)"),
    ("ANOMALY_DETECTOR(m1)", "Function 'ANOMALY_DETECTOR' not found"),
    (
        "SEARCH('{Test} MetricName=\"x\"', 'Average', 60)",
        "Function 'SEARCH' is not supported by Tidegate",
    ),
    ("SUM(SEARCH(' \\' ', 'Sum'))", "Function 'SEARCH' is not supported by Tidegate"),
    (
        "ANOMALY_DETECTION_BAND(m1, 2)",
        "Function 'ANOMALY_DETECTION_BAND' is not supported by Tidegate",
    ),
    (
        "INSIGHT_RULE_METRIC(\"r\", \"Sum\")",
        "Function 'INSIGHT_RULE_METRIC' is not supported by Tidegate",
    ),
    ("m1 / SERVICE_QUOTA(m1)", "Function 'SERVICE_QUOTA' is not supported by Tidegate"),
    (
        "DB_PERF_INSIGHTS('RDS', 'x', 'y')",
        "Function 'DB_PERF_INSIGHTS' is not supported by Tidegate",
    ),
    ("LAMBDA('f')", "Function 'LAMBDA' is not supported by Tidegate"),
    ("SELECT AVG(x) FROM Test", "Metrics Insights queries are not supported by Tidegate"),
    ("select max(x) from Test", "Metrics Insights queries are not supported by Tidegate"),
    ("SUM(m1, m2)", "Function 'SUM' does not take 2 argument(s)"),
    ("IF(m1)", "Function 'IF' does not take 1 argument(s)"),
    ("RATE()", "Function 'RATE' does not take 0 argument(s)"),
    ("m9 + m1", "'m9' is not the Id of an element of the metrics list"),
    ("METRICS() > 5", "Unsupported operand type(s) for >: '[Array[TimeSeries], Scalar]'"),
    (
        "METRICS() + METRICS()",
        "Unsupported operand type(s) for +: '[Array[TimeSeries], Array[TimeSeries]]'",
    ),
    (
        "IF(METRICS(), 1, m1)",
        "Unsupported operand type(s) for IF: '[Array[TimeSeries], Scalar, TimeSeries]'",
    ),
    ("FILL(5, 3)", "Unsupported operand type(s) for FILL: '[Scalar, Scalar]'"),
    ("FILL(m1, ASC)", "Unsupported operand type(s) for FILL: '[TimeSeries, Keyword]'"),
    ("SUM(5)", "Unsupported operand type(s) for SUM: '[Scalar]'"),
    ("RATE(5)", "Unsupported operand type(s) for RATE: '[Scalar]'"),
    ("SUM([m1, 5])", "Unsupported operand type(s) for []: '[Scalar]'"),
    ("TIME_SERIES(m1)", "Unsupported operand type(s) for TIME_SERIES: '[TimeSeries]'"),
    ("FIRST(m1)", "Unsupported operand type(s) for FIRST: '[TimeSeries]'"),
    (
        "SORT(METRICS(), REPEAT, ASC)",
        "Unsupported operand type(s) for SORT: '[Array[TimeSeries], Keyword, Keyword]'",
    ),
    (
        "SLICE(METRICS(), m1)",
        "Unsupported operand type(s) for SLICE: '[Array[TimeSeries], TimeSeries]'",
    ),
    ("HOUR(METRICS())", "Unsupported operand type(s) for HOUR: '[Array[TimeSeries]]'"),
    ("-REPEAT", "Unsupported operand type(s) for -: '[Keyword]'"),
    ("AVG", "Unsupported operand type(s) for the result: '[Keyword]'"),
    ("e1 + m1", "The expression depends on itself by way of 'e1'"),
];

#[test]
fn refusals_say_what_is_wrong_where() {
    for (text, problem) in REFUSED {
        let queries = [metric("m1"), metric("m2"), expression("e1", text)];
        let error = check(&queries, false).expect_err(text);
        assert_eq!(error.to_string(), format!("Error in expression 'e1': {problem}"));
    }
}

fn chain(text: impl Fn(usize) -> String) -> Vec<Query> {
    let mut queries = vec![metric("e0")];
    queries.extend((1..QUERIES_MAX).map(|n| expression(&format!("e{n}"), &text(n))));
    queries
}

fn nested(open: &str, close: &str, levels: usize) -> String {
    format!("{}m1{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn length_and_depth_are_bounded() {
    let deep = [("(", ")"), ("-", ""), ("2^", ""), ("ABS(", ")"), ("[", "]"), ("1+(", ")")];
    for (open, close) in deep {
        assert!(parse(&nested(open, close, NESTING_MAX - 1)).is_ok(), "{open}");
        for levels in [NESTING_MAX, 400] {
            let refused = parse(&nested(open, close, levels));
            assert_eq!(refused, Err(MathError::Text(Problem::TooDeep)), "{open}");
        }
    }
    let longest = "1+".repeat(EXPRESSION_LENGTH_MAX / 2 - 1) + "m1";
    assert_eq!(longest.len(), EXPRESSION_LENGTH_MAX);
    assert_eq!(check(&[metric("m1"), expression("e1", &longest)], true), Ok(()));
    let long = " ".repeat(EXPRESSION_LENGTH_MAX) + "1";
    assert_eq!(parse(&long), Err(MathError::Text(Problem::TooLong)));
}

#[test]
fn long_chains_take_no_stack_and_little_time() {
    let queries = chain(|n| format!("e{} + 1", n - 1));
    assert_eq!(check(&queries, false), Ok(()));
    let queries = chain(|n| format!("e{} + 1", (n + 1) % QUERIES_MAX.max(2)));
    assert_eq!(check(&queries, false), Ok(()), "the last refers to the metric");
    let circle = chain(|n| format!("e{} + 1", n % (QUERIES_MAX - 1) + 1));
    assert!(matches!(
        check(&circle, false),
        Err(MathError::Expression { problem: Problem::Circle(_), .. })
    ));
}

#[test]
fn arrays_do_not_grow_without_end() {
    let doubling = chain(|n| format!("[e{0}, e{0}]", n - 1));
    let error = check(&doubling, false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Error in expression 'e9': An array has more than 500 time series"
    );
}

#[test]
fn work_is_bounded() {
    let at = |index: i64| Timestamp::from_millis(index * 1000);
    let points: Vec<_> = (0..i64::try_from(POINTS_MAX).unwrap())
        .map(|n| Point { at: at(n), value: 1.0, samples: None })
        .collect();
    let window = Window { from: at(0), to: at(100_800) };
    let costly = chain(|n| format!("e{} + RUNNING_SUM(e0) * e0", n - 1));
    assert_eq!(evaluate(&costly, window, &mut |_, _| points.clone()), Err(MathError::TooMuchWork));
    let mut many: Vec<_> = (0..250).map(|n| metric(&format!("m{n}"))).collect();
    many.extend((0..250).map(|n| expression(&format!("e{n}"), "METRICS()")));
    let few = &points[..1000];
    assert_eq!(evaluate(&many, window, &mut |_, _| few.to_vec()), Err(MathError::TooMuchWork));
}

#[test]
fn a_request_at_many_periods_is_bounded() {
    let mut queries = Vec::new();
    for n in 0..250 {
        queries.push(super::metric_every(&format!("m{n}"), Some(60 * (n + 1))));
        let before = if n == 0 { "m0".to_owned() } else { format!("e{}", n - 1) };
        queries.push(expression(&format!("e{n}"), &format!("{before} + m{n}")));
    }
    assert_eq!(check(&queries, false), Err(MathError::TooMuchWork));
}

#[test]
fn windows_without_end_are_refused_and_empty_ones_are_not() {
    let queries = [metric("m1"), expression("e1", "TIME_SERIES(5) + m1")];
    let run = |from: i64, to: i64| {
        let window = Window { from: Timestamp::from_millis(from), to: Timestamp::from_millis(to) };
        evaluate(&queries, window, &mut |_, _| Vec::new()).map(|outcomes| outcomes.len())
    };
    let problem = Problem::TooManyPoints;
    let endless = Err(MathError::Expression { id: "e1".into(), problem });
    assert_eq!(run(i64::MIN, i64::MAX), endless);
    assert_eq!(run(0, i64::MAX), endless);
    assert_eq!(run(i64::MAX - 10, i64::MAX), Ok(1));
    assert_eq!(run(0, 0), Ok(1));
    assert_eq!(run(60_000, 0), Ok(1));
}

#[test]
fn what_is_fetched_need_not_be_in_order() {
    let queries = [metric("m1"), expression("e1", "m1 + 0")];
    let point = |secs: u64, value| Point {
        at: start().plus(Duration::from_secs(secs)),
        value,
        samples: None,
    };
    let unruly = vec![
        point(120, 1.0),
        point(0, f64::NAN),
        point(60, 2.0),
        point(60, 3.0),
        point(180, f64::INFINITY),
    ];
    let outcomes = evaluate(&queries, super::window(), &mut |_, _| unruly.clone()).unwrap();
    let super::Outcome::Series(series) = &outcomes[0].1 else { panic!("not a series") };
    assert_eq!(series.points, [point(60, 2.0), point(120, 1.0)]);
}
