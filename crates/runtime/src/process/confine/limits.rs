//! Limits of one process that cost a model server nothing, and spare the machine.
//!
//! Memory and processors are not among them: those are bounded by instance type (`share`). Nor is the number of
//! processes, which counts all of the user's.

use rustix::io::Result;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors of one process: more than any server with a connection per request opens, few enough that a leak ends
/// in the process and not in the machine.
pub(super) const DESCRIPTORS_MAX: u64 = 65_536;

/// Limits the caller and all that it starts.
pub(crate) fn apply() -> Result<()> {
    // A dump of a model server is weights and requests, gigabytes of them, in a folder that is about to go.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(DESCRIPTORS_MAX).min(DESCRIPTORS_MAX);
    setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: Some(most) })
}
