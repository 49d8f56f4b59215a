//! What part of the machine one instance may use, if its instance type says so.
//!
//! The server chooses the processors, because only it knows what other instances have; the stage before the command
//! takes the share on, and all that the command starts inherits it. This must not decide how much an instance gets.

mod seats;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

pub(crate) use seats::{Processors, Seats};

use super::system;

/// What one instance may use. The default is all that there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// Private writable memory of each of its processes, in bytes.
    pub(crate) memory_bytes: Option<u64>,
    /// Numbers of the processors that it runs on; none is no bound.
    pub(crate) processors: Vec<usize>,
}

impl Share {
    /// Bounds the caller and all that it starts, for good as far as memory goes.
    ///
    /// Memory is bounded by `RLIMIT_DATA` and not by address space: it counts what a process may write and nobody
    /// shares, and so neither weights that are mapped to be read nor the apertures of graphics cards.
    pub(crate) fn apply(&self) -> io::Result<()> {
        if !self.processors.is_empty() {
            system::run_on(&self.processors)?;
        }
        if let Some(bytes) = self.memory_bytes {
            // Only root could raise what is set already.
            let most = getrlimit(Resource::Data).maximum.map_or(bytes, |most| most.min(bytes));
            setrlimit(Resource::Data, Rlimit { current: Some(most), maximum: Some(most) })?;
        }
        Ok(())
    }
}
