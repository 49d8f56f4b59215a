//! How the data plane tells what it has served, without waiting for anyone.

use std::fmt;

use super::{Distribution, Summary};
use crate::name::{EndpointName, VariantName};
use crate::time::Timestamp;

/// What was served of one variant within one window of time (section 7.1 for the meaning of each).
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub endpoint: EndpointName,
    pub variant: VariantName,
    /// Start of the window, in server time: a multiple of [`Measured::WINDOW_SECS`].
    pub window: Timestamp,
    pub tally: Tally,
}

impl Measured {
    /// The length of a window: the period of SageMaker's high-resolution metrics.
    pub const WINDOW_SECS: i64 = 10;

    /// The start of the window in which a moment lies.
    pub fn window_of(now: Timestamp) -> Timestamp {
        let millis = Self::WINDOW_SECS * 1000;
        Timestamp::from_millis(now.as_millis().div_euclid(millis) * millis)
    }
}

/// Counts and distributions of requests. Each counts in the window in which it ended, but for concurrency, which is taken
/// when a request begins.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    pub invocations: u64,
    /// The sum of 1/n over the requests, n being the instances in service when it was routed.
    pub invocations_per_instance: f64,
    pub errors_4xx: u64,
    pub errors_5xx: u64,
    pub model_errors: u64,
    /// Microseconds of wall time.
    pub model_latency: Distribution,
    /// Microseconds of wall time.
    pub overhead_latency: Distribution,
    /// Requests in flight on an instance, waiting ones included: whenever one begins, and once in a window besides.
    pub concurrency: Summary,
}

/// Takes what was measured. It never blocks; what it cannot take is lost, and it says so in the log.
pub trait Sink: Send + Sync + fmt::Debug {
    fn offer(&self, measured: Vec<Measured>);
}

/// Takes everything and keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSink;

impl Sink for NoSink {
    fn offer(&self, _measured: Vec<Measured>) {}
}
