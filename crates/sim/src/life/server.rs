//! One server from its start to its end: its store, its loops, and the calls that are in flight.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as Polling, Poll, Waker};
use std::time::Duration;

use api::Context;
use control::task::fleets::{self, Fleets};
use control::task::scale::{self, Decisions, Scaling};
use domain::endpoint::Limits;
use domain::instance::Observed;
use domain::time::{Clock, Timestamp};
use metrics::Metrics;
use runtime::driver::Driver;
use serde_json::Value;
use store::memory::Disk;
use store::{MemoryStore, State, Store};
use wire::Service;

use super::gate::{Fate, Gate, Gated, Made};
use super::machine::Machine;
use super::planted::Planted;
use super::witness::Witness;
use crate::world::parts::{self, Ids, View};
use crate::{Caller, Fault, SimClock, request};

/// As in the server, but for its longest pause: what nothing tells of is seen later here, at the latest.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const FAILURE_PAUSE: Duration = Duration::from_millis(500);

/// What outlives a server.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub(super) clock: Arc<SimClock>,
    pub(super) disk: Disk,
    pub(super) metrics: Arc<Metrics>,
    pub(super) limits: Arc<Limits>,
    pub(super) ids: Arc<Ids>,
    pub(super) witness: Witness,
    pub(super) planted: Arc<dyn Planted>,
}

/// A call that a client makes.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) by: Caller,
    /// Whether this is the user who may not touch scaling.
    pub(super) restricted: bool,
    pub(super) service: &'static Service,
    pub(super) operation: &'static str,
    pub(super) input: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Who {
    /// With the instances as they were when its run began.
    Fleets(Arc<Vec<Observed>>),
    Scaling,
    Client(Arc<Asked>),
}

/// What came of a call.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) asked: Arc<Asked>,
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) made: Vec<Made>,
    /// The state when it was answered.
    pub(super) state: Arc<State>,
}

/// What was seen by letting somebody go on.
#[derive(Debug, Default)]
pub(super) struct Went {
    pub(super) decided: Vec<(Who, Made)>,
    pub(super) answered: Option<Answered>,
    /// The scaling loop has come to the end of a run in which nothing failed: what was there when it decided first.
    pub(super) scaled: Option<Arc<State>>,
}

enum Ended {
    Answer(u16, Value),
    Fleets(Box<Fleets>, fleets::Report),
    Scaling(Box<Scaling>, scale::Report),
}

struct Task {
    number: u64,
    who: Who,
    gate: Arc<Gate>,
    made: Vec<Made>,
    job: Pin<Box<dyn Future<Output = Ended>>>,
}

/// A loop between its runs.
struct Looping<T> {
    idle: Option<Box<T>>,
    gate: Arc<Gate>,
    due: Timestamp,
}

pub(super) struct Server {
    ground: Ground,
    pub(super) machine: Arc<Machine>,
    pub(super) store: Arc<dyn Store>,
    pub(super) decisions: Arc<Decisions>,
    fleets: Looping<Fleets>,
    scaling: Looping<Scaling>,
    tasks: Vec<Task>,
    next: u64,
    bell: Arc<AtomicBool>,
}

impl Server {
    pub(super) fn start(ground: &Ground, machine: Machine) -> Result<Self, Fault> {
        let (machine, decisions) = (Arc::new(machine), Arc::new(Decisions::default()));
        let store = Arc::new(MemoryStore::open(ground.disk.clone()).map_err(Fault::of)?);
        let store = ground.planted.store(store, &ground.disk);
        let driver = || ground.planted.driver(Arc::clone(&machine) as _);
        let traffic = ground.planted.traffic(Arc::clone(&machine) as _);
        let gates = [(); 2].map(|()| Arc::new(Gate::default()));
        let way = |gate: &Arc<Gate>| way(ground, &store, gate);
        let fleets = parts::fleets(&ground.clock, way(&gates[0]), driver(), traffic, &ground.ids);
        let limits = (&ground.limits, ground.ids.entropy());
        let scaling =
            parts::scaling(&ground.clock, way(&gates[1]), driver(), &ground.metrics, limits);
        let [of_fleets, of_scaling] = gates;
        let due = ground.clock.now();
        let scaling = Scaling::new(scaling, Arc::clone(&decisions));
        Ok(Self {
            fleets: Looping { idle: Some(Box::new(Fleets::new(fleets))), gate: of_fleets, due },
            scaling: Looping { idle: Some(Box::new(scaling)), gate: of_scaling, due },
            ground: ground.clone(),
            machine,
            store,
            decisions,
            tasks: Vec::new(),
            next: 0,
            bell: Arc::default(),
        })
    }

