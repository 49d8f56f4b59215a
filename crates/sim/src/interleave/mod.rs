//! Every order in which the steps of calls that run at once can come to the store.
//!
//! Each client is a thread that makes its calls one after another, as they are; before each look at the state and each
//! decision it stops, and one client at a time is let go on. Schedules are enumerated depth first and without chance:
//! each is a run of its own from the same state. Nothing is left out but orders of neighbouring steps that neither change
//! anything nor tell which of two calls came first.

mod base;
mod schedule;
mod stepped;

use std::fmt;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use store::{State, Store};
use tokio::runtime::{Builder, Runtime};

use crate::world::Fault;
use base::Base;
use schedule::{Step, Tree};
use stepped::{Decided, Event, Kind, Stepped, lock};

pub use base::{difference, same};
pub use stepped::{Planted, is_none};

/// Schedules of one exploration: more would take minutes, and are a mistake of the test.
const SCHEDULES_MAX: usize = 500_000;

/// Events that a client may be ahead by: it answers one call and stops before the first step of the next.
const EVENTS_MAX: usize = 4;

/// What becomes of a call: its answer, as a text to compare.
pub type Answering = Pin<Box<dyn Future<Output = String> + Send>>;

/// Something that a client does, by way of a store.
#[derive(Clone)]
pub struct Call {
    pub name: String,
    /// Whether it should seem to happen at one moment. The loops' runs are no calls of anybody: they decide several
    /// times, and others may come in between.
    pub atomic: bool,
    run: Arc<dyn Fn(Arc<dyn Store>) -> Answering + Send + Sync>,
}

impl fmt::Debug for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}

impl Call {
    pub fn new(
        name: &str,
        atomic: bool,
        run: impl Fn(Arc<dyn Store>) -> Answering + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.to_owned(), atomic, run: Arc::new(run) }
    }
}

/// Makes the clients of one run: what each of them calls, in this order.
pub type Clients<'a> = dyn Fn() -> Vec<Vec<Call>> + 'a;

/// How steps may follow one another.
#[derive(Debug, Clone, Copy)]
pub enum Mode {
    /// As they can when calls run at once.
    Free,
    /// So that nothing comes between the steps of an atomic call: what calls should seem to be.
    Atomic,
    /// As they can when calls run at once and the program is broken.
    Broken(Planted),
}

/// A decision that was made, changing something or nothing.
#[derive(Debug, Clone)]
pub struct Made {
    pub client: usize,
    /// Which of the client's calls.
    pub call: usize,
    pub before: State,
    pub after: Arc<State>,
    pub wrote: bool,
}

/// One run.
#[derive(Debug, Clone)]
pub struct Run {
    /// By client and call.
    pub answers: Vec<Vec<String>>,
    /// The numbers of the first and the last step of each call.
    pub spans: Vec<Vec<(usize, usize)>>,
    pub made: Vec<Made>,
    /// The clients in the order of their steps.
    pub schedule: Vec<usize>,
    pub last: Arc<State>,
}

/// How much was explored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Runs that differ.
    pub schedules: usize,
    /// Runs that were given up because another has been everywhere that they could lead.
    pub given_up: usize,
    pub steps: usize,
}

/// Runs the clients in every order, each time from the state that the store has now, and shows each run until it has
/// been shown enough (`false`). The store has that state again afterwards.
pub fn explore(
    store: &Arc<dyn Store>,
    clients: &Clients<'_>,
    mode: Mode,
    see: &mut dyn FnMut(&Run) -> bool,
) -> Result<Count, Fault> {
    let runtime = runtime()?;
    let mut base = runtime.block_on(Base::of(Arc::clone(store)))?;
    let width = clients().len();
    std::thread::scope(|scope| {
        let mut workers = Vec::with_capacity(width);
        for _ in 0..width {
            let (worker, thread) = worker(store, mode)?;
            std::thread::Builder::new().spawn_scoped(scope, thread).map_err(Fault::of)?;
            workers.push(worker);
        }
        let mut tree = Tree::new(matches!(mode, Mode::Atomic));
        let mut count = Count::default();
        loop {
            let calls = clients();
            let atomic = calls.iter().map(|calls| calls.iter().map(|call| call.atomic).collect());
            let mut stage = Stage::new(&workers, atomic.collect(), mode);
            for (worker, calls) in workers.iter().zip(calls) {
                worker.jobs.send(calls).map_err(Fault::of)?;
            }
            let whole = stage.play(&mut tree)?;
            count.steps += stage.schedule.len();
            let mut enough = false;
            if whole {
                count.schedules += 1;
                enough = !see(&stage.into_run(base.store().state()));
            } else {
                count.given_up += 1;
            }
            runtime.block_on(base.restore())?;
            if enough || !tree.turn() {
                return Ok(count);
            }
            if count.schedules >= SCHEDULES_MAX {
                return Err(Fault("there are too many schedules".into()));
            }
        }
    })
}

fn runtime() -> Result<Runtime, Fault> {
    Builder::new_current_thread().build().map_err(Fault::of)
}

