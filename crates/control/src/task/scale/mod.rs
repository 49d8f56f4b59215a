//! Measures, watches and scales: what happens on a grid of server time.
//!
//! At each edge of ten seconds, as soon as what was measured before it has arrived: idle variants and instances are
//! measured (`measure`), alarms are evaluated (`alarms`), and what they trigger is decided and recorded (`autoscale`).
//! Scheduled actions run when they are due (`schedule`), and what is too old to be shown is removed (`sweep`). What is
//! decided is decided in `domain::scaling`; instances are started and stopped by the fleets' task alone.

mod alarms;
mod autoscale;
mod decisions;
mod measure;
mod schedule;
mod sweep;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::arn::Scope;
use domain::endpoint::Limits;
use domain::instance::Resources;
use domain::metric::Measured;
use domain::time::{Clock, Timestamp};
use metrics::Metrics;
use runtime::driver::Driver;
use store::Store;

pub use decisions::Decisions;

use alarms::Alarms;
use autoscale::Autoscale;
use measure::Measure;
use schedule::Schedules;
use sweep::Sweep;

/// The length of a step of the grid.
const STEP: Duration = Duration::from_secs(Measured::WINDOW_SECS.unsigned_abs());

/// The shortest pause between two runs, however fast server time is.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// What all instances share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    pub cores: u32,
    pub memory_bytes: u64,
}

/// What the task works with.
#[derive(Clone)]
pub struct Means {
    pub store: Arc<dyn Store>,
    pub driver: Arc<dyn Driver>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub scope: Scope,
    pub limits: Arc<Limits>,
    /// What an instance may use, by instance type.
    pub resources: BTreeMap<String, Resources>,
    /// What an instance without a limit may use.
    pub machine: Machine,
    /// How long after the end of a period, in server time, everything measured in it has arrived.
    pub settle: Duration,
    /// Random bits for the ids of activities.
    pub entropy: Arc<dyn Fn() -> u128 + Send + Sync>,
}

impl fmt::Debug for Means {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Means").field("settle", &self.settle).finish_non_exhaustive()
    }
}

/// The task. What it remembers can be lost: it is what spares it work, and what `explain` tells of the recent past.
#[derive(Debug)]
pub struct Scaling {
    means: Means,
    measure: Measure,
    alarms: Alarms,
    autoscale: Autoscale,
    schedules: Schedules,
    sweep: Sweep,
    /// The last edge of the grid that was worked through.
    done: Option<Timestamp>,
}

/// What one run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// A capacity was changed: the fleets have something to do.
    pub changed: bool,
    /// The store failed; the next run tries again what still holds.
    pub failed: bool,
    /// When something is due that nobody will tell of, by the wall.
    pub wake_after: Duration,
}

impl Scaling {
    pub fn new(means: Means, decisions: Arc<Decisions>) -> Self {
        Self {
            measure: Measure::default(),
            alarms: Alarms::default(),
            autoscale: Autoscale::new(decisions),
            schedules: Schedules::default(),
            sweep: Sweep::default(),
            done: None,
            means,
        }
    }

    /// Looks at everything and does what is due. It is told nothing, on purpose.
    pub async fn activate(&mut self) -> Report {
        let now = self.means.clock.now();
        let edge = self.edge(now);
        let mut failed = false;
        let mut triggers = Vec::new();
        // Before the evaluation, which may take an alarm out of the state that a user has set.
        self.alarms.set_by_hand(&self.means, now, &mut triggers);
        if self.done.is_none_or(|done| done < edge) {
            let done = self.done.replace(edge);
            self.measure.run(&self.means, done, edge);
            failed |= !self.alarms.evaluate(&self.means, (done, edge), now, &mut triggers).await;
        }
        let scheduled = self.schedules.run(&self.means, now).await;
        let scaled = self.autoscale.run(&self.means, &self.alarms, triggers, now).await;
        failed |= !self.sweep.run(&self.means, now).await;
        let next = edge.plus(STEP).plus(self.means.settle);
        let next = scheduled.next.into_iter().chain(scaled.next).fold(next, Timestamp::min);
        Report {
            changed: scheduled.changed || scaled.changed,
            failed: failed || scheduled.failed || scaled.failed,
            wake_after: self.means.clock.wall_until(next).max(PAUSE_MIN),
        }
    }

    /// The last edge before which everything has arrived.
    fn edge(&self, now: Timestamp) -> Timestamp {
        let settle = i64::try_from(self.means.settle.as_millis()).unwrap_or(i64::MAX);
        Measured::window_of(Timestamp::from_millis(now.as_millis().saturating_sub(settle)))
    }
}

/// What a part of the task came to.
#[derive(Debug, Clone, Copy, Default)]
struct Done {
    changed: bool,
    failed: bool,
    /// The server time at which it has something to do again.
    next: Option<Timestamp>,
}