    /// Takes a call in. One that does not get through the wire is answered at once.
    pub(super) fn call(&mut self, asked: Asked) -> Result<Option<Answered>, Fault> {
        let gate = Arc::new(Gate::default());
        let context = self.context(&asked.by, way(&self.ground, &self.store, &gate));
        let asked = Arc::new(asked);
        let call = match request(asked.service, asked.operation, &asked.input)? {
            Ok(call) => call,
            Err(rejection) => {
                let response = rejection.respond("request");
                let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
                let (status, state) = (response.status().as_u16(), self.store.state());
                return Ok(Some(Answered { asked, status, body, made: Vec::new(), state }));
            }
        };
        let job = Box::pin(async move {
            let response = api::serve(&context, &call, "request").await;
            let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
            Ended::Answer(response.status().as_u16(), body)
        });
        self.add(Who::Client(asked), gate, job);
        Ok(None)
    }

    fn add(&mut self, who: Who, gate: Arc<Gate>, job: Pin<Box<dyn Future<Output = Ended>>>) {
        self.next += 1;
        self.tasks.push(Task { number: self.next, who, gate, made: Vec::new(), job });
    }

    /// Begins the runs of loops that are due. Whether there was one.
    pub(super) fn run_loops(&mut self) -> bool {
        let now = self.ground.clock.now();
        let mut began = false;
        if self.fleets.due <= now
            && let Some(mut fleets) = self.fleets.idle.take()
        {
            self.machine.looks(self.store.state());
            let instances = Arc::new(self.machine.driver.observe());
            self.fleets.due = now.plus(LONGEST_PAUSE);
            let job = Box::pin(async move {
                let report = fleets.activate().await;
                Ended::Fleets(fleets, report)
            });
            self.add(Who::Fleets(instances), Arc::clone(&self.fleets.gate), job);
            began = true;
        }
        if self.scaling.due <= now
            && let Some(mut scaling) = self.scaling.idle.take()
        {
            self.scaling.due = now.plus(LONGEST_PAUSE);
            let job = Box::pin(async move {
                let report = scaling.activate().await;
                Ended::Scaling(scaling, report)
            });
            self.add(Who::Scaling, Arc::clone(&self.scaling.gate), job);
            began = true;
        }
        began
    }

    /// Wakes the loops, as late as this.
    pub(super) fn wake(&mut self, within: Duration) {
        let at = self.ground.clock.now().plus(within);
        self.fleets.due = self.fleets.due.min(at);
        self.scaling.due = self.scaling.due.min(at);
    }

