//! Drivers that run instances of model servers.
//!
//! A driver is told what to start and stop and tells what it sees; it never decides how many instances there should
//! be, and it never carries an inference request.

pub mod artifacts;
pub mod driver;
pub mod fake;
mod instance;
pub mod process;
#[cfg(test)]
mod suite;

pub use instance::Nudge;
