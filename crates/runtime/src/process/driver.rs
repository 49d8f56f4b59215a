//! The process runtime as a [`Driver`].

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use domain::instance::{InstanceId, Observed, Order};
use domain::time::Clock;
use logs::{Bounds, Logs};
use tokio::runtime::{Handle, TryCurrentError};

use crate::artifacts::Artifacts;
use crate::driver::{Driver, Usage};
use crate::instance::{INSTANCES_MAX, Nudge, Roster, Tasks};

use super::ProcessSettings;
use super::backend::ProcessBackend;
use super::child::SUPERVISOR_TIMEOUT;
use super::confine::{Confinement, Exposed};
use super::folder::Folders;
use super::meter::Meter;
use super::port::Ports;
use super::share::Processors;
use super::sweep::sweep;
use super::system;

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
    Exposed(#[from] Exposed),
    #[error(
        "the data directory {data_dir} lies where every model server may write; choose another place for it",
        data_dir = .data_dir.display()
    )]
    InScratch { data_dir: PathBuf },
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
        let confinement = confinement(data_dir.clone(), &settings)?;
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
            confinement: Arc::new(confinement),
            folders: Arc::new(folders),
            ports: Ports::default(),
            processors: Processors::default(),
            meter: Meter::default(),
            logs: Logs::open(data_dir.join("logs"), Bounds::DEFAULT).map_err(OpenError::Thread)?,
            outputs: Tasks::new("outputs", INSTANCES_MAX, handle.clone()),
            artifacts,
            clock: Arc::clone(&clock),
        };
        Ok(Self { roster: Roster::new(backend, handle, clock, nudge) })
    }

    /// What the instances write, to be read.
    pub fn logs(&self) -> Logs {
        self.roster.backend().logs.clone()
    }

    /// Ends every instance, gracefully at first, and returns when none is left: after the grace and some seconds at the
    /// latest. What is ordered meanwhile is not started. Returns whether really nothing is left.
    pub async fn shutdown(&self) -> bool {
        let grace = self.roster.backend().settings.grace;
        self.roster.shutdown(grace.saturating_add(SUPERVISOR_TIMEOUT)).await
    }
}

/// What keeps model servers away from `data_dir`. Says so if the system cannot keep them away.
fn confinement(data_dir: PathBuf, settings: &ProcessSettings) -> Result<Confinement, OpenError> {
    // Of the user's folder nothing is used; it is known in order not to open it.
    let confinement = Confinement::new(data_dir.clone(), std::env::home_dir());
    confinement.check(&settings.images)?;
    if confinement.is_in_scratch() {
        return Err(OpenError::InScratch { data_dir });
    }
    if let Some(why) = system::not_confined() {
        tracing::warn!("model servers are not kept apart as they should be: {why}");
    }
    Ok(confinement)
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

    fn usage(&self, id: &InstanceId) -> Option<Usage> {
        self.roster.backend().meter.usage(id)
    }

    fn forget(&self, id: &InstanceId) {
        self.roster.forget(id);
    }
}
