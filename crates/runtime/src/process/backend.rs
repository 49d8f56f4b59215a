//! How an instance of the process runtime is prepared, launched and cleaned up.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::instance::{Address, ExitCause, InstanceId, Order, Resources};
use domain::time::Clock;
use logs::Logs;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::artifacts::Artifacts;
use crate::instance::{Backend, Tasks};

use super::ProcessSettings;
use super::block::Settings;
use super::child::{Child, Launch};
use super::confine::{Confinement, Grant, Tenant};
use super::environment::{self, Parts};
use super::folder::Folders;
use super::image::{Listens, Recipe};
use super::meter::Meter;
use super::output::Sink;
use super::port::{Port, Ports};
use super::share::{Processors, Seats, Share};
use super::system;

/// Wall time that fetching may take beyond its limit. Who fetches knows the limit and has the better words for it, so
/// this one only counts if that fails.
const DOWNLOAD_SLACK: Duration = Duration::from_secs(5);

/// What instances of the process runtime share.
pub(crate) struct ProcessBackend {
    pub(crate) settings: ProcessSettings,
    pub(crate) confinement: Arc<Confinement>,
    pub(crate) folders: Arc<Folders>,
    pub(crate) ports: Ports,
    pub(crate) processors: Processors,
    pub(crate) meter: Meter,
    pub(crate) logs: Logs,
    pub(crate) outputs: Tasks,
    pub(crate) artifacts: Arc<dyn Artifacts>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl ProcessBackend {
    /// Where an instance is to listen.
    fn place(&self, listens: Listens, id: &InstanceId) -> io::Result<(Address, Option<Port>)> {
        match listens {
            Listens::Unix => Ok((Address::Unix(self.folders.socket_of(id.as_str())), None)),
            Listens::Tcp => {
                let port = self.ports.take()?;
                Ok((Address::Tcp(port.address()), Some(port)))
            }
        }
    }

    /// What is open to an instance. It is looked up at each launch: what was installed since is there.
    async fn grants(&self, recipe: &Recipe, id: &InstanceId) -> io::Result<Vec<Grant>> {
        let (confinement, folders) = (Arc::clone(&self.confinement), Arc::clone(&self.folders));
        let (recipe, path, id) = (recipe.clone(), self.settings.path.clone(), id.clone());
        let look_around = move || {
            let folder = folders.of(id.as_str());
            let sockets = folders.sockets().filter(|_| recipe.listens == Listens::Unix);
            confinement.grants(&Tenant { recipe: &recipe, path: &path, folder: &folder, sockets })
        };
        spawn_blocking(look_around).await.map_err(io::Error::other)?
    }

    /// What an instance may use, and its hold on that.
    fn share(&self, resources: Resources) -> io::Result<(Share, Option<Seats>)> {
        let seats = match resources.cpus {
            Some(count) => Some(self.processors.take(count, system::processors()?)),
            None => None,
        };
        let processors = seats.as_ref().map(|seats| seats.numbers().to_vec()).unwrap_or_default();
        Ok((Share { memory_bytes: resources.memory_bytes, processors }, seats))
    }

    async fn fetch(&self, url: &str, into: &Path, limit: Duration) -> Result<(), ExitCause> {
        let fetching = self.artifacts.prepare(url, into, limit);
        match timeout(limit.saturating_add(DOWNLOAD_SLACK), fetching).await {
            Ok(fetched) => fetched.map_err(|error| ExitCause::Artifact(error.message)),
            Err(_) => Err(ExitCause::Artifact(format!(
                "fetching {} took longer than {} s",
                // A presigned URL's query is as good as a key.
                url.split('?').next().unwrap_or_default(),
                limit.as_secs()
            ))),
        }
    }
}

impl Backend for ProcessBackend {
    type Running = Child;

    async fn prepare(&self, order: &Order) -> Result<(), ExitCause> {
        self.settings
            .images
            .recipe(&order.image, &self.settings.exe)
            .map_err(ExitCause::UnknownImage)?;
        let id = order.id.as_str();
        let folder_failed = |error: io::Error| {
            ExitCause::Launch(format!(
                "cannot create the folder {}: {error}",
                self.folders.of(id).display()
            ))
        };
        self.folders.create(id).map_err(folder_failed)?;
        match &order.model_data_url {
            Some(url) => self.fetch(url, &self.folders.model_of(id), order.download_timeout).await,
            None => Ok(()),
        }
    }

    async fn launch(&self, order: &Order) -> Result<Child, ExitCause> {
        let ProcessSettings { images, exe, grace, .. } = &self.settings;
        let recipe = images.recipe(&order.image, exe).map_err(ExitCause::UnknownImage)?;
        let (address, port) = self
            .place(recipe.listens, &order.id)
            .map_err(|error| ExitCause::Launch(format!("no address to listen on: {error}")))?;
        let grants = self.grants(&recipe, &order.id).await.map_err(|error| {
            ExitCause::Launch(format!("cannot tell what is open to it: {error}"))
        })?;
        let (share, seats) = self.share(order.resources).map_err(|error| {
            ExitCause::Launch(format!("cannot tell which processors there are: {error}"))
        })?;
        let id = order.id.as_str();
        let folder = self.folders.of(id);
        let environment = environment::build(&Parts {
            settings: &self.settings,
            folder: &folder,
            address: &address,
            id,
            image: &recipe.environment,
            model: &order.environment,
        });
        let log = self.logs.log(&order.fleet, &order.id, self.clock.now());
        let sink = Arc::new(Sink::new(log, Arc::clone(&self.clock)));
        let launch = Launch {
            exe,
            id,
            command: &recipe.command,
            settings: &Settings { environment, grants, share },
            folder: &folder,
            grace: *grace,
            address: address.clone(),
            port,
            seats,
        };
        let child = Child::launch(launch, sink, &self.outputs).await?;
        if let Some(supervisor) = child.supervisor() {
            self.meter.begin(order.id.clone(), supervisor);
        }
        Ok(child)
    }

    async fn clean_up(&self, id: &InstanceId) {
        self.meter.end(id);
        let (folders, name) = (Arc::clone(&self.folders), id.as_str().to_owned());
        let removed = spawn_blocking(move || folders.remove(&name)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(instance = %id, %error, "cannot remove an instance's folder; the next start will");
        }
    }
}
