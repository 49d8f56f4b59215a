//! One server with everything real but its clock, its instances and its traffic.

pub(crate) mod load;
pub(crate) mod parts;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use api::Context;
use auth::Principal;
use control::task::fleets::{self, Fleets};
use control::task::scale::{self, Decisions, Scaling};
use domain::arn::Scope;
use domain::endpoint::{Endpoint, Limits};
use domain::iam::NameKey;
use domain::instance::{InstanceId, Observed};
use domain::metric::{Measured, Sink};
use domain::name::{EndpointName, VariantName};
use domain::scaling::{Recent, TargetKey};
use domain::time::{Clock, Timestamp};
use metrics::Metrics;
use runtime::driver::Driver;
use runtime::fake::{Behaviour, FakeDriver};
use serde_json::Value;
use store::memory::Disk;
use store::{MemoryStore, State, Store};
use wire::Service;

use crate::{SimClock, SimTraffic};
use load::Load;
use parts::{Ids, View};

/// 2026-01-01: a moment that tells in answers that it was chosen.
pub(crate) const BEGINNING: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Runs of the control loop in which it must come to rest: more means that it decides in circles.
const RUNS_MAX: usize = 200;

/// How long after the end of a period its measurements are taken to have arrived, about as in the server.
const SETTLE: Duration = Duration::from_secs(1);

/// A window of what is measured.
const WINDOW: Duration = Duration::from_secs(Measured::WINDOW_SECS.unsigned_abs());

/// Instances that may run at once, until something else is said.
const INSTANCES: u32 = 1000;

pub struct World {
    pub clock: Arc<SimClock>,
    pub traffic: Arc<SimTraffic>,
    pub disk: Disk,
    driver: Arc<FakeDriver>,
    store: Arc<MemoryStore>,
    fleets: Fleets,
    scaling: Scaling,
    decisions: Arc<Decisions>,
    metrics: Arc<Metrics>,
    load: Load,
    /// What clients put at the end of each window, by what scripts call it.
    puts: BTreeMap<String, Value>,
    limits: Arc<Limits>,
    ids: Ids,
    behaviours: Vec<(String, Behaviour)>,
    /// When the script began.
    beginning: Timestamp,
    /// Whether the task that scales is stuck.
    stalled: bool,
    runtime: tokio::runtime::Runtime,
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

/// Who calls: the root user, or a user by a key.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(crate) principal: Principal,
    pub(crate) access_key_id: String,
}

/// A world that cannot go on: a fault of the program under test, or of the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub String);

impl Fault {
    pub(crate) fn of(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

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
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(Fault::of)?;
        let metrics = Metrics::in_memory(Arc::clone(&clock) as Arc<dyn Clock>);
        let metrics = Arc::new(metrics.map_err(Fault::of)?);
        let ids = Ids::default();
        let limits = Arc::new(Limits { instances: INSTANCES, by_type: BTreeMap::new() });
        let parts = parts::start(&clock, &disk, &metrics, &limits, &ids)?;
        Ok(Self {
            traffic: parts.traffic,
            driver: parts.driver,
            store: parts.store,
            fleets: parts.fleets,
            scaling: parts.scaling,
            decisions: parts.decisions,
            clock,
            disk,
            metrics,
            load: Load::default(),
            puts: BTreeMap::new(),
            limits,
            ids,
            behaviours: Vec::new(),
            beginning: BEGINNING,
            stalled: false,
            runtime,
        })
    }

    /// Decides how instances of an image behave from now on, over restarts too.
    pub fn script(&mut self, image: &str, behaviour: Behaviour) {
        self.driver.script_image(image, behaviour.clone());
        self.behaviours.push((image.to_owned(), behaviour));
    }

    /// Lets clients send this many requests per minute to a variant from now on, over restarts too, each of which
    /// takes so long.
    pub fn load(
        &mut self,
        endpoint: EndpointName,
        variant: VariantName,
        per_minute: u32,
        duration: Duration,
    ) {
        self.load.set(endpoint, variant, per_minute, duration);
    }

    /// Lets a client put this at the end of each window of ten seconds from now on; nothing ends it. Its datums are of
    /// that window.
    pub fn put_regularly(&mut self, name: &str, input: Option<Value>) {
        match input {
            Some(input) => self.puts.insert(name.to_owned(), input),
            None => self.puts.remove(name),
        };
    }

    /// Calls an operation as the root user, by way of the wire.
    pub fn call(
        &mut self,
        service: &'static Service,
        operation: &str,
        input: &Value,
    ) -> Result<Answer, Fault> {
        self.call_as(&self.root(), service, operation, input)
    }

