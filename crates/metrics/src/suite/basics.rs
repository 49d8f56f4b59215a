//! What goes in comes out.

use domain::metric::{Distribution, Measured, Sink, Statistic, Summary, Tally, Unit};

use super::{START, at, both, metric, plain, read, sample, series, stat};
use crate::metric_definitions::{self, CONCURRENCY, REQUESTS};
use crate::{Filter, Resolution, Sample, SeriesKey};

#[tokio::test]
async fn samples_come_out_at_every_period_that_they_are_kept_for() {
    for metrics in &both().all {
        let fine = series("Fine", Resolution::TenSeconds);
        let samples = (-12..0).map(|step| sample(&fine, START + step * 10, 1.0)).collect();
        metrics.put(samples).await.unwrap();
        let sum = stat("Fine", Statistic::Sum);
        let tens: Vec<_> = (-12..0).map(|step| (step * 10, 1.0)).collect();
        assert_eq!(read(metrics, &sum, 10, -120, 0), tens);
        assert_eq!(read(metrics, &sum, 20, -120, -80), [(-120, 2.0), (-100, 2.0)]);
        assert_eq!(read(metrics, &sum, 60, -120, 0), [(-120, 6.0), (-60, 6.0)]);
        assert_eq!(read(metrics, &sum, 300, -120, 0), [(-300, 12.0)]);
        assert_eq!(read(metrics, &sum, 3600, -3600, 0), [(-3600, 12.0)]);
        assert_eq!(read(metrics, &sum, 1, -120, 0), [], "finer than it is kept");
    }
}

#[tokio::test]
async fn a_metric_by_the_minute_has_its_minutes_at_finer_periods() {
    for metrics in &both().all {
        metrics.put(vec![sample(&series("M", Resolution::Minute), START - 30, 4.0)]).await.unwrap();
        let points = read(metrics, &stat("M", Statistic::Average), 10, -120, 0);
        assert_eq!(points, [(-60, 4.0)]);
    }
}

#[tokio::test]
async fn the_first_period_may_begin_before_and_the_last_is_whole() {
    for metrics in &both().all {
        let key = series("M", Resolution::Minute);
        let samples = [-300, -240, -60].map(|secs| sample(&key, START + secs, 1.0)).to_vec();
        metrics.put(samples).await.unwrap();
        let sum = stat("M", Statistic::Sum);
        assert_eq!(read(metrics, &sum, 60, -270, -240), [(-300, 1.0)]);
        assert_eq!(read(metrics, &sum, 60, -60, -60), [], "an empty range");
        assert_eq!(read(metrics, &sum, 300, -200, -100), [(-300, 3.0)]);
    }
}

#[tokio::test]
async fn an_idle_zero_gives_way_to_samples_in_either_order() {
    for resolution in [Resolution::TenSeconds, Resolution::Minute] {
        for metrics in &both().all {
            let key = series("M", resolution);
            metrics.record(vec![sample(&key, START - 118, 5.0)]);
            for secs in [-180, -120, -60] {
                metrics.idle(vec![key.clone()], at(START + secs));
                metrics.idle(vec![key.clone()], at(START + secs));
            }
            metrics.record(vec![sample(&key, START - 55, 7.0)]);
            metrics.flush().await.unwrap();
            let counts = read(metrics, &stat("M", Statistic::SampleCount), 60, -180, 0);
            assert_eq!(counts, [(-180, 1.0), (-120, 1.0), (-60, 1.0)], "{resolution:?}");
            let minima = read(metrics, &stat("M", Statistic::Minimum), 300, -300, 0);
            assert_eq!(minima, [(-300, 0.0)]);
            let sums = read(metrics, &stat("M", Statistic::Sum), 60, -180, 0);
            assert_eq!(sums, [(-180, 0.0), (-120, 5.0), (-60, 7.0)]);
        }
    }
}

#[tokio::test]
async fn a_sample_may_split_a_run_of_idle_minutes() {
    let both = both();
    for metrics in &both.all {
        let key = series("M", Resolution::Minute);
        for minute in 0..20 {
            metrics.idle(vec![key.clone()], at(START - 1200 + minute * 60));
        }
        metrics.put(vec![sample(&key, START - 600, 3.0)]).await.unwrap();
        let expected = |value: fn(i64) -> f64| -> Vec<_> {
            (0..20).map(|minute| (minute * 60 - 1200, value(minute))).collect()
        };
        let sums = read(metrics, &stat("M", Statistic::Sum), 60, -1200, 0);
        assert_eq!(sums, expected(|minute| if minute == 10 { 3.0 } else { 0.0 }));
        let counts = read(metrics, &stat("M", Statistic::SampleCount), 60, -1200, 0);
        assert_eq!(counts, expected(|_| 1.0));
    }
}

