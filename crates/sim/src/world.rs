//! One server with everything real but its clock, its instances and its traffic.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::Context;
use auth::Principal;
use bytes::Bytes;
use control::task::fleets::{Fleets, Means, Report};
use domain::arn::Scope;
use domain::endpoint::{Endpoint, Limits};
use domain::instance::{InstanceId, Observed};
use domain::time::{Clock, Timestamp};
use http::Request;
use runtime::driver::Driver;
use runtime::fake::{Behaviour, FakeDriver};
use serde_json::Value;
use store::memory::Disk;
use store::{MemoryStore, Store};

use crate::{SimClock, SimTraffic};

/// 2026-01-01: a moment that tells in answers that it was chosen.
const BEGINNING: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Runs of the control loop in which it must come to rest: more means that it decides in circles.
const RUNS_MAX: usize = 200;

/// How long the loop pauses when nothing is due, as in the server.
const PAUSE: Duration = Duration::from_secs(1);

pub struct World {
    pub clock: Arc<SimClock>,
    pub traffic: Arc<SimTraffic>,
    pub disk: Disk,
    driver: Arc<FakeDriver>,
    store: Arc<MemoryStore>,
    fleets: Fleets,
    ids: Arc<AtomicU64>,
    behaviours: Vec<(String, Behaviour)>,
    runtime: tokio::runtime::Runtime,
    metrics: Arc<metrics::Metrics>,
}

impl fmt::Debug for World {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("World")
            .field("clock", &self.clock)
            .field("driver", &self.driver)
            .finish_non_exhaustive()
    }
}

/// The answer to a call: its status and its body as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// A world that cannot go on: a fault of the program under test, or of the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl World {
    pub fn new() -> Result<Self, Fault> {
        let clock = Arc::new(SimClock::at(BEGINNING));
        let disk = Disk::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|why| Fault(why.to_string()))?;
        let ids = Arc::new(AtomicU64::new(1));
        let (store, driver, traffic) = fresh(&clock, &disk)?;
        let fleets = Fleets::new(means(&store, &driver, &traffic, &clock, &ids));
        let metrics = metrics::Metrics::in_memory(Arc::clone(&clock) as Arc<dyn Clock>);
        let metrics = Arc::new(metrics.map_err(|why| Fault(why.to_string()))?);
        Ok(Self {
            metrics,
            clock,
            traffic,
            disk,
            driver,
            store,
            fleets,
            ids,
            behaviours: Vec::new(),
            runtime,
        })
    }

    /// Decides how instances of an image behave from now on, over restarts too.
    pub fn script(&mut self, image: &str, behaviour: Behaviour) {
        self.driver.script_image(image, behaviour.clone());
        self.behaviours.push((image.to_owned(), behaviour));
    }

    /// Calls an operation of SageMaker as the root user, by way of the wire.
    pub fn call(&mut self, operation: &str, input: &Value) -> Result<Answer, Fault> {
        let request = Request::post("/")
            .header("x-amz-target", format!("SageMaker.{operation}"))
            .header("content-type", "application/x-amz-json-1.1")
            .body(())
            .map_err(|why| Fault(why.to_string()))?;
        let (parts, ()) = request.into_parts();
        let body = Bytes::from(input.to_string());
        let response = match wire::route(&wire::sagemaker::SERVICE, &parts, &body) {
            Ok(call) => self.runtime.block_on(api::serve(&self.context(), &call, "request")),
            Err(rejection) => rejection.respond("request"),
        };
        let status = response.status().as_u16();
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        Ok(Answer { status, body })
    }

    /// Runs the control loop until nothing is left to do at this moment.
    pub fn settle(&mut self) -> Result<Report, Fault> {
        for _ in 0..RUNS_MAX {
            let stepped = self.driver.step();
            let report = self.runtime.block_on(self.fleets.activate());
            if report.failed {
                return Err(Fault("the store failed".into()));
            }
            if !report.changed && !stepped && !self.driver.step() {
                return Ok(report);
            }
        }
        Err(Fault("the control loop does not come to rest".into()))
    }

    /// Lets time pass, stopping wherever something is due.
    pub fn advance(&mut self, span: Duration) -> Result<(), Fault> {
        let end = self.clock.now().plus(span);
        loop {
            let report = self.settle()?;
            let now = self.clock.now();
            if now >= end {
                return Ok(());
            }
            let instance = self.driver.next_due().map(|due| due.since(now));
            let waits = [Some(PAUSE), instance, report.wake_after, Some(end.since(now))];
            let next = waits.into_iter().flatten().min().unwrap_or(PAUSE);
            self.clock.advance(next.max(Duration::from_millis(1)));
        }
    }

    /// The server ends at once and is started again: its instances are gone, what was committed is not.
    pub fn restart(&mut self) -> Result<(), Fault> {
        let (store, driver, traffic) = fresh(&self.clock, &self.disk)?;
        for (image, behaviour) in &self.behaviours {
            driver.script_image(image, behaviour.clone());
        }
        self.fleets = Fleets::new(means(&store, &driver, &traffic, &self.clock, &self.ids));
        (self.store, self.driver, self.traffic) = (store, driver, traffic);
        Ok(())
    }

    /// An instance ends by itself.
    pub fn crash(&mut self, id: &InstanceId) {
        self.driver.crash(id, "signal 9");
    }

    pub fn instances(&self) -> Vec<Observed> {
        self.driver.observe()
    }

    pub fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.store.state().endpoints.values().cloned().collect()
    }

    fn context(&self) -> Context {
        let scope = scope();
        let principal = Principal {
            account: scope.account.clone(),
            arn: scope.root(),
            user_id: scope.account.clone(),
        };
        Context {
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            scope,
            caller: principal,
            limits: Arc::new(Limits { instances: 1000, by_type: BTreeMap::new() }),
            logs: Arc::new(logs::Empty),
            metrics: Arc::clone(&self.metrics),
            live: Arc::new(api::Still),
            entropy: Arc::new(|| 0),
            nudge: Arc::new(|| ()),
        }
    }
}

fn scope() -> Scope {
    Scope { region: "us-east-1".into(), account: "000000000000".into() }
}

type Parts = (Arc<MemoryStore>, Arc<FakeDriver>, Arc<SimTraffic>);

fn fresh(clock: &Arc<SimClock>, disk: &Disk) -> Result<Parts, Fault> {
    let store = MemoryStore::open(disk.clone()).map_err(|why| Fault(why.to_string()))?;
    let driver = FakeDriver::new(Arc::clone(clock) as Arc<dyn Clock>);
    Ok((Arc::new(store), Arc::new(driver), Arc::new(SimTraffic::default())))
}

fn means(
    store: &Arc<MemoryStore>,
    driver: &Arc<FakeDriver>,
    traffic: &Arc<SimTraffic>,
    clock: &Arc<SimClock>,
    ids: &Arc<AtomicU64>,
) -> Means {
    let ids = Arc::clone(ids);
    Means {
        store: Arc::clone(store) as Arc<dyn Store>,
        driver: Arc::clone(driver) as Arc<dyn Driver>,
        traffic: Arc::clone(traffic) as Arc<dyn domain::route::Traffic>,
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        scope: scope(),
        resources: BTreeMap::new(),
        new_id: Arc::new(move || {
            InstanceId::from_entropy(ids.fetch_add(1, Ordering::SeqCst).into())
        }),
    }
}