/// A client's thread as the explorer sees it.
struct Worker {
    jobs: SyncSender<Vec<Call>>,
    events: Receiver<Event>,
    go: SyncSender<()>,
    decided: Arc<Mutex<Option<Decided>>>,
}

fn worker(store: &Arc<dyn Store>, mode: Mode) -> Result<(Worker, impl FnOnce() + Send), Fault> {
    let (jobs, work) = sync_channel::<Vec<Call>>(1);
    let (told, events) = sync_channel(EVENTS_MAX);
    let (go, leave) = sync_channel(1);
    let decided = Arc::new(Mutex::new(None));
    let planted = match mode {
        Mode::Broken(planted) => Some(planted),
        Mode::Free | Mode::Atomic => None,
    };
    let stepped = Stepped::new(Arc::clone(store), (told, leave), Arc::clone(&decided), planted);
    let stepped = Arc::new(stepped);
    let runtime = runtime()?;
    let thread = move || {
        for calls in work {
            for call in calls {
                let store = Arc::clone(&stepped) as Arc<dyn Store>;
                stepped.tell(Event::Answered(runtime.block_on((call.run)(store))));
            }
            stepped.tell(Event::Ended);
        }
    };
    Ok((Worker { jobs, events, go, decided }, thread))
}

/// A run while it goes on.
struct Stage<'a> {
    workers: &'a [Worker],
    atomic: Vec<Vec<bool>>,
    mode: Mode,
    /// Which step each client has stopped before; it has ended otherwise.
    stopped: Vec<Option<Kind>>,
    /// Whether each client is within a call.
    within: Vec<bool>,
    answers: Vec<Vec<String>>,
    spans: Vec<Vec<(usize, usize)>>,
    made: Vec<Made>,
    schedule: Vec<usize>,
}

impl<'a> Stage<'a> {
    fn new(workers: &'a [Worker], atomic: Vec<Vec<bool>>, mode: Mode) -> Self {
        let width = workers.len();
        Self {
            workers,
            atomic,
            mode,
            stopped: vec![None; width],
            within: vec![false; width],
            answers: vec![Vec::new(); width],
            spans: vec![Vec::new(); width],
            made: Vec::new(),
            schedule: Vec::new(),
        }
    }

    /// Plays one schedule; whether to its end, with something to be seen.
    fn play(&mut self, tree: &mut Tree) -> Result<bool, Fault> {
        for client in 0..self.workers.len() {
            self.listen(client)?;
        }
        loop {
            let ready = self.ready();
            let Some(first) = ready.first().copied() else { return Ok(true) };
            let Some(client) = tree.choose(ready) else {
                return self.give_up(first).map(|()| false);
            };
            let step = self.step(client)?;
            tree.took(step);
        }
    }

    /// Clients that may go on.
    fn ready(&self) -> Vec<usize> {
        let stopped = (0..self.workers.len()).filter(|client| self.stopped[*client].is_some());
        let busy = |client: &usize| {
            let atomic = self.atomic[*client].get(self.answers[*client].len());
            let undisturbed = matches!(self.mode, Mode::Atomic);
            self.within[*client] && atomic.is_some_and(|atomic| *atomic) && undisturbed
        };
        match stopped.clone().find(busy) {
            Some(client) => vec![client],
            None => stopped.collect(),
        }
    }

    /// Lets everybody come to the end.
    fn give_up(&mut self, first: usize) -> Result<(), Fault> {
        let mut next = Some(first);
        while let Some(client) = next {
            self.step(client)?;
            next = self.ready().first().copied();
        }
        Ok(())
    }

    /// Lets a client take one step.
    fn step(&mut self, client: usize) -> Result<Step, Fault> {
        let (at, call) = (self.schedule.len(), self.answers[client].len());
        let began = !std::mem::replace(&mut self.within[client], true);
        if began {
            self.spans[client].push((at, at));
        }
        self.schedule.push(client);
        self.workers[client].go.send(()).map_err(Fault::of)?;
        self.listen(client)?;
        let decided = lock(&self.workers[client].decided).take();
        let wrote = decided.as_ref().is_some_and(|decided| decided.wrote);
        if let Some(Decided { before, after, wrote }) = decided {
            self.made.push(Made { client, call, before, after, wrote });
        }
        let ended = self.answers[client].len() > call;
        if ended {
            self.within[client] = false;
            if let Some(span) = self.spans[client].last_mut() {
                span.1 = at;
            }
        }
        Ok(Step { client, wrote, began, ended })
    }

    /// Hears of a client until it stops or ends.
    fn listen(&mut self, client: usize) -> Result<(), Fault> {
        loop {
            // Its thread ends before its time only by a panic.
            match self.workers[client].events.recv().map_err(Fault::of)? {
                Event::Answered(answer) => self.answers[client].push(answer),
                Event::Stopped(kind) => {
                    self.stopped[client] = Some(kind);
                    return Ok(());
                }
                Event::Ended => {
                    self.stopped[client] = None;
                    return Ok(());
                }
            }
        }
    }

    fn into_run(self, last: Arc<State>) -> Run {
        let Self { answers, spans, made, schedule, .. } = self;
        Run { answers, spans, made, schedule, last }
    }
}
