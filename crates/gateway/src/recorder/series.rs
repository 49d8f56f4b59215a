//! What one thread has counted of one variant in the window that is open.

use std::cell::RefCell;
use std::sync::Arc;

use domain::metric::{Measured, Summary, Tally};
use domain::time::Timestamp;

use crate::route_table::Target;

use super::Outcome;
use super::latencies::Latencies;

#[derive(Debug)]
pub(super) struct Series {
    target: Arc<Target>,
    counts: RefCell<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    invocations: u64,
    per_instance: f64,
    errors_4xx: u64,
    errors_5xx: u64,
    model_errors: u64,
    model_latency: Latencies,
    overhead_latency: Latencies,
    concurrency: Summary,
}

/// A request that is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    /// 1/n, n being the instances that were in service.
    pub(super) share: f64,
    pub(super) outcome: Outcome,
    /// Microseconds that a model server had it; absent if none ever did.
    pub(super) model: Option<u128>,
    /// Microseconds that it was here beside that.
    pub(super) overhead: u128,
}

impl Series {
    pub(super) fn new(target: Arc<Target>) -> Self {
        Self { target, counts: RefCell::default() }
    }

    /// A request has begun on an instance that now has so many.
    pub(super) fn begin(&self, inside: u64) {
        // More than a u32 of them at once is out of reach.
        let inside = f64::from(u32::try_from(inside).unwrap_or(u32::MAX));
        let mut counts = self.counts.borrow_mut();
        counts.concurrency = counts.concurrency.merge(Summary::of(inside, 1.0));
    }

    pub(super) fn end(&self, ended: &Ended) {
        let Ended { share, outcome, model, overhead } = *ended;
        let mut counts = self.counts.borrow_mut();
        counts.invocations += 1;
        counts.per_instance += share;
        match outcome {
            Outcome::Good => {}
            Outcome::ModelRefused => {
                counts.errors_4xx += 1;
                counts.model_errors += 1;
            }
            Outcome::ModelFailed => {
                counts.errors_5xx += 1;
                counts.model_errors += 1;
            }
            Outcome::GatewayFailed => counts.errors_5xx += 1,
        }
        if let Some(micros) = model {
            counts.model_latency.add(micros);
        }
        counts.overhead_latency.add(overhead);
    }

    /// What was counted since the last time, if anything was.
    pub(super) fn take(&self, window: Timestamp) -> Option<Measured> {
        let counts = self.counts.take();
        if counts.invocations == 0 && counts.concurrency.is_empty() {
            return None;
        }
        let tally = Tally {
            invocations: counts.invocations,
            invocations_per_instance: counts.per_instance,
            errors_4xx: counts.errors_4xx,
            errors_5xx: counts.errors_5xx,
            model_errors: counts.model_errors,
            model_latency: counts.model_latency.into(),
            overhead_latency: counts.overhead_latency.into(),
            concurrency: counts.concurrency,
        };
        let Target { endpoint, variant, .. } = &*self.target;
        Some(Measured { endpoint: endpoint.clone(), variant: variant.clone(), window, tally })
    }
}
