//! What the loop that scales costs with very many targets. Run with `--release`:
//! `cargo run --release -p control --example sweep [--quiet-only] [targets…]`; 10,000 and 100,000 where nothing
//! else is said.
//!
//! Each target has one policy with two alarms. Three fleets tell the parts apart: one has alarms that find nothing and no
//! endpoints (what the evaluation costs), one has endpoints and no alarms (what it costs to measure that they are idle,
//! with the writer of metrics, which is a thread of its own in a server), and one has both, without any load: each low
//! alarm is in ALARM, and each minute it is decided that there is nothing to take away.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use control::task::scale::{Decisions, Machine, Means, Scaling};
use domain::arn::Scope;
use domain::endpoint::{Endpoint, Event, Limits, Parts};
use domain::endpoint_config::EndpointConfig;
use domain::instance::DeploymentId;
use domain::metric::{Distribution, Summary};
use domain::model::Model;
use domain::scaling::{
    Memory, PolicyBook, PolicyIds, PolicyRequest, PolicyType, PredefinedMetric, Suspended, Target,
    TrackingRequest, put_policy,
};
use domain::time::{Clock, Timestamp};
use domain::uuid::Uuid;
use metrics::metric_definitions::{REQUESTS, REQUESTS_PER_INSTANCE};
use metrics::{Metrics, Sample, SeriesKey};
use runtime::fake::FakeDriver;
use serde_json::json;
use store::memory::Disk;
use store::{Changes, MemoryStore, State, Store, decide};
use tokio::time::Instant;

const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const SETTLE: Duration = Duration::from_secs(1);
/// Between two edges of the grid.
const WINDOW: Duration = Duration::from_secs(10);
/// As many datapoints as a low alarm looks at, and some more.
const MINUTES_BEFORE: i64 = 17;
/// Sweeps that are measured, of which the median counts.
const SWEEPS: usize = 3;
/// Requests per minute and instance that a policy keeps.
const TARGET_VALUE: f64 = 100.0;
/// Targets whose records are written in one decision.
const BATCH: usize = 2000;

type Failure = Box<dyn std::error::Error>;

#[derive(Debug)]
struct Hand(AtomicI64);

impl Hand {
    fn forward(&self, span: Duration) {
        self.0.store(self.now().plus(span).as_millis(), Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }
}

/// What a fleet consists of.
#[derive(Debug, Clone, Copy)]
struct Make {
    what: &'static str,
    alarms: bool,
    endpoints: bool,
    /// Requests per minute and instance.
    load: f64,
}

const MAKES: [Make; 3] = [
    Make { what: "alarms, quiet", alarms: true, endpoints: false, load: TARGET_VALUE * 0.95 },
    Make { what: "endpoints, idle", alarms: false, endpoints: true, load: 0.0 },
    Make { what: "both, idle", alarms: true, endpoints: true, load: 0.0 },
];

struct Fleet {
    make: Make,
    clock: Arc<Hand>,
    store: Arc<MemoryStore>,
    metrics: Arc<Metrics>,
    scaling: Scaling,
    /// The series that the alarms watch, and those of all requests beside them.
    series: Vec<[SeriesKey; 2]>,
}

fn scope() -> Scope {
    Scope { region: "us-east-1".into(), account: "000000000000".into() }
}

impl Fleet {
    async fn new(targets: usize, make: Make) -> Result<Self, Failure> {
        let clock = Arc::new(Hand(AtomicI64::new(START.as_millis())));
        let store = Arc::new(MemoryStore::open(Disk::default())?);
        let metrics = Arc::new(Metrics::in_memory(Arc::clone(&clock) as Arc<dyn Clock>)?);
        let means = Means {
            store: Arc::clone(&store) as Arc<dyn Store>,
            driver: Arc::new(FakeDriver::new(Arc::clone(&clock) as Arc<dyn Clock>)),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            metrics: Arc::clone(&metrics),
            scope: scope(),
            limits: Arc::new(Limits {
                instances: u32::MAX,
                by_type: std::collections::BTreeMap::new(),
            }),
            resources: std::collections::BTreeMap::new(),
            machine: Machine { cores: 2, memory_bytes: 1 << 32 },
            settle: SETTLE,
            entropy: Arc::new(|| 0),
        };
        let scaling = Scaling::new(means, Arc::new(Decisions::default()));
        let mut fleet = Self { make, clock, store, metrics, scaling, series: Vec::new() };
        for first in (0..targets).step_by(BATCH) {
            fleet.add(first..(first + BATCH).min(targets)).await?;
        }
        Ok(fleet)
    }

    async fn add(&mut self, numbers: std::ops::Range<usize>) -> Result<(), Failure> {
        let mut changes = Changes::none();
        for number in numbers {
            let endpoint = endpoint(number)?;
            let variant = "AllTraffic".parse()?;
            let requests = REQUESTS.series(&endpoint.name, &variant);
            let per_instance = REQUESTS_PER_INSTANCE.beside(&requests.metric);
            self.series.push([per_instance, requests]);
            let target = target(number, &endpoint.name)?;
            let id = |part: u128| Uuid::from_entropy(number as u128 * 4 + part);
            let ids = PolicyIds { created_by: id(1), high: id(2), low: id(3) };
            let book =
                PolicyBook { scope: &scope(), target: Some(&target), existing: None, others: &[] };
            let put = put_policy(&book, &tracking(&target), ids, START)?;
            if self.make.endpoints {
                changes = changes.put(endpoint);
            }
            if self.make.alarms {
                changes = changes.put(put.policy);
                changes = put.create.into_iter().fold(changes, Changes::put);
            }
            changes = changes.put(target);
        }
        let kept = decide(&*self.store, move |_: &State| -> Result<_, std::convert::Infallible> {
            Ok((changes, ()))
        });
        Ok(kept.await.map_err(|why| why.to_string())?)
    }

