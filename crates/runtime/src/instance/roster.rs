//! All instances of a driver: one task each, and what is known of them. It is the whole of [`Driver`] but for the
//! [`Backend`].
//!
//! [`Driver`]: crate::driver::Driver

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::instance::{Exit, ExitCause, InstanceId, Observed, Order, Phase};
use domain::time::Clock;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::actor::{self, Switches};
use super::{Backend, Registry, Tasks};

/// Called after any change of what a driver observes. It must return at once.
pub type Nudge = Arc<dyn Fn() + Send + Sync>;

/// Instances one driver runs at once. Each takes a process or three, four file descriptors and a port; a machine that
/// could run more needs more than one server.
pub(crate) const INSTANCES_MAX: usize = 2048;

/// Wall time that killing may take once the grace is over: a kill is answered in milliseconds, unless the machine
/// is out of memory or a disk hangs.
const KILLING_TIMEOUT: Duration = Duration::from_secs(15);

/// The instances of one driver.
pub(crate) struct Roster<B> {
    shared: Arc<Shared<B>>,
    tasks: Tasks,
    /// Nothing is started any more.
    closed: AtomicBool,
}

struct Shared<B> {
    backend: B,
    registry: Mutex<Registry<Switches>>,
    clock: Arc<dyn Clock>,
    nudge: Nudge,
}

impl<B> fmt::Debug for Roster<B> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Roster").field("tasks", &self.tasks).finish_non_exhaustive()
    }
}

impl<B: Backend> Roster<B> {
    pub(crate) fn new(backend: B, handle: Handle, clock: Arc<dyn Clock>, nudge: Nudge) -> Self {
        let shared = Shared { backend, registry: Mutex::default(), clock, nudge };
        Self {
            shared: Arc::new(shared),
            tasks: Tasks::new("instances", INSTANCES_MAX, handle),
            closed: AtomicBool::new(false),
        }
    }

    pub(crate) fn backend(&self) -> &B {
        &self.shared.backend
    }

    pub(crate) fn start(&self, order: Order) {
        let switches = Switches::default();
        if !self.shared.registry().admit(order.id.clone(), order.fleet.clone(), switches.clone()) {
            return;
        }
        (self.shared.nudge)();
        if self.closed.load(Ordering::SeqCst) {
            return self.shared.tell_exit(&order.id, ExitCause::Stopped, false);
        }
        let (id, shared) = (order.id.clone(), Arc::clone(&self.shared));
        let life = async move {
            let tell = |phase| shared.tell(&order.id, phase);
            let end = actor::live(&shared.backend, &order, &switches, tell).await;
            shared.tell_exit(&order.id, end.cause, end.was_ready);
        };
        if let Err(full) = self.tasks.spawn(id.as_str(), life) {
            self.shared.tell_exit(&id, ExitCause::Launch(full.to_string()), false);
        }
    }

    pub(crate) fn stop(&self, id: &InstanceId) {
        let stopping =
            self.shared.registry().stop(id).map(|switches| switches.stop.cancel()).is_some();
        if stopping {
            (self.shared.nudge)();
        }
    }

    pub(crate) fn observe(&self) -> Vec<Observed> {
        self.shared.registry().observe()
    }

    pub(crate) fn forget(&self, id: &InstanceId) {
        if self.shared.registry().forget(id) {
            (self.shared.nudge)();
        }
    }

    /// Stops every instance, waits out `grace`, kills what is left, and waits for that. From now on
    /// what is started ends at once. Returns whether nothing is left running.
    pub(crate) async fn shutdown(&self, grace: Duration) -> bool {
        self.closed.store(true, Ordering::SeqCst);
        let running =
            self.observe().into_iter().filter(|seen| !matches!(seen.phase, Phase::Exited(_)));
        running.for_each(|seen| self.stop(&seen.id));
        if timeout(grace, self.tasks.ended()).await.is_ok() {
            return true;
        }
        for (_, _, switches) in self.shared.registry().running() {
            switches.kill.cancel();
        }
        timeout(KILLING_TIMEOUT, self.tasks.ended()).await.is_ok()
    }
}

impl<B> Shared<B> {
    fn registry(&self) -> MutexGuard<'_, Registry<Switches>> {
        // Each change is one assignment or insertion, so a panic elsewhere cannot leave it half-made.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, id: &InstanceId, phase: Phase) {
        if self.registry().advance(id, phase) {
            (self.nudge)();
        }
    }

    fn tell_exit(&self, id: &InstanceId, cause: ExitCause, was_ready: bool) {
        let exit = Exit { cause, was_ready, at: self.clock.steady() };
        tracing::info!(instance = %id, cause = ?exit.cause, was_ready, "instance has ended");
        self.tell(id, Phase::Exited(exit));
    }
}
