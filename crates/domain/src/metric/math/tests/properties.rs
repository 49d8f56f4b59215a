//! What holds for every expression and all data.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::calendar;
use super::super::function::Function;
use super::super::{Outcome, Problem, Series, check, evaluate, parse};
use super::{Row, eval, expression, metric, points, window};
use crate::metric::Stat;
use crate::time::Timestamp;

fn any_value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        Just(None),
        (-100..100_i32).prop_map(|value| Some(f64::from(value) / 4.0)),
        Just(Some(0.0)),
        any::<f64>().prop_map(Some),
    ]
}

fn any_row() -> impl Strategy<Value = Row> {
    vec(any_value(), 0..7)
}

/// Text that is nearly an expression.
fn any_tokens() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "m1",
        "m2",
        "e0",
        "m9",
        "1",
        "0.5",
        "1e3",
        "-",
        "+",
        "*",
        "/",
        "^",
        "<",
        "==",
        "AND",
        "OR",
        "||",
        "(",
        ")",
        "[",
        "]",
        ",",
        "METRICS()",
        "METRICS(\"m\")",
        "SUM(",
        "AVG(",
        "FILL(",
        "IF(",
        "RATE(",
        "REPEAT",
        "ASC",
        "AVG",
        "SLICE(",
        "SORT(",
        "HOUR(",
        "TIME_SERIES(",
        "SEARCH(",
        "\"",
        "ä",
        "  ",
    ];
    vec(prop::sample::select(WORDS), 0..24).prop_map(|words| words.concat())
}

const OPERATORS: &[&str] = &["+", "-", "*", "/", "^", "<", ">=", "==", "!=", "AND", "||"];

/// What stands behind the first argument of some calls.
const ARGUMENTS: &[&str] = &["REPEAT", "LINEAR", "AVG, DESC", "SUM, ASC, 2", "1", "0, 2"];

/// Expressions that parse; most of them make sense.
fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("m1".to_owned()),
        Just("m2".to_owned()),
        (-5..6_i32).prop_map(|number| format!("({number})")),
        Just("METRICS()".to_owned()),
    ];
    leaf.prop_recursive(5, 24, 3, |inner| {
        let calls = prop::sample::select(Function::ALL);
        prop_oneof![
            (inner.clone(), prop::sample::select(OPERATORS), inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            (calls.clone(), inner.clone())
                .prop_map(|(call, inner)| format!("{}({inner})", call.name())),
            (calls, inner.clone(), prop::sample::select(ARGUMENTS))
                .prop_map(|(call, inner, word)| format!("{}({inner}, {word})", call.name())),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(condition, yes, no)| format!("IF({condition}, {yes}, {no})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("FILL({a}, {b})")),
            vec(inner.clone(), 1..4).prop_map(|elements| format!("[{}]", elements.join(", "))),
            inner.prop_map(|inner| format!("-{inner}")),
        ]
    })
}

fn is_sound(series: &Series) -> bool {
    series.points.is_sorted_by(|left, right| left.at < right.at)
        && series.points.iter().all(|point| point.value.is_finite())
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in prop_oneof![any_tokens(), any::<String>()]) {
        if let Ok(parsed) = parse(&text) {
            prop_assert!(parsed.references().iter().all(|id| text.contains(id)));
        }
    }

    #[test]
    fn what_passes_the_check_gives_sound_series(
        texts in vec(prop_oneof![3 => any_expression(), 1 => any_tokens()], 1..4),
        m1 in any_row(),
        m2 in any_row(),
    ) {
        let mut queries = vec![metric("m1"), metric("m2")];
        queries.extend((0..).zip(&texts).map(|(n, text)| expression(&format!("e{n}"), text)));
        let mut fetch = |stat: &Stat, _| points(if &*stat.metric.name == "m1" { &m1 } else { &m2 });
        let outcomes = evaluate(&queries, window(), &mut fetch);
        prop_assert_eq!(check(&queries, false).err(), outcomes.as_ref().err().cloned());
        for (_, outcome) in outcomes.unwrap_or_default() {
            match outcome {
                Outcome::Series(series) => prop_assert!(is_sound(&series)),
                Outcome::Array(array) => prop_assert!(array.iter().all(|(_, series)| is_sound(series))),
            }
        }
    }

    #[test]
    fn most_generated_expressions_parse(text in any_expression()) {
        let parsed = parse(&text);
        let is_about_arguments =
            matches!(&parsed, Err(super::MathError::Text(Problem::Arguments { .. } | Problem::TooDeep)));
        prop_assert!(parsed.is_ok() || is_about_arguments, "{}: {:?}", text, parsed);
    }

    #[test]
    fn sums_and_products_commute(m1 in any_row(), m2 in any_row()) {
        let metrics = [("m1", m1), ("m2", m2)];
        for (left, right) in [
            ("m1 + m2", "m2 + m1"), ("m1 * m2", "m2 * m1"), ("m1 == m2", "m2 == m1"), ("m1 < m2", "m2 > m1"),
            ("m1 - m2", "-(m2 - m1)"), ("m1 AND m2", "m2 && m1"), ("SUM([m1, m2])", "SUM([m2, m1])"),
            ("SUM([m1, m2]) + 0 * (m1 + m2)", "m1 + m2"),
            ("MAX([m1, m2])", "-MIN([-m1, -m2])"), ("FILL(m1, 0) + 0", "FILL(m1 + 0, 0)"),
        ] {
            prop_assert_eq!(eval(left, &metrics), eval(right, &metrics), "{} and {}", left, right);
        }
    }

    #[test]
    fn filled_series_have_no_gaps(m1 in any_row(), value in -9..9_i32) {
        let rows = eval(&format!("FILL(m1, {value})"), &[("m1", m1)]).unwrap();
        prop_assert!(rows[0].iter().all(Option::is_some));
    }

    /// The next day is the next of the month, or the first of the next month, whose number is one more or January.
    #[test]
    fn days_follow_one_another(day in -800_000..800_000_i64) {
        let date = |day: i64| {
            let at = Timestamp::from_millis(day * 86_400_000);
            [Function::Year, Function::Month, Function::Date].map(|function| calendar::value(function, at).unwrap())
        };
        let ([year, month, today], next) = (date(day), date(day + 1));
        let length = match month {
            2.0 if year % 4.0 == 0.0 && (year % 100.0 != 0.0 || year % 400.0 == 0.0) => 29.0,
            2.0 => 28.0,
            4.0 | 6.0 | 9.0 | 11.0 => 30.0,
            _ => 31.0,
        };
        let expected = if today < length {
            [year, month, today + 1.0]
        } else if month < 12.0 {
            [year, month + 1.0, 1.0]
        } else {
            [year + 1.0, 1.0, 1.0]
        };
        prop_assert_eq!(next.map(f64::to_bits), expected.map(f64::to_bits));
    }
}
