//! Carries out safe updates (`domain::safe_update`) on any server that speaks SageMaker's API.
//!
//! It observes by AWS's own calls, asks `domain` what to do next, does it, and keeps the run in a journal after each change.
//! Who is called and as whom is the caller's matter ([`Remote`]), and so is where the journal lies ([`Journal`]): the CLI
//! speaks HTTP and keeps a file, the server calls its own operations as the user who asked, and keeps a record.

mod ask;
mod call;
mod carry_on;
pub mod journal;
mod observe;
mod say;
pub mod shown;
mod survey;
#[cfg(test)]
mod tests;
mod wants;

use std::future::Future;
use std::time::Duration;

use domain::safe_update::Run;
use domain::time::Timestamp;
use wire::{Document, Service};

pub use carry_on::carry_on;
pub use survey::{Survey, survey, survey_deletion};

/// The server that is worked on, as one caller sees it.
pub trait Remote: Sync {
    /// One call. It is not repeated below: what may be tried again is decided here.
    fn call(
        &self,
        service: &'static Service,
        operation: &'static str,
        input: &Document,
    ) -> impl Future<Output = Result<Document, Fault>> + Send;

    /// Server time.
    fn now(&self) -> impl Future<Output = Timestamp> + Send;

    /// Waits, in wall time.
    fn pause(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// Where the run is kept. It must be durable when `keep` returns.
pub trait Journal: Send {
    fn keep(&mut self, run: &Run) -> impl Future<Output = Result<(), String>> + Send;

    /// Tells people what is being done; nothing depends on it.
    fn tell(&mut self, line: &str);
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The service answered with an error.
    #[error("{code}: {message}")]
    Refused { code: String, message: String, status: u16 },
    /// No answer: the call may or may not have been acted upon.
    #[error("{0}")]
    Lost(String),
}

/// Why a run stands still. The journal says the same, and a later run goes on from there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Stopped(pub String);
