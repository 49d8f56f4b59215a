//! Keeps each decision atomic and durable.
//!
//! A decision is a pure function from the state to changes of it. Decisions run one after another in a single writer,
//! each seeing all before it, so that check and write are one (promise T1); those that wait together share one commit,
//! and none is answered before its sync (promise T2). Reads come from an immutable image of the last committed state
//! and take no lock. Why it is built so: `docs/decisions/0001-store.md`.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

mod directory;
mod engine;
pub mod memory;
pub mod record;
mod rehearsal;
pub mod sqlite;
mod state;
#[cfg(test)]
mod suite;

pub use memory::MemoryStore;
pub use rehearsal::Rehearsal;
pub use sqlite::SqliteStore;
pub use state::{Changes, State, Table, Timeline};

/// A decision as the writer runs it.
pub type Decision = Box<dyn FnOnce(&State) -> Changes + Send>;

/// Where the state lives. `suite/` is the meaning of this trait.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// The state as last committed. It does not change under the reader.
    fn state(&self) -> Arc<State>;

    /// Runs a decision after all that were submitted before it, and makes its changes durable.
    fn submit(
        &self,
        decision: Decision,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>>;
}

/// Why the state could not be kept or read. Nothing was changed then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("the state cannot be kept: {0}")]
    Commit(String),
    /// The disk did not take it.
    #[error("the disk failed: {0}")]
    Disk(String),
    /// Nothing more can be kept until there is room.
    #[error("the disk is full")]
    Full,
    #[error("the state cannot be read: {0}")]
    Read(String),
    #[error("the store has stopped")]
    Stopped,
}

/// Why a decision came to nothing: it was refused, or the store failed.
#[derive(Debug, thiserror::Error)]
pub enum Undecided<E> {
    #[error(transparent)]
    Refused(E),
    #[error(transparent)]
    Store(Error),
}

/// Runs a decision that answers with a value, or refuses and changes nothing. The answer comes after the sync.
pub async fn decide<T, E>(
    store: &dyn Store,
    decision: impl FnOnce(&State) -> Result<(Changes, T), E> + Send + 'static,
) -> Result<T, Undecided<E>>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    let run = move |state: &State| {
        let (changes, verdict) = match decision(state) {
            Ok((changes, value)) => (changes, Ok(value)),
            Err(refusal) => (Changes::none(), Err(refusal)),
        };
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
        changes
    };
    store.submit(Box::new(run)).await.map_err(Undecided::Store)?;
    let verdict = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
    verdict.ok_or(Undecided::Store(Error::Stopped))?.map_err(Undecided::Refused)
}
