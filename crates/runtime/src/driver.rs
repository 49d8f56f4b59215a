//! What every driver promises. The suite in `suite/` is the meaning of this trait; the fake passes it too.

use std::fmt;

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

    /// Drops the record of an instance that has exited; one that has not is kept.
    fn forget(&self, id: &InstanceId);
}
