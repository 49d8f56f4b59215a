//! What the gateway counts, as AWS's metrics (section 7.1).

use domain::metric::{Distribution, INVOCATIONS, Measured, MetricId, Summary};

use crate::metric_definitions::{
    CONCURRENCY, Definition, ERRORS_4XX, ERRORS_5XX, MODEL_ERRORS, MODEL_LATENCY, OVERHEAD_LATENCY,
    REQUESTS, REQUESTS_PER_INSTANCE,
};
use crate::sample::Sample;

/// The samples that a window of a variant stands for; none where there was nothing to measure.
pub(crate) fn samples(measured: &Measured) -> Vec<Sample> {
    let Measured { endpoint, variant, window, tally } = measured;
    let one = MetricId::of_variant(INVOCATIONS, REQUESTS.name, endpoint, variant);
    let requests = count(tally.invocations);
    let of = |definition: Definition, values: Distribution| Sample {
        series: definition.beside(&one),
        at: *window,
        values,
    };
    let all = [
        of(REQUESTS, Distribution::of(1.0, requests)),
        of(REQUESTS_PER_INSTANCE, shares(requests, tally.invocations_per_instance)),
        of(ERRORS_4XX, errors(requests, tally.errors_4xx)),
        of(ERRORS_5XX, errors(requests, tally.errors_5xx)),
        of(MODEL_ERRORS, errors(requests, tally.model_errors)),
        of(MODEL_LATENCY, tally.model_latency.clone()),
        of(OVERHEAD_LATENCY, tally.overhead_latency.clone()),
        of(CONCURRENCY, Distribution::from_summary(tally.concurrency)),
    ];
    all.into_iter().filter(|sample| !sample.values.is_empty()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 requests in ten seconds")]
fn count(requests: u64) -> f64 {
    requests as f64
}

/// A share for each request: their number and sum are known, and of the single ones only the mean.
fn shares(requests: f64, sum: f64) -> Distribution {
    let mean = if requests > 0.0 { sum / requests } else { 0.0 };
    Distribution::from_summary(Summary { count: requests, sum, min: mean, max: mean })
}

/// A 1 for each error and a 0 for each other request, so that the average is a ratio.
fn errors(requests: f64, errors: u64) -> Distribution {
    let errors = count(errors);
    let mut values = Distribution::of(1.0, errors);
    values.add_many(0.0, requests - errors);
    values
}

#[cfg(test)]
mod tests {
    use domain::metric::{Statistic, Tally};
    use domain::time::Timestamp;

    use super::*;

    #[test]
    fn errors_average_to_their_share() {
        let values = errors(4.0, 1);
        assert_eq!(Statistic::Average.of(&values), Some(0.25));
        assert_eq!(Statistic::Sum.of(&values), Some(1.0));
        assert_eq!(Statistic::SampleCount.of(&values), Some(4.0));
    }

    #[test]
    fn a_window_becomes_the_metrics_that_it_has_values_for() {
        let mut tally = Tally { invocations: 3, invocations_per_instance: 1.5, ..Tally::default() };
        tally.model_latency.add(250.0);
        let (endpoint, variant) = ("e".parse().unwrap(), "v".parse().unwrap());
        let window = Timestamp::from_millis(60_000);
        let samples = samples(&Measured { endpoint, variant, window, tally });
        let sums: Vec<_> = samples
            .iter()
            .map(|sample| (&*sample.series.metric.name, sample.values.summary().sum))
            .collect();
        let expected = [
            ("Invocations", 3.0),
            ("InvocationsPerInstance", 1.5),
            ("Invocation4XXErrors", 0.0),
            ("Invocation5XXErrors", 0.0),
            ("InvocationModelErrors", 0.0),
            ("ModelLatency", 250.0),
        ];
        assert_eq!(sums, expected);
    }
}
