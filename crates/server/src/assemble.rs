//! Puts a server together: the only place where concrete types meet.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use artifact::Buckets;
use cli::{Environment, ServerFile};
use control::Nudge;
use control::task::fleets::{Fleets, Means};
use control::task::keep_time::keep_time;
use control::task::scale::{self, Decisions, Scaling};
use domain::arn::Scope;
use domain::instance::InstanceId;
use domain::metric::Measured;
use domain::route::Traffic;
use domain::time::Clock;
use gateway::{ControlPlane, Gateway, Routes, Tls};
use metrics::Metrics;
use runtime::artifacts::{ArtifactError, Artifacts, BoxFuture};
use runtime::driver::Driver;
use runtime::process::{Image, ImageTable, ProcessDriver, ProcessSettings};
use store::{SqliteStore, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::{ScaledClock, system_time};
use crate::config::{self, Config, ImageEntry};
use crate::data_dir::DataDir;
use crate::front::{Front, RootKey, SKEW_SECS};
use crate::real_s3::real_buckets;
use crate::view::View;

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
        let scope = Scope { region: config.region.clone(), account: config.account_id.clone() };
        let credentials = Arc::new(RootKey::new(data_dir.root_key()?, &scope));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data_dir.database())?);
        let clock = Arc::new(ScaledClock::start(store.state().server_time(), config.time_scale));
        let metrics = open_metrics(&data_dir, &clock)?;
        let buckets = open_buckets(&data_dir.buckets())?;
        let (nudge, routes) = (Nudge::default(), Arc::new(Routes::new()));
        let nudged: Arc<dyn Fn() + Send + Sync> = {
            let nudge = nudge.clone();
            Arc::new(move || nudge.nudge())
        };
        let driver = open_driver(config, &data_dir, environment, &buckets, &clock, &nudged)?;

        let means = Means {
            store: Arc::clone(&store),
            driver: Arc::clone(&driver) as Arc<dyn Driver>,
            traffic: Arc::clone(&routes) as Arc<dyn Traffic>,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            scope: scope.clone(),
            resources: config.resources.clone(),
            new_id: Arc::new(|| InstanceId::from_entropy(crate::entropy::bits())),
        };
        let (pace, decisions) = (Pace::of(config.time_scale), Arc::new(Decisions::default()));
        let scaling = scale::Means {
            store: Arc::clone(&store),
            driver: Arc::clone(&driver) as Arc<dyn Driver>,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            metrics: Arc::clone(&metrics),
            scope: scope.clone(),
            limits: Arc::new(config.limits.clone()),
            resources: config.resources.clone(),
            machine: config::machine(),
            settle: pace.settle,
            entropy: Arc::new(crate::entropy::bits),
        };
        let scaling = Scaling::new(scaling, Arc::clone(&decisions));
        let mut fleets = Fleets::new(means);
        // The routes are published before the port serves, so that no request meets an endpoint that seems to be gone.
        fleets.activate().await;

        let ready = Arc::new(AtomicBool::new(false));
        let front = Front {
            scope,
            clock: Arc::clone(&clock),
            store: Arc::clone(&store),
            credentials: Arc::clone(&credentials),
            logs: Arc::new(driver.logs()),
            s3: s3(buckets, &credentials, &config.region),
            metrics: Arc::clone(&metrics),
            live: Arc::new(View {
                driver: Arc::clone(&driver) as Arc<dyn Driver>,
                traffic: Arc::clone(&routes) as Arc<dyn Traffic>,
                decisions,
            }),
            limits: Arc::new(config.limits.clone()),
            nudge: nudged,
            ready: Arc::clone(&ready),
        };
        let parts = gateway::Parts {
            credentials,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            routes,
            control: ControlPlane::new(tokio::runtime::Handle::current(), front.handler()),
        };
        let settings = gateway::Settings {
            skew_secs: SKEW_SECS,
            tls,
            sink: Some(metrics),
            flush: pace.flush,
            ..gateway::Settings::new(&config.region, &config.account_id)
        };
        let gateway = Gateway::start(listener, settings, parts).map_err(StartError::Gateway)?;

        let stop = CancellationToken::new();
        let tasks = vec![
            spawn(control::drive_fleets(fleets, nudge.clone(), stop.clone())),
            on_a_thread(control::drive_scaling(scaling, nudge, stop.clone()))?,
            spawn(keep_time(store, clock, config.time_scale, stop.clone())),
        ];
        let scheme = if config.tls.is_some() { "https" } else { "http" };
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

/// How fast what is measured is told, and when all of a period is there.
struct Pace {
    /// Wall time.
    flush: Duration,
    /// Server time.
    settle: Duration,
}