    /// A minute passes. How long the loop took at its end, and at the fastest of the edges between.
    async fn minute(&mut self) -> [Duration; 2] {
        let mut quick = Duration::MAX;
        for _ in 0..5 {
            self.clock.forward(WINDOW);
            quick = quick.min(self.run().await);
        }
        if self.make.load > 0.0 {
            self.serve();
        }
        self.clock.forward(WINDOW);
        [self.run().await, quick]
    }

    /// What the gateway has measured of the minute that is ending.
    fn serve(&self) {
        let (at, load) = (self.clock.now(), self.make.load);
        let share = if load > 0.0 {
            Summary { count: load, sum: load, min: 1.0, max: 1.0 }
        } else {
            Summary::of(0.0, 1.0)
        };
        let sample = |series: &SeriesKey| Sample {
            series: series.clone(),
            at,
            values: Distribution::from_summary(share),
        };
        self.metrics.record(self.series.iter().flatten().map(sample).collect());
    }

    async fn run(&mut self) -> Duration {
        let began = Instant::now();
        let report = self.scaling.activate().await;
        assert!(!report.failed, "the store failed");
        began.elapsed()
    }
}

fn endpoint(number: usize) -> Result<Endpoint, Failure> {
    let variant = json!({"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.m5.large",
                         "InitialInstanceCount": 1});
    let members = serde_json::from_value(json!({"ProductionVariants": [variant]}))?;
    let config = EndpointConfig { name: "c".parse()?, created_at: START, members };
    let members = serde_json::from_value(json!({"PrimaryContainer": {"Image": "i"}}))?;
    let model = Model { name: "m".parse()?, created_at: START, members };
    let id = DeploymentId(number as u64 + 1);
    let parts = Parts { id, config: Arc::new(config), models: vec![Arc::new(model)] };
    let name = format!("endpoint-{number}").parse()?;
    Ok(Endpoint::create(name, &parts, None, START)?.after(Event::Deployed, START)?)
}

fn target(number: usize, endpoint: &domain::name::EndpointName) -> Result<Target, Failure> {
    let resource = format!("endpoint/{endpoint}/variant/AllTraffic");
    Ok(Target {
        resource: resource.parse().map_err(|_| "a resource")?,
        id: Uuid::from_entropy(number as u128 * 4),
        min: 1,
        max: 10,
        suspended: Suspended::default(),
        created_at: START,
        memory: Memory::default(),
    })
}

fn tracking(target: &Target) -> PolicyRequest {
    let name = "SageMakerVariantInvocationsPerInstance".to_owned();
    PolicyRequest {
        resource: target.resource.clone(),
        name: "track".to_owned(),
        kind: Some(PolicyType::TargetTrackingScaling),
        step: None,
        tracking: Some(TrackingRequest {
            target_value: TARGET_VALUE,
            predefined: Some(PredefinedMetric { name, label: None }),
            customized: None,
            scale_out_cooldown_secs: None,
            scale_in_cooldown_secs: None,
            disable_scale_in: None,
        }),
        predictive: false,
    }
}

async fn measure(targets: usize, make: Make, out: &mut impl Write) -> Result<(), Failure> {
    let began = Instant::now();
    let mut fleet = Fleet::new(targets, make).await?;
    for _ in 0..MINUTES_BEFORE {
        fleet.serve();
        fleet.clock.forward(Duration::from_mins(1));
    }
    // The grid of ten seconds, and then what is not there yet when the loop first looks.
    fleet.clock.forward(SETTLE);
    fleet.minute().await;
    let prepared = began.elapsed().as_secs_f64();
    let mut times = Vec::new();
    for _ in 0..SWEEPS {
        times.push(fleet.minute().await);
    }
    let median = |part: usize| {
        let mut of_part: Vec<Duration> = times.iter().map(|both| both[part]).collect();
        of_part.sort_unstable();
        of_part[SWEEPS / 2]
    };
    let (whole, quick) = (median(0), median(1));
    let each = whole.as_nanos() / targets as u128;
    let (whole, quick) = (whole.as_secs_f64() * 1e3, quick.as_secs_f64() * 1e3);
    let Make { what, .. } = make;
    writeln!(
        out,
        "{targets:>7} targets, {what:<15}: {whole:>7.1} ms at a minute ({each} ns per target), {quick:>6.1} ms at an \
         edge between (prepared in {prepared:.0} s)"
    )?;
    Ok(())
}

fn main() -> Result<(), Failure> {
    let mut given: Vec<String> = std::env::args().skip(1).collect();
    let quiet_only = given.iter().any(|word| word == "--quiet-only");
    given.retain(|word| word != "--quiet-only");
    let given: Result<Vec<usize>, _> = given.iter().map(|count| count.parse()).collect();
    let given = given?;
    let sizes = if given.is_empty() { vec![10_000, 100_000] } else { given };
    let makes = if quiet_only { &MAKES[..1] } else { &MAKES[..] };
    let mut out = std::io::stdout().lock();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for make in makes.iter().copied() {
        for targets in &sizes {
            runtime.block_on(measure(*targets, make, &mut out))?;
        }
    }
    Ok(())
}
