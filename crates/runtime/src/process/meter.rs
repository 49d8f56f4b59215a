//! What instances use, read from the system.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::instance::InstanceId;
use rustix::process::Pid;
use tokio::time::Instant;

use crate::driver::Usage;

use super::system::Processes;

/// How long one look at all processes serves. Whoever asks for all instances in a row makes the system tell once, and
/// does not see a moment as old as it would take to see change.
const LOOK_SERVES: Duration = Duration::from_millis(100);

/// The instances that run, and the latest look at what they use.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    trees: Mutex<BTreeMap<InstanceId, Tree>>,
    look: Mutex<Option<Look>>,
}

/// The processes of one instance.
#[derive(Debug)]
struct Tree {
    supervisor: Pid,
    /// The most processor time that was ever told. What a process used that nobody waited for goes with it.
    most: Duration,
}

#[derive(Debug)]
struct Look {
    at: Instant,
    processes: Arc<Processes>,
}

impl Meter {
    /// From now on there are processes below this supervisor.
    pub(crate) fn begin(&self, id: InstanceId, supervisor: Pid) {
        self.trees().insert(id, Tree { supervisor, most: Duration::ZERO });
    }

    /// Nothing of it runs any more.
    pub(crate) fn end(&self, id: &InstanceId) {
        self.trees().remove(id);
    }

    pub(crate) fn usage(&self, id: &InstanceId) -> Option<Usage> {
        let supervisor = self.trees().get(id)?.supervisor;
        let used = self.processes().below(supervisor)?;
        let mut trees = self.trees();
        // It may have ended meanwhile.
        let tree = trees.get_mut(id)?;
        tree.most = tree.most.max(used.cpu);
        Some(Usage { cpu: tree.most, ..used })
    }

    fn processes(&self) -> Arc<Processes> {
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = look.as_ref().filter(|look| look.at.elapsed() < LOOK_SERVES);
        if let Some(Look { processes, .. }) = recent {
            return Arc::clone(processes);
        }
        let processes = Arc::new(Processes::now());
        *look = Some(Look { at: Instant::now(), processes: Arc::clone(&processes) });
        processes
    }

    fn trees(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Tree>> {
        // Each change is one insertion, removal or assignment.
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