impl Pace {
    /// The gateway tells of a window this often while it lasts in server time, however fast that is.
    const FLUSHES_PER_WINDOW: f64 = 4.0;
    /// More often than this is never worth it.
    const FLUSH_MIN: Duration = Duration::from_millis(20);
    /// Wall time that the way from the gateway to the metrics may take, on a machine that is busy.
    const WAY: Duration = Duration::from_millis(100);

    fn of(time_scale: f64) -> Self {
        let window = Duration::from_secs(Measured::WINDOW_SECS.unsigned_abs());
        let flush = window.div_f64(time_scale * Self::FLUSHES_PER_WINDOW);
        let flush = flush.clamp(Self::FLUSH_MIN, gateway::FLUSH_INTERVAL);
        Self { flush, settle: (flush + Self::WAY).mul_f64(time_scale) }
    }
}

/// Runs a task on a thread of its own: a sweep over many alarms, and a read of old metrics, take what would keep calls
/// waiting on the threads that answer them.
fn on_a_thread(
    task: impl Future<Output = ()> + Send + 'static,
) -> Result<JoinHandle<()>, StartError> {
    let failed = |why: std::io::Error| StartError::Runtime(why.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (done, ended) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name("scaling".into());
    thread
        .spawn(move || {
            runtime.block_on(task);
            // Nobody waits for the end of a server that is gone already.
            drop(done.send(()));
        })
        .map_err(failed)?;
    Ok(spawn(async move {
        // A sender that was dropped tells of the end as well.
        drop(ended.await);
    }))
}

/// Tasks for the life of the server; all end with the token that `Server` holds.
#[expect(clippy::disallowed_methods, reason = "these tasks are held and joined by the server")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(task)
}

fn open_buckets(path: &Path) -> Result<Buckets, StartError> {
    Buckets::open(path, system_time)
        .map_err(|why| StartError::Buckets { path: path.to_owned(), why: why.to_string() })
}

fn open_metrics(data_dir: &DataDir, clock: &Arc<ScaledClock>) -> Result<Arc<Metrics>, StartError> {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    Ok(Arc::new(Metrics::open(data_dir.path(), clock)?))
}

fn s3(buckets: Buckets, credentials: &Arc<RootKey>, region: &str) -> artifact::S3Service {
    let credentials = Arc::clone(credentials);
    let secret_of = move |key: &str| {
        auth::Credentials::find(&*credentials, key)
            .map(|credential| credential.secret.expose().to_owned())
    };
    artifact::service(buckets, secret_of, region)
}

fn open_driver(
    config: &Config,
    data_dir: &DataDir,
    environment: &Environment,
    buckets: &Buckets,
    clock: &Arc<ScaledClock>,
    nudged: &Arc<dyn Fn() + Send + Sync>,
) -> Result<Arc<ProcessDriver>, StartError> {
    let exe = std::env::current_exe().map_err(|why| StartError::Runtime(why.to_string()))?;
    let images = ImageTable::new(config.images.iter().map(image).collect());
    let images = images.map_err(|why| StartError::Images(why.to_string()))?;
    let mut settings =
        ProcessSettings::new(data_dir.path().to_owned(), exe, images, config.region.clone());
    if let Some(path) = environment.get("PATH") {
        settings.path.clone_from(path);
    }
    let closed = vec![data_dir.path().to_owned()];
    let real = real_buckets(&config.s3, &config.region, environment);
    let real = real.map_err(StartError::RealBuckets)?;
    let limits = artifact::unpack::Limits::default();
    let fetcher = artifact::Artifacts::with_real_buckets(buckets.clone(), limits, closed, real);
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let driver =
        ProcessDriver::open(settings, Arc::new(Fetcher(fetcher)), clock, Arc::clone(nudged));
    driver.map(Arc::new).map_err(|why| StartError::Runtime(why.to_string()))
}

fn image(entry: &ImageEntry) -> Image {
    Image {
        pattern: entry.pattern.clone(),
        command: entry.command.clone(),
        environment: entry.environment.clone(),
        readable: entry.readable.clone(),
        writable: entry.writable.clone(),
    }
}

/// Gets model artefacts for the drivers.
struct Fetcher(artifact::Artifacts);

impl Artifacts for Fetcher {
    fn prepare<'a>(
        &'a self,
        url: &'a str,
        into: &'a Path,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<(), ArtifactError>> {
        Box::pin(async move {
            let fetched = self.0.prepare(url, into, timeout).await;
            fetched.map_err(|why| ArtifactError { message: why.to_string() })
        })
    }
}
