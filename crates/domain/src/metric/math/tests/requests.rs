//! What holds for a list of queries as a whole: ids, periods, labels, what is returned
//! (`reference/autoscaling-and-cloudwatch.md`, sections 6.2 and 6.4).

use super::super::{MathError, Outcome, Problem, QUERIES_MAX, check, evaluate, parse};
use super::{GAP, expression, metric, metric_every, points, row, window};
use crate::metric::{Query, Source, Stat};

fn every(id: &str, text: &str, period: u32) -> Query {
    let source = Source::Expression { text: text.to_owned(), period: Some(period) };
    Query { source, ..expression(id, text) }
}

fn hidden(query: Query) -> Query {
    Query { return_data: Some(false), ..query }
}

fn shown(query: Query) -> Query {
    Query { return_data: Some(true), ..query }
}

#[test]
fn ids_are_well_formed_and_unique() {
    let longest = "a".repeat(255);
    for good in ["a", "m1", "aB_9", longest.as_str()] {
        assert_eq!(check(&[metric(good)], false), Ok(()), "{good}");
    }
    let too_long = "a".repeat(256);
    for bad in ["", "M1", "1m", "_a", "a-b", "a b", "ä", too_long.as_str()] {
        let id = bad.to_owned();
        assert_eq!(check(&[metric(bad)], false), Err(MathError::MalformedId { id }));
    }
    let twice = [metric("a"), expression("a", "1")];
    assert_eq!(check(&twice, false), Err(MathError::DuplicateId { id: "a".into() }));
}

#[test]
fn lists_are_bounded() {
    let many: Vec<_> = (0..=QUERIES_MAX).map(|n| metric(&format!("m{n}"))).collect();
    assert_eq!(check(&many, false), Err(MathError::TooManyQueries(501)));
    assert_eq!(check(&many[..QUERIES_MAX], false), Ok(()));
    let single = |metrics: usize, expressions: usize| {
        let mut queries = many[..metrics].to_vec();
        queries.extend((1..expressions).map(|n| hidden(expression(&format!("e{n}"), "m0"))));
        queries.push(expression("e0", "SUM(METRICS())"));
        check(&queries, true)
    };
    assert_eq!(single(10, 10), Ok(()));
    assert_eq!(single(11, 1), Err(MathError::TooManyForOneSeries));
    assert_eq!(single(1, 11), Err(MathError::TooManyForOneSeries));
}

#[test]
fn an_alarm_watches_exactly_one_series() {
    let one = [metric("m1"), expression("e1", "m1 * 2")];
    assert_eq!(check(&one, true), Ok(()));
    assert_eq!(check(&[shown(metric("m1"))], true), Ok(()));
    assert_eq!(check(&[], true), Err(MathError::NotOneReturned));
    assert_eq!(check(&[metric("m1")], true), Err(MathError::NotOneReturned));
    let two = [shown(metric("m1")), expression("e1", "m1 * 2")];
    assert_eq!(check(&two, true), Err(MathError::NotOneReturned));
    assert_eq!(check(&two, false), Ok(()));
    assert_eq!(
        MathError::NotOneReturned.to_string(),
        "Exactly one element of the metrics list should return data."
    );
    let array = [metric("m1"), expression("e1", "METRICS()")];
    let problem = Problem::ManySeries;
    assert_eq!(check(&array, true), Err(MathError::Expression { id: "e1".into(), problem }));
    assert_eq!(check(&array, false), Ok(()));
    let between =
        [metric("m1"), hidden(expression("e1", "METRICS()")), expression("e2", "SUM(e1)")];
    assert_eq!(check(&between, true), Ok(()));
}

#[test]
fn an_alarm_has_one_period() {
    let differ = [metric("m1"), metric_every("m2", Some(300)), expression("e1", "m1 + m2")];
    let error = MathError::PeriodsDiffer { id: "m2".into(), period: 300, others: 60 };
    assert_eq!(check(&differ, true), Err(error));
    assert_eq!(check(&differ, false), Ok(()));
    let absent = [metric_every("m1", None), metric("m2"), every("e1", "m1 + m2", 60)];
    assert_eq!(check(&absent, true), Ok(()), "absent means 60 s");
    let own = [metric("m1"), every("e1", "m1", 300)];
    assert!(matches!(check(&own, true), Err(MathError::PeriodsDiffer { .. })));
    let none = [expression("e1", "TIME_SERIES(5)")];
    assert_eq!(check(&none, true), Err(MathError::NoPeriod));
    assert_eq!(check(&[every("e1", "TIME_SERIES(5)", 60)], true), Ok(()));
    let zero = [metric_every("m1", Some(0))];
    assert_eq!(check(&zero, false), Err(MathError::ZeroPeriod { id: "m1".into() }));
}