#[tokio::test]
async fn what_the_gateway_measures_becomes_sagemakers_metrics() {
    for metrics in &both().all {
        let (endpoint, variant) = ("e".parse().unwrap(), "v".parse().unwrap());
        let mut latency = Distribution::EMPTY;
        (1..=100).for_each(|micros| latency.add(f64::from(micros)));
        let measured = Measured {
            endpoint,
            variant,
            window: at(START - 20),
            tally: Tally {
                invocations: 100,
                invocations_per_instance: 50.0,
                errors_5xx: 25,
                model_latency: latency,
                concurrency: Summary { count: 100.0, sum: 300.0, min: 1.0, max: 5.0 },
                ..Tally::default()
            },
        };
        let id = REQUESTS.series(&measured.endpoint, &measured.variant).metric;
        metrics.offer(vec![measured]);
        metrics.flush().await.unwrap();
        let points = |name: &str, statistic: Statistic, period| {
            let metric = id.sibling(id.namespace.clone(), name.into());
            let stat = domain::metric::Stat { metric, statistic, unit: None, period: None };
            plain(&metrics.points(&stat, period, at(START - 60), at(START)).unwrap())
        };
        assert_eq!(points("Invocations", Statistic::Sum, 60), [(-60, 100.0)]);
        assert_eq!(points("InvocationsPerInstance", Statistic::Sum, 60), [(-60, 50.0)]);
        assert_eq!(points("Invocation5XXErrors", Statistic::Average, 60), [(-60, 0.25)]);
        assert_eq!(points("ModelLatency", Statistic::Percentile(90.0), 60), [(-60, 90.0)]);
        assert_eq!(points(CONCURRENCY.name, Statistic::Maximum, 10), [(-20, 5.0)]);
        assert_eq!(points(CONCURRENCY.name, Statistic::Percentile(50.0), 10), []);
    }
}

#[tokio::test]
async fn a_handle_finds_a_metric_that_comes_later() {
    for metrics in &both().all {
        let handle = metrics.resolve(&stat("Late", Statistic::Sum));
        let mut points = Vec::new();
        metrics.points_of(&handle, 60, at(START - 60), at(START), &mut points).unwrap();
        assert!(points.is_empty());
        let key = series("Late", Resolution::Minute);
        metrics.put(vec![sample(&key, START - 60, 2.0)]).await.unwrap();
        metrics.points_of(&handle, 60, at(START - 60), at(START), &mut points).unwrap();
        assert_eq!(plain(&points), [(-60, 2.0)]);
    }
}

#[tokio::test]
async fn units_are_series_of_their_own() {
    for metrics in &both().all {
        let count = series("M", Resolution::Minute);
        let seconds = SeriesKey { unit: Unit::Seconds, ..count.clone() };
        metrics
            .put(vec![sample(&count, START - 60, 1.0), sample(&seconds, START - 60, 2.0)])
            .await
            .unwrap();
        let units = |unit| {
            let buckets =
                metrics.statistics(&metric("M"), unit, 60, at(START - 60), at(START)).unwrap();
            buckets.into_iter().map(|b| (b.unit, b.values.summary().sum)).collect::<Vec<_>>()
        };
        let mut both = units(None);
        both.sort_by_key(|(unit, _)| unit.as_str());
        assert_eq!(both, [(Unit::Count, 1.0), (Unit::Seconds, 2.0)]);
        assert_eq!(units(Some(Unit::Seconds)), [(Unit::Seconds, 2.0)]);
        assert_eq!(units(Some(Unit::Bytes)), []);
    }
}

#[tokio::test]
async fn metrics_are_listed_in_order_page_by_page_for_two_weeks() {
    let both = both();
    for metrics in &both.all {
        let names: Vec<String> = (0..9).map(|number| format!("M{number}")).collect();
        let samples =
            names.iter().map(|name| sample(&series(name, Resolution::Minute), START - 60, 1.0));
        metrics.put(samples.collect()).await.unwrap();
        let old = Sample {
            at: at(START - 13 * 86_400),
            ..sample(&series("Old", Resolution::Minute), 0, 1.0)
        };
        metrics.put(vec![old]).await.unwrap();
        let now = at(START);
        let mut listed = Vec::new();
        while let page = metrics.list(&Filter::default(), listed.last(), 4, now)
            && !page.is_empty()
        {
            assert!(page.len() <= 4);
            listed.extend(page);
        }
        let listed: Vec<_> = listed.iter().map(|metric| metric.name.to_string()).collect();
        assert_eq!(listed, [names.clone(), vec!["Old".to_owned()]].concat());
        let count = |filter: Filter, now| metrics.list(&filter, None, 500, now).len();
        assert_eq!(count(Filter { recently_active: true, ..Filter::default() }, now), 9);
        assert_eq!(count(Filter { name: Some("M3".into()), ..Filter::default() }, now), 1);
        assert_eq!(count(Filter { namespace: Some("Shop".into()), ..Filter::default() }, now), 10);
        assert_eq!(count(Filter { namespace: Some("shop".into()), ..Filter::default() }, now), 0);
        for (dimension, found) in [
            (("Queue", None), 10),
            (("Queue", Some("orders")), 10),
            (("Queue", Some("bills")), 0),
            (("Topic", None), 0),
        ] {
            let dimensions = vec![(dimension.0.to_owned(), dimension.1.map(str::to_owned))];
            assert_eq!(
                count(Filter { dimensions, ..Filter::default() }, now),
                found,
                "{dimension:?}"
            );
        }
        assert_eq!(count(Filter::default(), at(START + 2 * 86_400)), 9);
        assert_eq!(count(Filter::default(), at(START + 15 * 86_400)), 0);
    }
}

#[tokio::test]
async fn an_idle_variant_has_the_zeros_that_aws_publishes() {
    for metrics in &both().all {
        let (endpoint, variant) = ("e".parse().unwrap(), "v".parse().unwrap());
        for resolution in [Resolution::Minute, Resolution::TenSeconds] {
            let idle = metric_definitions::idle_series(&endpoint, &variant, resolution);
            metrics.idle(idle, at(START - 60));
        }
        metrics.flush().await.unwrap();
        let listed = metrics.list(&Filter::default(), None, 100, at(START));
        let names: Vec<&str> = listed.iter().map(|metric| &*metric.name).collect();
        let expected = [
            "ConcurrentRequestsPerModel",
            "Invocation4XXErrors",
            "Invocation5XXErrors",
            "InvocationModelErrors",
            "Invocations",
            "InvocationsPerInstance",
        ];
        assert_eq!(names, expected);
    }
}
