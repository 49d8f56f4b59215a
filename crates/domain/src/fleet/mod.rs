//! Plans for an endpoint's instances: what to start, what to drain and stop, and what to tell the endpoint.

mod backoff;
mod plan;
mod progress;
mod route;
mod wanted;

#[cfg(test)]
mod tests;

pub use backoff::restart_at;
pub use plan::{Facts, Plan, Seen, Start, Why, plan};
pub use route::route;

use std::time::Duration;

/// Exits before the first good `/ping` that end a deployment: one may be chance, three are not.
pub const EARLY_EXITS_MAX: usize = 3;

/// Wall time that an instance may take to answer what it has begun: the 60 s of an invocation, and some for the way.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(70);

/// Exits that are remembered of one fleet while it stands: enough to grow the back-off to its limit.
pub const EXITS_KEPT: usize = 8;

/// How long after its end a model server that had been ready stops counting towards the back-off.
pub const STEADY_AFTER: Duration = Duration::from_mins(2);
