//! Puts a server together: the only place where concrete types meet.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cli::{Environment, ServerFile};
use control::task::keep_time::keep_time;
use domain::metric::Sink;
use domain::time::Clock;
use gateway::{ControlPlane, Gateway, Tls};
use runtime::process::ProcessDriver;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::core::Core;
use crate::data_dir::DataDir;
use crate::front::SKEW_SECS;
use crate::safe_update;

/// A server that serves.
#[derive(Debug)]
pub(crate) struct Server {
    scheme: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) data_dir: DataDir,
    pub(crate) gateway: Gateway,
    pub(crate) driver: Arc<ProcessDriver>,
    /// Ends the tasks.
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: Vec<JoinHandle<()>>,
}

/// Why a server cannot start: one line that says what, why and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    DataDir(#[from] crate::data_dir::DataDirError),
    #[error(
        "cannot listen on {address}: {why}; choose another address with --listen, or stop what uses this one"
    )]
    Listen { address: SocketAddr, why: std::io::Error },
    #[error("{0}")]
    Store(#[from] store::Error),
    #[error("{0}")]
    Metrics(#[from] metrics::Error),
    #[error("the artefacts in {} cannot be used: {why}", path.display())]
    Buckets { path: PathBuf, why: String },
    #[error("the configuration's [[image]] entries cannot be used: {0}")]
    Images(String),
    #[error("the configuration's [[s3]] entries cannot be used: {0}")]
    RealBuckets(String),
    #[error("model servers cannot be run: {0}")]
    Runtime(String),
    #[error("TLS: {0}")]
    Tls(#[from] gateway::TlsError),
    #[error("the port cannot be served: {0}")]
    Gateway(std::io::Error),
    #[error("cannot write {}: {why}", path.display())]
    Announce { path: PathBuf, why: std::io::Error },
}

impl StartError {
    /// Whether a full disk may be the reason. What its reporters say about that is often no more than "disk I/O error".
    pub(crate) fn is_of_the_disk(&self) -> bool {
        use crate::data_dir::DataDirError;
        match self {
            Self::DataDir(DataDirError::Unusable { .. } | DataDirError::Credentials { .. })
            | Self::Store(_)
            | Self::Metrics(_)
            | Self::Buckets { .. }
            | Self::Runtime(_)
            | Self::Announce { .. } => true,
            Self::DataDir(_)
            | Self::Listen { .. }
            | Self::Images(_)
            | Self::RealBuckets(_)
            | Self::Tls(_)
            | Self::Gateway(_) => false,
        }
    }
}

impl Server {
    /// Starts everything. When it returns the port serves and the state is loaded; instances may still be coming up.
    pub(crate) async fn start(
        config: &Config,
        environment: &Environment,
    ) -> Result<Self, StartError> {
        let tls = config.tls.as_ref().map(|files| Tls::load(&files.cert, &files.key).map(Arc::new));
        let tls = tls.transpose()?;
        let data_dir = DataDir::open(&config.data_dir)?;
        let listen = |why| StartError::Listen { address: config.listen, why };
        let listener = TcpListener::bind(config.listen).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let core = Core::open(config, environment, &data_dir)?;
        let keys = core.keys(data_dir.root_key()?, tls.is_some());
        let (mut fleets, scaling) = (core.fleets(config), core.scaling(config));
        // The routes are published before the port serves, so that no request meets an endpoint that seems to be gone.
        fleets.activate().await;

        let ready = Arc::new(AtomicBool::new(false));
        let front = core.front(config, &keys, &ready);
        let parts = gateway::Parts {
            credentials: Arc::new(keys.authority.clone()),
            permission: Arc::new(keys),
            clock: Arc::clone(&core.clock) as Arc<dyn Clock>,
            routes: Arc::clone(&core.routes),
            control: ControlPlane::new(tokio::runtime::Handle::current(), front.clone().handler()),
        };
        let settings = gateway::Settings {
            skew_secs: SKEW_SECS,
            tls,
            sink: Some(Arc::clone(&core.metrics) as Arc<dyn Sink>),
            flush: core.pace.flush,
            ..gateway::Settings::new(&config.region, &config.account_id)
        };
        let gateway = Gateway::start(listener, settings, parts).map_err(StartError::Gateway)?;

        let stop = CancellationToken::new();
        let (safe_updates, bell) = (core.safe_updates(front), core.bell.clone());
        let tasks = vec![
            spawn(control::drive_fleets(fleets, core.nudge.clone(), stop.clone())),
            on_a_thread(control::drive_scaling(scaling, core.nudge.clone(), stop.clone()))?,
            spawn(keep_time(core.store, core.clock, config.time_scale, stop.clone())),
            spawn(safe_update::drive(safe_updates, bell, stop.clone())),
        ];
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let driver = core.driver;
        let server = Self { scheme, address, data_dir, gateway, driver, stop, tasks };
        server.announce(config)?;
        ready.store(true, Ordering::Release);
        Ok(server)
    }

    /// `http://127.0.0.1:4280`, or with `https`.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    fn announce(&self, config: &Config) -> Result<(), StartError> {
        let file = ServerFile {
            endpoint_url: self.url(),
            region: config.region.clone(),
            account_id: config.account_id.clone(),
            pid: std::process::id(),
            tls_cert: config.tls.as_ref().map(|files| {
                std::path::absolute(&files.cert).unwrap_or_else(|_| files.cert.clone())
            }),
        };
        let path = || ServerFile::path(self.data_dir.path());
        file.write(self.data_dir.path()).map_err(|why| StartError::Announce { path: path(), why })
    }
}

/// Runs a task on a thread of its own: a sweep over many alarms, and a read of old metrics, take what would keep calls
/// waiting on the threads that answer them.
fn on_a_thread(
    task: impl Future<Output = ()> + Send + 'static,
) -> Result<JoinHandle<()>, StartError> {
    let failed = |why: std::io::Error| StartError::Runtime(why.to_string());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (done, ended) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name("scaling".into());
    thread
        .spawn(move || {
            runtime.block_on(task);
            drop(done);
        })
        .map_err(failed)?;
    // The sender is dropped at the end, a bad one too.
    Ok(spawn(async move { drop(ended.await) }))
}

/// Tasks for the life of the server; all end with the token that `Server` holds.
#[expect(clippy::disallowed_methods, reason = "these tasks are held and joined by the server")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(task)
}