    /// Calls an operation, by way of the wire.
    pub fn call_as(
        &self,
        caller: &Caller,
        service: &'static Service,
        operation: &str,
        input: &Value,
    ) -> Result<Answer, Fault> {
        let store = Arc::clone(&self.store) as Arc<dyn Store>;
        let context = self.context(caller, store, self.ids.entropy());
        let response = match request(service, operation, input)? {
            Ok(call) => self.runtime.block_on(api::serve(&context, &call, "request")),
            Err(rejection) => rejection.respond("request"),
        };
        let status = response.status().as_u16();
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        Ok(Answer { status, body })
    }

    /// The same with documents, as clients of AWS's protocols have them.
    pub fn ask(
        &self,
        caller: &Caller,
        service: &'static Service,
        operation: &str,
        input: &wire::Document,
    ) -> Result<wire::Document, wire::ResponseError> {
        let malformed = |why: &dyn fmt::Display| wire::ResponseError::Malformed(why.to_string());
        let model = service.operation(operation).ok_or_else(|| malformed(&operation))?;
        let request = wire::encode_request(service, model, input).map_err(|why| malformed(&why))?;
        let (parts, body) = request.into_parts();
        let store = Arc::clone(&self.store) as Arc<dyn Store>;
        let context = self.context(caller, store, self.ids.entropy());
        let response = match wire::route(service, &parts, &body) {
            Ok(call) => self.runtime.block_on(api::serve(&context, &call, "request")),
            Err(rejection) => rejection.respond("request"),
        };
        let (parts, body) = response.into_parts();
        wire::decode_response(service, model, parts.status, &parts.headers, &body)
    }

    /// Runs the control loops until nothing is left to do at this moment. Answers after which time one of them has
    /// something to do that nobody will tell of.
    pub fn settle(&mut self) -> Result<Option<Duration>, Fault> {
        for _ in 0..RUNS_MAX {
            let stepped = self.driver.step();
            let fleets = self.runtime.block_on(self.fleets.activate());
            let mut idle = !fleets.changed;
            let mut wake = fleets.wake_after;
            if !self.stalled {
                let scaling = self.runtime.block_on(self.scaling.activate());
                if scaling.failed {
                    return Err(Fault("the store failed".into()));
                }
                idle &= !scaling.changed;
                wake = wake.into_iter().chain([scaling.wake_after]).min();
            }
            if fleets.failed {
                return Err(Fault("the store failed".into()));
            }
            if idle && !stepped && !self.driver.step() {
                return Ok(wake);
            }
        }
        Err(Fault("the control loop does not come to rest".into()))
    }

    /// Lets time pass, stopping wherever something is due: what nobody tells of is late, and is seen to be.
    pub fn advance(&mut self, span: Duration) -> Result<(), Fault> {
        self.advance_seen(span, &mut |_| ())
    }

    /// Lets time pass in which the task that scales does not run, as on a machine that is too busy.
    pub fn stall(&mut self, span: Duration) -> Result<(), Fault> {
        self.stalled = true;
        let passed = self.advance(span);
        self.stalled = false;
        passed
    }

    /// The same as [`World::advance`], and shows the world whenever it has come to rest.
    pub fn advance_seen(
        &mut self,
        span: Duration,
        see: &mut dyn FnMut(&Self),
    ) -> Result<(), Fault> {
        let end = self.clock.now().plus(span);
        loop {
            let wake = self.settle()?;
            see(self);
            let now = self.clock.now();
            if now >= end {
                return Ok(());
            }
            let instance = self.driver.next_due().map(|due| due.since(now));
            let window = Measured::window_of(now).plus(WINDOW).min(end).since(now);
            let next = [instance, wake].into_iter().flatten().fold(window, Duration::min);
            self.pass(next.max(Duration::from_millis(1)))?;
        }
    }

    /// Moves the clock, with the requests that come meanwhile; no further than to the end of a window.
    fn pass(&mut self, span: Duration) -> Result<(), Fault> {
        let now = self.clock.now();
        let then = now.plus(span);
        self.load.pass(&self.traffic.table(), now, then);
        self.clock.advance(span);
        if Measured::window_of(then) != then {
            return Ok(());
        }
        let measured = self.load.measured();
        if !measured.is_empty() {
            self.metrics.offer(measured);
        }
        let window = Measured::window_of(now).as_millis() / 1000;
        for mut input in self.puts.values().cloned().collect::<Vec<_>>() {
            for datum in input["MetricData"].as_array_mut().into_iter().flatten() {
                datum["Timestamp"] = window.into();
            }
            let answer = self.call(&wire::cloudwatch::SERVICE, "PutMetricData", &input)?;
            if answer.status != 200 {
                return Err(Fault(format!("PutMetricData: {}", answer.body)));
            }
        }
        Ok(())
    }

    /// Puts the clock forward to where a script begins.
    pub fn begin(&mut self, at: Timestamp) {
        self.clock.advance(at.since(self.clock.now()));
        self.beginning = at;
    }

