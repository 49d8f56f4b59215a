//! What a server is made of before it serves: its stores, its driver, its routes, and the tasks that work with them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use api::Authority;
use artifact::Buckets;
use auth::key::AccessKey;
use cli::Environment;
use control::Nudge;
use control::task::fleets::{self, Fleets};
use control::task::scale::{self, Decisions, Scaling};
use domain::arn::Scope;
use domain::instance::InstanceId;
use domain::route::Traffic;
use domain::time::Clock;
use gateway::Routes;
use metrics::Metrics;
use runtime::artifacts::{ArtifactError, Artifacts, BoxFuture};
use runtime::driver::Driver;
use runtime::process::{Image, ImageTable, ProcessDriver, ProcessSettings};
use store::{SqliteStore, Store};

use crate::assemble::StartError;
use crate::clock::{ScaledClock, system_time};
use crate::config::{self, Config, ImageEntry};
use crate::data_dir::DataDir;
use crate::front::{Front, Keys};
use crate::pace::Pace;
use crate::real_s3::real_buckets;
use crate::safe_update::{self, Bell, Doing, Rights};
use crate::view::View;

/// The parts that others share.
pub(crate) struct Core {
    pub(crate) scope: Scope,
    pub(crate) clock: Arc<ScaledClock>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) driver: Arc<ProcessDriver>,
    pub(crate) nudge: Nudge,
    pub(crate) pace: Pace,
    doing: Arc<Doing>,
    pub(crate) bell: Bell,
    buckets: Buckets,
    decisions: Arc<Decisions>,
}

impl Core {
    pub(crate) fn open(
        config: &Config,
        environment: &Environment,
        data_dir: &DataDir,
    ) -> Result<Self, StartError> {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data_dir.database())?);
        let clock = Arc::new(ScaledClock::start(store.state().server_time(), config.time_scale));
        let metrics = Metrics::open(data_dir.path(), Arc::clone(&clock) as Arc<dyn Clock>)?;
        let buckets = open_buckets(&data_dir.buckets())?;
        let nudge = Nudge::default();
        let driver =
            open_driver(config, data_dir, environment, &buckets, (&clock, &nudged(&nudge)))?;
        Ok(Self {
            scope: Scope { region: config.region.clone(), account: config.account_id.clone() },
            clock,
            store,
            metrics: Arc::new(metrics),
            routes: Arc::new(Routes::new()),
            driver,
            nudge,
            pace: Pace::of(config.time_scale),
            doing: Arc::default(),
            bell: Bell::default(),
            buckets,
            decisions: Arc::new(Decisions::default()),
        })
    }

    pub(crate) fn fleets(&self, config: &Config) -> Fleets {
        Fleets::new(fleets::Means {
            store: Arc::clone(&self.store),
            driver: Arc::clone(&self.driver) as Arc<dyn Driver>,
            traffic: Arc::clone(&self.routes) as Arc<dyn Traffic>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            scope: self.scope.clone(),
            resources: config.resources.clone(),
            new_id: Arc::new(|| InstanceId::from_entropy(crate::entropy::bits())),
        })
    }

    pub(crate) fn scaling(&self, config: &Config) -> Scaling {
        let means = scale::Means {
            store: Arc::clone(&self.store),
            driver: Arc::clone(&self.driver) as Arc<dyn Driver>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            metrics: Arc::clone(&self.metrics),
            scope: self.scope.clone(),
            limits: Arc::new(config.limits.clone()),
            resources: config.resources.clone(),
            machine: config::machine(),
            settle: self.pace.settle,
            entropy: Arc::new(crate::entropy::bits),
        };
        Scaling::new(means, Arc::clone(&self.decisions))
    }

    /// Who may do what: the file's key may do everything, the others what the state says.
    pub(crate) fn keys(&self, root: AccessKey, secure: bool) -> Keys {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let authority = Authority::new(root, Arc::clone(&self.store), clock, self.scope.clone());
        Keys { authority, secure }
    }

    pub(crate) fn front(&self, config: &Config, keys: &Keys, ready: &Arc<AtomicBool>) -> Front {
        Front {
            scope: self.scope.clone(),
            clock: Arc::clone(&self.clock),
            store: Arc::clone(&self.store),
            keys: keys.clone(),
            logs: Arc::new(self.driver.logs()),
            s3: artifact::service(self.buckets.clone(), keys.clone(), &config.region),
            metrics: Arc::clone(&self.metrics),
            live: Arc::new(View {
                driver: Arc::clone(&self.driver) as Arc<dyn Driver>,
                traffic: Arc::clone(&self.routes) as Arc<dyn Traffic>,
                decisions: Arc::clone(&self.decisions),
                doing: Arc::clone(&self.doing),
            }),
            limits: Arc::new(config.limits.clone()),
            nudge: self.decided(),
            ready: Arc::clone(ready),
        }
    }

    /// What safe updates are carried out with, by the way that calls take.
    pub(crate) fn safe_updates(&self, front: Front) -> safe_update::Means {
        let rights = Rights {
            authority: front.keys.authority.clone(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            as_caller: Arc::new(move |caller, asked| front.context(caller, asked)),
        };
        let (store, doing) = (Arc::clone(&self.store), Arc::clone(&self.doing));
        safe_update::Means { store, rights, doing }
    }

    /// What is done after every decision of an operation: whoever has to act on it wakes.
    fn decided(&self) -> Arc<dyn Fn() + Send + Sync> {
        let (nudge, bell) = (self.nudge.clone(), self.bell.clone());
        Arc::new(move || {
            nudge.nudge();
            bell.ring();
        })
    }
}

fn nudged(nudge: &Nudge) -> Arc<dyn Fn() + Send + Sync> {
    let nudge = nudge.clone();
    Arc::new(move || nudge.nudge())
}

fn open_buckets(path: &Path) -> Result<Buckets, StartError> {
    Buckets::open(path, system_time)
        .map_err(|why| StartError::Buckets { path: path.to_owned(), why: why.to_string() })
}

fn open_driver(
    config: &Config,
    data_dir: &DataDir,
    environment: &Environment,
    buckets: &Buckets,
    (clock, nudged): (&Arc<ScaledClock>, &Arc<dyn Fn() + Send + Sync>),
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
