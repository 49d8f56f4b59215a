//! Every function and operator by example, after `reference/autoscaling-and-cloudwatch.md`, section 6.6. Rows marked
//! "docs" are CloudWatch's own examples ("Using metric math").

use super::super::function::Function;
use super::super::operator::Operator;
use super::{GAP, Row, eval};

fn metrics() -> Vec<(&'static str, Row)> {
    vec![
        ("m1", vec![Some(1.0), Some(2.0), GAP, Some(4.0), Some(8.0)]),
        ("m2", vec![Some(10.0), GAP, Some(30.0), GAP, GAP]),
        ("z", vec![Some(0.0), Some(1.0), Some(0.0), Some(-2.0), GAP]),
        ("f", vec![Some(-1.5), Some(1.5), Some(100.0), Some(0.0), Some(-0.2)]),
        ("none", vec![]),
        // For comparisons, then (docs) for IF.
        ("a", vec![Some(30.0), Some(20.0), Some(0.0), Some(0.0)]),
        ("b", vec![Some(20.0), GAP, Some(20.0), GAP]),
        ("c1", vec![Some(1.0), Some(1.0), Some(0.0), Some(0.0), GAP]),
        ("c2", vec![Some(30.0), GAP, Some(0.0), Some(0.0), Some(30.0)]),
        ("c3", vec![Some(0.0), Some(0.0), Some(20.0), GAP, Some(20.0)]),
    ]
}

/// Rows as text: values with spaces between, `-` for a gap, `|` between the series of an array.
fn read(text: &str) -> Vec<Row> {
    let value = |word: &str| (word != "-").then(|| word.parse().unwrap());
    text.split('|').map(|row| row.split_whitespace().map(value).collect()).collect()
}

const OPERATORS: &[(&str, &str)] = &[
    // Only where both have a point; division by zero drops it (section 6.6).
    ("m1 + m2", "11 - - - -"),
    ("m2 - m1", "9 - - - -"),
    ("m1 * m2", "10 - - - -"),
    ("m1 / m2", "0.1 - - - -"),
    ("m1 ^ z", "1 2 - 0.0625 -"),
    ("m2 ^ 2", "100 - 900 - -"),
    ("m1 + none", "- - - - -"),
    ("none + m1", "- - - - -"),
    ("-m1", "-1 -2 - -4 -8"),
    ("m1 / z", "- 2 - -2 -"),
    ("[m1, m2] / z", "- 2 - -2 - | - - - - -"),
    ("100 / [m1, m2]", "100 50 - 25 12.5 | 10 - 3.3333333333333335 - -"),
    ("z - [m1]", "-1 -1 - -6 -"),
    ("FILL(m1, 0) + FILL(m2, 0)", "11 2 30 4 8"),
    // Precedence: OR, AND, comparisons, sums, products, signs, powers; powers from the right, the rest from the left.
    ("m1 + 2 * 3 ^ 2", "19 20 - 22 26"),
    ("2 ^ 3 ^ 2 + 0 * m1", "512 512 - 512 512"),
    ("-2 ^ 2 + 0 * m1", "-4 -4 - -4 -4"),
    ("2 ^ -1 + 0 * m1", "0.5 0.5 - 0.5 0.5"),
    ("10 - 4 - 3 + 0 * m1", "3 3 - 3 3"),
    ("16 / 4 / 2 + 0 * m1", "2 2 - 2 2"),
    ("(m1 + 2) * 3", "9 12 - 18 30"),
    ("1 > 0 OR m1 > 3 AND 0", "1 1 - 1 1"),
    ("m1 + 1 > 2 && m1 < 8 || m1 == 1", "1 1 - 1 0"),
    ("1e3 * m1 + .5 - 2.5E-1", "1000.25 2000.25 - 4000.25 8000.25"),
    // Comparisons and logic, as arithmetic: nothing where one is missing.
    ("(a < b)", "0 - 1 - -"),
    ("(a >= 30)", "1 0 0 0 -"),
    ("(a > 15 AND b > 15)", "1 - 0 - -"),
    ("a <= b", "0 - 1 - -"),
    ("a == b", "0 - 0 - -"),
    ("a != b", "1 - 1 - -"),
    ("a && b", "1 - 0 - -"),
    ("a || b", "1 - 1 - -"),
];