    /// The server ends at once and is started again: its instances are gone, what was committed is not.
    pub fn restart(&mut self) -> Result<(), Fault> {
        let parts = parts::start(&self.clock, &self.disk, &self.metrics, &self.limits, &self.ids)?;
        for (image, behaviour) in &self.behaviours {
            parts.driver.script_image(image, behaviour.clone());
        }
        self.traffic = parts.traffic;
        (self.driver, self.store) = (parts.driver, parts.store);
        (self.fleets, self.scaling) = (parts.fleets, parts.scaling);
        self.decisions = parts.decisions;
        Ok(())
    }

    /// The same, and it is down until then. A time that has passed already is no pause.
    pub fn restart_at(&mut self, at: Timestamp) -> Result<(), Fault> {
        self.load.measured();
        self.clock.advance(at.since(self.clock.now()));
        self.restart()
    }

    /// The same, with as many instances as there may then be.
    pub fn restart_with(&mut self, instances: u32) -> Result<(), Fault> {
        self.limits = Arc::new(Limits { instances, by_type: BTreeMap::new() });
        self.restart()
    }

    /// An instance ends by itself.
    pub fn crash(&mut self, id: &InstanceId) {
        self.driver.crash(id, "signal 9");
    }

    pub fn instances(&self) -> Vec<Observed> {
        self.driver.observe()
    }

    pub fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.state().endpoints.values().cloned().collect()
    }

    /// Everything that is recorded.
    pub fn state(&self) -> Arc<State> {
        self.store.state()
    }

    /// What was decided for a target lately, the newest first.
    pub fn decisions(&self, target: &TargetKey) -> Vec<Recent> {
        self.decisions.of(target)
    }

    /// Region and account.
    pub fn scope(&self) -> Scope {
        parts::scope()
    }

    /// When the script began.
    pub const fn beginning(&self) -> Timestamp {
        self.beginning
    }

    /// Where everything is kept.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    /// The account's root user.
    pub fn root(&self) -> Caller {
        parts::root()
    }

    /// A user with a key; nothing if there is none.
    pub fn user(&self, name: &str) -> Option<Caller> {
        parts::caller(self.state().users.get(&NameKey::new(name))?)
    }

    /// What operations of this caller work with, over a store of the caller's choice and with random bits for its ids.
    pub fn context(
        &self,
        caller: &Caller,
        store: Arc<dyn Store>,
        entropy: Arc<dyn Fn() -> u128 + Send + Sync>,
    ) -> Context {
        Context {
            store,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            scope: self.scope(),
            caller: caller.principal.clone(),
            asked: api::Asked { access_key_id: caller.access_key_id.clone(), ..Default::default() },
            grant: None,
            limits: Arc::clone(&self.limits),
            logs: Arc::new(logs::Empty),
            metrics: Arc::clone(&self.metrics),
            live: Arc::new(View {
                driver: Arc::clone(&self.driver),
                traffic: Arc::clone(&self.traffic),
                decisions: Arc::clone(&self.decisions),
            }),
            entropy,
            nudge: Arc::new(|| ()),
        }
    }

    /// What another loop that looks after fleets works with, whose driver runs nothing yet.
    pub fn fleets_means(&self, driver: &Arc<FakeDriver>) -> fleets::Means {
        let traffic = Arc::new(SimTraffic::default());
        parts::fleets(&self.clock, self.store(), Arc::clone(driver) as _, traffic, &Ids::default())
    }

    /// What another loop that scales works with, for which nothing is measured yet.
    pub fn scaling_means(
        &self,
        entropy: Arc<dyn Fn() -> u128 + Send + Sync>,
    ) -> Result<scale::Means, Fault> {
        let metrics = Metrics::in_memory(Arc::clone(&self.clock) as Arc<dyn Clock>);
        let metrics = Arc::new(metrics.map_err(Fault::of)?);
        let limits = (&self.limits, entropy);
        Ok(parts::scaling(
            &self.clock,
            self.store(),
            Arc::clone(&self.driver) as _,
            &metrics,
            limits,
        ))
    }
}

/// A call as it comes out of the wire, or the refusal that it got there.
pub fn request(
    service: &'static Service,
    operation: &str,
    input: &Value,
) -> Result<Result<wire::Call, Box<wire::Rejection>>, Fault> {
    let unknown = || Fault(format!("{} has no {operation}", service.service_id));
    let model = service.operations.iter().find(|one| one.name == operation);
    let model = model.ok_or_else(unknown)?;
    let input = match model.input {
        Some(schema) => wire::Document::from_json(schema, input).map_err(Fault::of)?,
        None => wire::Document::empty(),
    };
    let request = wire::encode_request(service, model, &input).map_err(Fault::of)?;
    let (parts, body) = request.into_parts();
    Ok(wire::route(service, &parts, &body))
}
