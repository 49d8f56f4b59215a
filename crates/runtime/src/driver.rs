//! What every driver promises. The suite in `suite/` is the meaning of this trait; the fake passes it too.

use std::fmt;
use std::time::Duration;

use domain::instance::{InstanceId, Observed, Order};

/// Runs instances of model servers. Calls return at once; what came of them is seen in [`Driver::observe`].
///
/// Only `control` talks to drivers (invariant A4). It reads by level: it may see the same fact twice, or miss one that
/// did not last.
pub trait Driver: Send + Sync + fmt::Debug {
    /// Prepares, launches and watches an instance. An id that is known already is a replay and changes nothing.
    fn start(&self, order: Order);

    /// Asks an instance to end: SIGTERM, and SIGKILL for its whole tree when the grace is over
    /// (`reference/sagemaker-hosting.md`, section 6). Unknown ids and repeats change nothing.
    fn stop(&self, id: &InstanceId);

    /// Every instance that was started and not forgotten, in the order of their ids.
    fn observe(&self) -> Vec<Observed>;

    /// What an instance uses; nothing while nothing of it runs, or if the system cannot tell. It reads files, and more of
    /// them the more processes the machine runs: milliseconds for a hundred instances, if they are asked for in a row.
    fn usage(&self, id: &InstanceId) -> Option<Usage>;

    /// Drops the record of an instance that has exited; one that has not is kept.
    fn forget(&self, id: &InstanceId);
}

/// What all processes of an instance use together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time since it was launched, of processes that have ended too. It never goes back while the instance
    /// runs.
    pub cpu: Duration,
    /// Resident memory. What processes share counts for each of them.
    pub memory_bytes: u64,
}
