//! Server time. It runs `--time-scale` times as fast as the wall clock, is stored, and never goes back.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch: the precision of SageMaker's timestamps on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// How long ago `earlier` was; nothing if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:03}s", self.0.div_euclid(1000), self.0.rem_euclid(1000))
    }
}

/// The one replaceable source of time. Pure code takes a reading of it; only `server` and `sim` implement it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Server time: what records, alarms, cooldowns and answers are stamped with.
    fn now(&self) -> Timestamp;

    /// Wall time: what signatures go by. Whoever looks after the machine may set it, on or back.
    fn wall(&self) -> Timestamp;

    /// Wall time as it would be had nobody set it since the server started: what the limits of real work (download, start-up,
    /// draining, back-off) go by, so that setting the machine's clock neither ends them early nor makes them last.
    fn steady(&self) -> Timestamp {
        self.wall()
    }

    /// How long by the wall until server time has come to `at`: what a wait for something that is scheduled in server
    /// time sleeps. Nothing if it has passed.
    fn wall_until(&self, at: Timestamp) -> Duration {
        at.since(self.now())
    }
}