    /// When a loop that rests has something to do.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let fleets = self.fleets.idle.is_some().then_some(self.fleets.due);
        let scaling = self.scaling.idle.is_some().then_some(self.scaling.due);
        fleets.into_iter().chain(scaling).min()
    }

    /// Whoever has not come as far as the store yet: the task that was taken in last, and loops that have just begun.
    pub(super) fn fresh(&self) -> Option<usize> {
        self.tasks.iter().position(|task| !task.gate.is_asking() && !task.gate.is_waiting())
    }

    /// Those who wait at the store.
    pub(super) fn asking(&self) -> Vec<usize> {
        self.standing(Gate::is_asking)
    }

    /// Those who wait for an answer of it.
    pub(super) fn waiting(&self) -> Vec<usize> {
        self.standing(Gate::is_waiting)
    }

    fn standing(&self, how: impl Fn(&Gate) -> bool) -> Vec<usize> {
        (0..self.tasks.len()).filter(|at| how(&self.tasks[*at].gate)).collect()
    }

    pub(super) fn clients(&self) -> usize {
        self.tasks.iter().filter(|task| matches!(task.who, Who::Client(_))).count()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(super) fn let_in(&mut self, at: usize, fate: Fate) -> Went {
        let task = &self.tasks[at];
        self.ground.witness.tell(format_args!("{} is let in: {fate:?}", task.label()));
        task.gate.let_in(fate);
        self.go_on(at)
    }

    pub(super) fn release(&mut self, at: usize) -> Went {
        let task = &self.tasks[at];
        self.ground.witness.tell(format_args!("{} gets its answer", task.label()));
        task.gate.release();
        self.go_on(at)
    }

    /// Lets somebody go on until it stops at the store or ends.
    pub(super) fn go_on(&mut self, at: usize) -> Went {
        let task = &mut self.tasks[at];
        let polled = task.job.as_mut().poll(&mut Polling::from_waker(Waker::noop()));
        let mut went = Went::default();
        for made in task.gate.made() {
            went.decided.push((task.who.clone(), made.clone()));
            task.made.push(made);
        }
        if self.bell.swap(false, Ordering::SeqCst) {
            self.wake(Duration::ZERO);
        }
        if let Poll::Ready(ended) = polled {
            let task = self.tasks.remove(at);
            self.end(task, ended, &mut went);
        }
        went
    }

    fn end(&mut self, task: Task, ended: Ended, went: &mut Went) {
        let now = self.ground.clock.now();
        match ended {
            Ended::Answer(status, body) => {
                let Who::Client(asked) = task.who else { return };
                let (number, operation) = (task.number, asked.operation);
                self.ground.witness.tell(format_args!("{operation} {number} is answered {status}"));
                let state = self.store.state();
                went.answered = Some(Answered { asked, status, body, made: task.made, state });
            }
            Ended::Fleets(fleets, report) => {
                self.fleets.idle = Some(fleets);
                let pause = match report {
                    fleets::Report { failed: true, .. } => FAILURE_PAUSE,
                    fleets::Report { changed: true, .. } => Duration::ZERO,
                    _ => LONGEST_PAUSE,
                };
                let pause = report.wake_after.map_or(pause, |after| pause.min(after));
                self.fleets.due = self.fleets.due.min(now.plus(pause));
                if report.changed {
                    self.scaling.due = now;
                }
            }
            Ended::Scaling(scaling, report) => {
                self.scaling.idle = Some(scaling);
                let failed = report.failed || task.made.iter().any(|made| made.failed);
                let first = task.made.first().filter(|_| !failed);
                went.scaled = first.map(|made| Arc::clone(&made.before));
                let pause = if report.failed { FAILURE_PAUSE } else { report.wake_after };
                self.scaling.due = self.scaling.due.min(now.plus(pause));
                if report.changed {
                    self.fleets.due = now;
                }
            }
        }
    }

    fn context(&self, caller: &Caller, store: Arc<dyn Store>) -> Context {
        let bell = Arc::clone(&self.bell);
        Context {
            store,
            clock: Arc::clone(&self.ground.clock) as Arc<dyn Clock>,
            scope: parts::scope(),
            caller: caller.principal.clone(),
            asked: api::Asked { access_key_id: caller.access_key_id.clone(), ..Default::default() },
            grant: None,
            limits: Arc::clone(&self.ground.limits),
            logs: Arc::new(logs::Empty),
            metrics: Arc::clone(&self.ground.metrics),
            live: Arc::new(View {
                driver: Arc::clone(&self.machine.driver),
                traffic: Arc::clone(&self.machine.traffic),
                decisions: Arc::clone(&self.decisions),
            }),
            entropy: self.ground.ids.entropy(),
            nudge: Arc::new(move || bell.store(true, Ordering::SeqCst)),
        }
    }
}

fn way(ground: &Ground, store: &Arc<dyn Store>, gate: &Arc<Gate>) -> Arc<dyn Store> {
    let way = ground.planted.way(Arc::clone(store));
    Arc::new(Gated::new(way, Arc::clone(store), ground.disk.clone(), Arc::clone(gate)))
}

impl Task {
    fn label(&self) -> String {
        match &self.who {
            Who::Fleets(_) => "the fleets' loop".to_owned(),
            Who::Scaling => "the scaling loop".to_owned(),
            Who::Client(asked) => format!("{} {}", asked.operation, self.number),
        }
    }
}
