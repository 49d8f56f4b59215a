//! A sink that keeps all that it is offered.

use std::sync::{Arc, Mutex};

use domain::metric::{Measured, Sink, Tally};
use domain::time::Timestamp;

#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Vec<Vec<Measured>>>);

impl Sink for Ledger {
    fn offer(&self, measured: Vec<Measured>) {
        self.0.lock().expect("no test panics with it").push(measured);
    }
}

impl Ledger {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn offers(&self) -> usize {
        self.0.lock().expect("no test panics with it").len()
    }

    pub(crate) fn all(&self) -> Vec<Measured> {
        self.0.lock().expect("no test panics with it").concat()
    }

    /// All that was served of a variant of endpoint `e`.
    pub(crate) fn total(&self, variant: &str) -> Tally {
        self.sum(|measured| measured.variant.as_str() == variant)
    }

    /// All that was served within one window.
    pub(crate) fn within(&self, window: Timestamp) -> Tally {
        self.sum(|measured| measured.window == window)
    }

    fn sum(&self, counts: impl Fn(&Measured) -> bool) -> Tally {
        let mut sum = Tally::default();
        for Measured { tally, .. } in self.all().into_iter().filter(counts) {
            sum.invocations += tally.invocations;
            sum.invocations_per_instance += tally.invocations_per_instance;
            sum.errors_4xx += tally.errors_4xx;
            sum.errors_5xx += tally.errors_5xx;
            sum.model_errors += tally.model_errors;
            sum.model_latency.merge(&tally.model_latency);
            sum.overhead_latency.merge(&tally.overhead_latency);
            sum.concurrency = sum.concurrency.merge(tally.concurrency);
        }
        sum
    }
}
