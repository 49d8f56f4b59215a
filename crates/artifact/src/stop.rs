//! How blocking work learns that nobody waits for it any more.
//!
//! Unpacking and copying run on threads that no future can cancel; they ask here every few hundred kilobytes instead.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared between who waits and who works. Cheap to clone; once stopped it stays so.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

/// The work was told to stop before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped before it was done")]
pub struct Interrupt;

impl Stop {
    /// Tells every holder to stop at its next look.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether to stop now.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// For `?` in loops.
    pub(crate) fn check(&self) -> Result<(), Interrupt> {
        if self.is_stopped() { Err(Interrupt) } else { Ok(()) }
    }

    /// Stops when dropped: a future that is given up takes its blocking work with it.
    pub(crate) fn on_drop(&self) -> StopOnDrop {
        StopOnDrop(self.clone())
    }
}

impl From<Interrupt> for io::Error {
    fn from(interrupt: Interrupt) -> Self {
        Self::other(interrupt)
    }
}

/// See [`Stop::on_drop`].
#[derive(Debug)]
pub(crate) struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}