/// The periods at which each metric is fetched, in order.
fn fetched(queries: &[Query]) -> Vec<(String, u32)> {
    let mut asked = Vec::new();
    let mut fetch = |stat: &Stat, period: u32| {
        asked.push((stat.metric.name.to_string(), period));
        Vec::new()
    };
    evaluate(queries, window(), &mut fetch).unwrap();
    asked.sort();
    asked
}

#[test]
fn an_expression_reads_everything_at_the_coarsest_period() {
    let at = |id: &str, period| (id.to_owned(), period);
    let queries = [
        shown(metric("m1")),
        metric_every("m2", Some(300)),
        expression("e1", "m1 + m2"),
        hidden(metric("unused")),
    ];
    assert_eq!(fetched(&queries), [at("m1", 60), at("m1", 300), at("m2", 300)]);
    let own = [metric("m1"), every("e1", "m1", 3600)];
    assert_eq!(fetched(&own), [at("m1", 3600)]);
    let finer = [metric("m1"), every("e1", "m1", 10)];
    assert_eq!(fetched(&finer), [at("m1", 60)]);
    let through = [
        metric("m1"),
        metric_every("m3", Some(3600)),
        expression("e1", "m1 * PERIOD(m1)"),
        expression("e2", "e1 + m3"),
    ];
    assert_eq!(fetched(&through), [at("m1", 60), at("m1", 3600), at("m3", 3600)]);
    let all =
        [metric("m1"), metric_every("m2", Some(300)), expression("e1", "SUM(METRICS(\"2\"))")];
    assert_eq!(fetched(&all), [at("m2", 300)]);
    assert_eq!(fetched(&[metric_every("m1", None), expression("e1", "m1")]), [at("m1", 60)]);
}

#[test]
fn the_period_is_that_of_the_result() {
    let queries = [
        metric("m1"),
        metric_every("m2", Some(120)),
        expression("e1", "TIME_SERIES(PERIOD(m1)) + 0 * FILL(m2, 0)"),
    ];
    let outcomes = evaluate(&queries, window(), &mut |_, _| Vec::new()).unwrap();
    let Outcome::Series(series) = &outcomes[0].1 else { panic!("not a series") };
    assert_eq!(series.period, 120);
    // 23:58, 00:00 and 00:02.
    assert_eq!(row(series), [Some(120.0), GAP, Some(120.0), GAP, Some(120.0)]);
}

#[test]
fn only_what_returns_data_comes_back_in_the_order_of_the_request() {
    let queries = [
        expression("e3", "e2 + 1"),
        hidden(expression("e2", "m1 * 10")),
        Query { label: Some("Load".into()), ..shown(metric("m1")) },
    ];
    let outcomes = evaluate(&queries, window(), &mut |_, _| points(&[Some(1.0), GAP])).unwrap();
    let [(0, Outcome::Series(e3)), (2, Outcome::Series(m1))] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert_eq!((e3.points[0].value, e3.points[0].samples), (11.0, None));
    assert_eq!((m1.points[0].value, m1.points[0].samples), (1.0, Some(1.0)));
    assert_eq!((m1.label.as_deref(), e3.label.as_deref()), (Some("Load"), None));
}

#[test]
fn elements_of_arrays_are_known_by_their_metrics() {
    let names = |text: &str| {
        let queries = [
            Query { label: Some("First".into()), ..metric("m1") },
            metric("m2"),
            Query { label: Some("All".into()), ..expression("e1", text) },
        ];
        let mut outcomes = evaluate(&queries, window(), &mut |_, _| points(&[Some(1.0)])).unwrap();
        let Outcome::Array(array) = outcomes.remove(0).1 else { panic!("not an array") };
        array.into_iter().map(|(id, series)| (id, series.label)).collect::<Vec<_>>()
    };
    let first = || ("m1".to_owned(), Some("First".to_owned()));
    let second = || ("m2".to_owned(), None);
    let own = || ("e1".to_owned(), Some("All".to_owned()));
    assert_eq!(names("FILL(METRICS() * 100 / m2, 0)"), [first(), second()]);
    assert_eq!(names("[-m2, RATE(m1)]"), [second(), first()]);
    assert_eq!(names("[m1 + m2, 3 / m1, FIRST(METRICS())]"), [own(), first(), first()]);
}

#[test]
fn references_are_the_ids_that_are_named() {
    let expression = parse("m1 / AVG(METRICS(\"x\")) + IF(m2 > 1, m1, e_3)").unwrap();
    assert_eq!(expression.references().into_iter().collect::<Vec<_>>(), ["e_3", "m1", "m2"]);
}
