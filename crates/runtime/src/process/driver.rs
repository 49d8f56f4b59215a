//! The process runtime as a [`Driver`].

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use domain::instance::{InstanceId, Observed, Order};
use domain::time::Clock;
use tokio::runtime::{Handle, TryCurrentError};

use crate::artifacts::Artifacts;
use crate::driver::Driver;
use crate::instance::{INSTANCES_MAX, Nudge, Roster, Tasks};

use super::ProcessSettings;
use super::backend::ProcessBackend;
use super::child::SUPERVISOR_TIMEOUT;
use super::folder::Folders;
use super::output::Logs;
use super::port::Ports;
use super::sweep::sweep;

/// Runs model servers as child processes.
#[derive(Debug)]
pub struct ProcessDriver {
    roster: Roster<ProcessBackend>,
}

/// Why there is no process runtime.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot use {path}: {source}", path = .path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error(
        "model servers of an earlier run cannot be ended; see the processes with {mark} in their environment"
    )]
    LeftOver { mark: &'static str },
    #[error("cannot start the thread that writes logs: {0}")]
    Thread(io::Error),
    #[error(transparent)]
    NoRuntime(#[from] TryCurrentError),
}

impl ProcessDriver {
    /// Opens the runtime on its data directory, which nobody else may use. Ends the processes and removes the folders
    /// that an earlier server left there if it was killed; that may take seconds. `nudge` is called, from any thread,
    /// after each change of what [`Driver::observe`] tells.
    ///
    /// Must be called within the tokio runtime that is to drive the instances.
    pub fn open(
        settings: ProcessSettings,
        artifacts: Arc<dyn Artifacts>,
        clock: Arc<dyn Clock>,
        nudge: Nudge,
    ) -> Result<Self, OpenError> {
        let handle = Handle::try_current()?;
        let folder = |path: PathBuf| move |source| OpenError::Folder { path, source };
        let data_dir =
            settings.data_dir.canonicalize().map_err(folder(settings.data_dir.clone()))?;
        let root = data_dir.join("instances");
        let left_over = Folders::left_over(&root).map_err(folder(root.clone()))?;
        if !sweep(None, &left_over) {
            return Err(OpenError::LeftOver { mark: super::environment::MARK });
        }
        Folders::remove_left_over(&root).map_err(folder(root.clone()))?;
        let id_bytes = InstanceId::from_entropy(0).as_str().len();
        let folders = Folders::open(root.clone(), id_bytes).map_err(folder(root))?;
        let backend = ProcessBackend {
            settings,
            folders: Arc::new(folders),
            ports: Ports::default(),
            logs: Logs::new(data_dir.join("logs")).map_err(OpenError::Thread)?,
            outputs: Tasks::new("outputs", INSTANCES_MAX, handle.clone()),
            artifacts,
            clock: Arc::clone(&clock),
        };
        Ok(Self { roster: Roster::new(backend, handle, clock, nudge) })
    }

    /// Ends every instance, gracefully at first, and returns when none is left: after the grace and some seconds at the
    /// latest. What is ordered meanwhile is not started. Returns whether really nothing is left.
    pub async fn shutdown(&self) -> bool {
        let grace = self.roster.backend().settings.grace;
        self.roster.shutdown(grace.saturating_add(SUPERVISOR_TIMEOUT)).await
    }
}

impl Driver for ProcessDriver {
    fn start(&self, order: Order) {
        self.roster.start(order);
    }

    fn stop(&self, id: &InstanceId) {
        self.roster.stop(id);
    }

    fn observe(&self) -> Vec<Observed> {
        self.roster.observe()
    }

    fn forget(&self, id: &InstanceId) {
        self.roster.forget(id);
    }
}
