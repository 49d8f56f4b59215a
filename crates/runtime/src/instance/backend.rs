//! What a driver brings, so that the life of its instances can be the same as that of every other's.

use std::future::Future;

use domain::instance::{Address, ExitCause, InstanceId, Order};

use super::{Health, ping};

/// Prepares and launches instances.
pub(crate) trait Backend: Send + Sync + 'static {
    type Running: Running;

    /// Brings everything the model server needs. Dropping the future gives up; [`Backend::clean_up`] follows.
    fn prepare(&self, order: &Order) -> impl Future<Output = Result<(), ExitCause>> + Send;

    /// Starts the model server of an instance that was prepared. Takes moments, and is never given up half-way.
    fn launch(
        &self,
        order: &Order,
    ) -> impl Future<Output = Result<Self::Running, ExitCause>> + Send;

    /// Asks the model server at `address` once whether it is well.
    fn probe(&self, address: &Address) -> impl Future<Output = Health> + Send {
        ping(address)
    }

    /// Removes what [`Backend::prepare`] brought. Nothing of the instance runs any more.
    fn clean_up(&self, id: &InstanceId) -> impl Future<Output = ()> + Send;
}

/// A model server that was launched. Dropping it ends it all the same, only that nobody waits for it.
pub(crate) trait Running: Send {
    /// Where it was told to listen.
    fn address(&self) -> &Address;

    /// Waits until it has ended by itself and nothing of it is left running. Cancel-safe.
    fn ended(&mut self) -> impl Future<Output = ExitCause> + Send;

    /// The last of what it wrote, for a `FailureReason`.
    fn last_words(&self) -> String;

    /// Asks it to end, kills it when the grace is over, and waits until nothing of it is left running. Cancel-safe.
    fn stop(&mut self) -> impl Future<Output = ()> + Send;

    /// Kills it and waits until nothing of it is left running.
    fn kill(&mut self) -> impl Future<Output = ()> + Send;
}