const FUNCTIONS: &[(&str, &str)] = &[
    // Of one series: a scalar, which at the top is a constant series.
    ("SUM(m1)", "15 15 15 15 15"),
    ("AVG(m1)", "3.75 3.75 3.75 3.75 3.75"),
    ("MIN(m1)", "1 1 1 1 1"),
    ("MAX(m1)", "8 8 8 8 8"),
    (
        "STDDEV(z)",
        "1.0897247358851685 1.0897247358851685 1.0897247358851685 1.0897247358851685 1.0897247358851685",
    ),
    ("DATAPOINT_COUNT(m1)", "4 4 4 4 4"),
    ("SUM(none)", "0 0 0 0 0"),
    ("DATAPOINT_COUNT(none)", "0 0 0 0 0"),
    ("AVG(none)", "- - - - -"),
    ("MIN(none)", "- - - - -"),
    ("m1 - AVG(none)", "- - - - -"),
    ("MAX(m1) / m1", "8 4 - 2 1"),
    // Of an array: point by point, missing ones count as 0.
    ("SUM([m1, m2])", "11 2 30 4 8"),
    ("AVG([m1, m2])", "5.5 1 15 2 4"),
    ("MIN([m1, m2])", "1 0 0 0 0"),
    ("MAX([m1, m2, -m1])", "10 2 30 4 8"),
    ("STDDEV([m1, m2])", "4.5 1 15 2 4"),
    ("DATAPOINT_COUNT([m1, m2])", "2 1 1 1 1"),
    ("METRIC_COUNT([m1, [m2, none]]) * m1", "3 6 - 12 24"),
    // Point by point.
    ("ABS(f)", "1.5 1.5 100 0 0.2"),
    ("CEIL(f)", "-1 2 100 0 0"),
    ("FLOOR(f)", "-2 1 100 0 -1"),
    ("LOG(f)", "- 0.4054651081081644 4.605170185988092 - -"),
    ("LOG10(f)", "- 0.17609125905568124 2 - -"),
    ("ABS(-[m1, z])", "1 2 - 4 8 | 0 1 0 2 -"),
    ("CEIL(3.2) * m1", "4 8 - 16 32"),
    // Consecutive points.
    ("DIFF(m1)", "- 1 - 2 4"),
    ("DIFF_TIME(m1)", "- 60 - 120 60"),
    ("RATE(m1) * 120", "- 2 - 2 8"),
    ("RUNNING_SUM(m1)", "1 3 - 7 15"),
    ("DIFF([m1, m2])", "- 1 - 2 4 | - - 20 - -"),
    // Gaps.
    ("FILL(m1, 7)", "1 2 7 4 8"),
    ("FILL(m1, m2)", "1 2 30 4 8"),
    ("FILL(m2, MIN(m1))", "10 1 30 1 1"),
    ("FILL(m2, REPEAT)", "10 10 30 30 30"),
    ("FILL(m2, LINEAR)", "10 20 30 - -"),
    ("FILL(DIFF(m1), REPEAT)", "- 1 1 2 4"),
    ("FILL(none, 0)", "0 0 0 0 0"),
    ("FILL(none, REPEAT)", "- - - - -"),
    ("FILL([m1, m2], m1)", "1 2 - 4 8 | 10 2 30 4 8"),
    // Conditions (docs: "Using IF expressions").
    ("IF(c1, c2, c3)", "30 0 20 - -"),
    ("IF(c1, 5, c3)", "5 5 20 - -"),
    ("IF(c1, c2, 5)", "30 0 5 5 -"),
    ("IF(1, m1, m2)", "1 2 - 4 8"),
    ("IF(0, m1, m2)", "10 - 30 - -"),
    ("IF(0, m1)", "- - - - -"),
    ("IF(m1 > 1, m1)", "- 2 - 4 8"),
    ("IF(m1 < 3, 10, 2)", "10 10 - 2 2"),
    ("IF(0, m1, 3)", "3 3 3 3 3"),
    ("IF(1, 2, 3) * m1", "2 4 - 8 16"),
    ("IF(AVG(none), m1, m2)", "- - - - -"),
    ("IF(z, 1, 0)", "0 1 0 1 -"),
    ("IF(DATAPOINT_COUNT(m1) + DATAPOINT_COUNT(m2) == 6, m1 + m2)", "11 - - - -"),
    // The request.
    ("m1 / PERIOD(m1) * 60", "1 2 - 4 8"),
    ("TIME_SERIES(MAX(m1))", "8 8 8 8 8"),
    ("TIME_SERIES(AVG(none))", "- - - - -"),
    ("METRICS(\"c\")", "1 1 0 0 - | 30 - 0 0 30 | 0 0 20 - 20"),
    ("METRICS('m1')", "1 2 - 4 8"),
    ("SUM([METRICS(\"m1\"), METRICS(\"m2\")])", "11 2 30 4 8"),
    ("METRIC_COUNT(METRICS()) + 0 * m1", "10 10 - 10 10"),
    ("METRIC_COUNT(METRICS(\"nothing\")) + 0 * m1", "0 0 - 0 0"),
    ("SUM(METRICS(\"nothing\"))", "- - - - -"),
    // Arrays.
    ("FIRST([m1, m2])", "1 2 - 4 8"),
    ("LAST([m1, m2])", "10 - 30 - -"),
    ("FIRST(METRICS(\"nothing\"))", "- - - - -"),
    ("SLICE([m1, m2, z], 1)", "10 - 30 - - | 0 1 0 -2 -"),
    ("SLICE([m1, m2, z], 1, 2)", "10 - 30 - -"),
    ("SLICE([m1, m2, z], -3, 1.9)", "1 2 - 4 8"),
    ("SORT([m1, none, m2, z], AVG, DESC)", "10 - 30 - - | 1 2 - 4 8 | 0 1 0 -2 - | - - - - -"),
    ("SORT([m1, none, m2, z], MIN, ASC, 2)", "0 1 0 -2 - | 1 2 - 4 8"),
    ("SORT([m1, m2], MAX, ASC, 1)", "1 2 - 4 8"),
    ("SORT([m1, m2], SUM, DESC, 1)", "10 - 30 - -"),
    ("REMOVE_EMPTY([none, m2, none])", "10 - 30 - -"),
    ("IF(FIRST(SORT([m1, m2], AVG, DESC)) > 20, 1, 0)", "0 - 1 - -"),
    // Friday, 1 March 2024, 23:58, into a Saturday.
    ("MINUTE(none)", "58 59 0 1 2"),
    ("HOUR(m1)", "23 23 0 0 0"),
    ("DAY(m2)", "5 5 6 6 6"),
    ("DATE(m1)", "1 1 2 2 2"),
    ("MONTH(m1)", "3 3 3 3 3"),
    ("YEAR(m1)", "2024 2024 2024 2024 2024"),
    ("EPOCH(m1)", "1709337480 1709337540 1709337600 1709337660 1709337720"),
    ("IF(DAY(m1) < 6, m1)", "1 2 - - -"),
];

fn check(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        let mut expected = read(expected);
        for row in &mut expected {
            row.resize(5, GAP);
        }
        assert_eq!(eval(text, &metrics()).as_ref(), Ok(&expected), "{text}");
    }
}

#[test]
fn operators_compute_as_cloudwatch_does() {
    check(OPERATORS);
}

#[test]
fn functions_compute_as_cloudwatch_does() {
    check(FUNCTIONS);
}

#[test]
fn no_function_and_no_operator_is_without_an_example() {
    let uses = |text: &str| FUNCTIONS.iter().chain(OPERATORS).any(|(row, _)| row.contains(text));
    let functions: Vec<_> =
        Function::ALL.iter().filter(|f| !uses(&format!("{}(", f.name()))).collect();
    assert!(functions.is_empty(), "{functions:?}");
    let operators: Vec<_> = Operator::SPELLINGS.iter().filter(|(text, _)| !uses(text)).collect();
    assert!(operators.is_empty(), "{operators:?}");
}
