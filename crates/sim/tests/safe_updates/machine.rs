//! The server that is updated and the machine that the update runs on, which may lose power at any call.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use domain::safe_update::{Outcome, Request, Run};
use domain::time::{Clock, Timestamp};
use safe_update::journal::{self, Whose};
use safe_update::{Fault, Journal, Remote, Stopped, carry_on, survey};
use sim::World;
use store::State;
use wire::{Document, ResponseError, Service};

use crate::watch::Watch;

/// What happens at one call or write of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The machine ends before the server, or the disk, has done anything.
    DiesBefore,
    /// The machine ends before it knows.
    DiesAfter,
    Throttled,
    /// The server breaks before it has done anything.
    Breaks,
    /// The caller may not do that.
    Denied,
    /// There may be no more instances.
    Limited,
    /// The call does not arrive.
    LostBefore,
    /// Its answer does not arrive.
    LostAfter,
}

/// Where a run can be cut off.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// The operation, or `journal`.
    pub(crate) what: &'static str,
    /// What a run after it would find, to tell points apart: the state, the journal and the time.
    state: Arc<State>,
    journals: usize,
    at: Timestamp,
}

impl Point {
    pub(crate) fn finds_the_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
            && (self.journals, self.at) == (other.journals, other.at)
    }

    pub(crate) fn changes(&self) -> bool {
        self.what != "journal"
            && !self.what.starts_with("Describe")
            && !self.what.starts_with("Get")
            && !self.what.starts_with("List")
    }
}

/// What happens at a call or write: by its number, and by what it is.
type Troubles = dyn FnMut(usize, &Point) -> Option<Trouble> + Send;

struct Inner {
    world: World,
    watch: Watch,
    journal: Option<String>,
    journals: usize,
    points: Vec<Point>,
    troubles: Box<Troubles>,
    told: Vec<String>,
}

/// A world and the disk of the machine.
#[derive(Clone)]
pub(crate) struct Machine(Arc<Mutex<Inner>>);

impl Machine {
    pub(crate) fn new(mut world: World, watch: Watch) -> Self {
        world.settle().unwrap();
        let inner = Inner {
            world,
            watch,
            journal: None,
            journals: 0,
            points: Vec::new(),
            troubles: Box::new(|_, _| None),
            told: Vec::new(),
        };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Decides what happens from now on, by the number of the call or write and by what it is. They are counted anew.
    pub(crate) fn trouble(
        &self,
        troubles: impl FnMut(usize, &Point) -> Option<Trouble> + Send + 'static,
    ) {
        let mut inner = self.inner();
        inner.points.clear();
        inner.troubles = Box::new(troubles);
    }

    pub(crate) fn points(&self) -> Vec<Point> {
        self.inner().points.clone()
    }

    pub(crate) fn world<T>(&self, with: impl FnOnce(&mut World) -> T) -> T {
        with(&mut self.inner().world)
    }

    pub(crate) fn told(&self) -> String {
        self.inner().told.join("\n")
    }

    pub(crate) fn pass(&self, time: Duration) {
        let inner = &mut *self.inner();
        inner.watch.pass(&mut inner.world, time);
    }

    /// Begins an update and carries it on, or goes on with the one in the journal. Nothing if the machine has died.
    pub(crate) fn update(
        &self,
        wanted: &str,
        request: Request,
        turn: Turn,
    ) -> Option<Result<Outcome, Stopped>> {
        let remote = Wire(self.clone());
        finished(async move {
            let run = match (self.run(), turn) {
                (Some(run), Turn::Resume) => run.resumed(remote.now().await),
                (Some(run), Turn::Undo) => run.undoing(remote.now().await),
                (None, Turn::Undo) => return Ok(Outcome::Undone),
                (None, Turn::Resume) => {
                    let endpoint = "e".parse().unwrap();
                    let found = survey(&remote, &endpoint, &wanted.parse().unwrap()).await;
                    let found = found.map_err(|fault| Stopped(fault.to_string()))?;
                    let now = remote.now().await;
                    Run::begin(found.facts, found.saved, request, now).map_err(Stopped)?
                }
            };
            let journal = &mut Wire(remote.0.clone());
            carry_on(&remote, journal, run).await
        })
    }

    /// What the journal says.
    fn run(&self) -> Option<Run> {
        let text = self.inner().journal.clone()?;
        Some(journal::read(&text, &whose()).unwrap())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What somebody does who finds the machine dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Resume,
    Undo,
}

fn whose() -> Whose {
    Whose {
        url: "http://127.0.0.1:4280".into(),
        account: "000000000000".into(),
        region: "us-east-1".into(),
        endpoint: "e".parse().unwrap(),
    }
}

/// Nothing in here waits but what has died.
fn finished<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

struct Wire(Machine);

impl Inner {
    fn reach(&mut self, what: &'static str) -> Option<Trouble> {
        let point = Point {
            what,
            state: self.world.state(),
            journals: self.journals,
            at: self.world.clock.now(),
        };
        let trouble = (self.troubles)(self.points.len(), &point);
        self.points.push(point);
        trouble
    }

    fn call(
        &mut self,
        service: &'static Service,
        operation: &'static str,
        input: &Document,
    ) -> Option<Result<Document, Fault>> {
        let trouble = self.reach(operation);
        let refused = |code: &str, status| {
            let message = "for now".to_owned();
            Some(Err(Fault::Refused { code: code.to_owned(), message, status }))
        };
        let lost = || Some(Err(Fault::Lost("the connection was reset".to_owned())));
        match trouble {
            Some(Trouble::DiesBefore) => return None,
            Some(Trouble::LostBefore) => return lost(),
            Some(Trouble::Throttled) => return refused("ThrottlingException", 400),
            Some(Trouble::Breaks) => return refused("InternalFailure", 500),
            Some(Trouble::Denied) => return refused("AccessDeniedException", 400),
            Some(Trouble::Limited) => return refused("ResourceLimitExceeded", 400),
            Some(Trouble::DiesAfter | Trouble::LostAfter) | None => {}
        }
        let caller = self.world.root();
        let before = self.world.state();
        let answer = self.world.ask(&caller, service, operation, input);
        // What only reads lets no time pass, so that points between which nothing happens are the same.
        if !Arc::ptr_eq(&before, &self.world.state()) {
            self.watch.pass(&mut self.world, Duration::from_millis(10));
        }
        match trouble {
            Some(Trouble::DiesAfter) => None,
            Some(_) => lost(),
            None => Some(answer.map_err(|error| match error {
                ResponseError::Service(error) => Fault::Refused {
                    code: error.code,
                    message: error.message,
                    status: error.status.as_u16(),
                },
                ResponseError::Malformed(why) => panic!("{operation}: {why}"),
            })),
        }
    }
}

impl Remote for Wire {
    fn call(
        &self,
        service: &'static Service,
        operation: &'static str,
        input: &Document,
    ) -> impl Future<Output = Result<Document, Fault>> + Send {
        let answer = self.0.inner().call(service, operation, input);
        async move {
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        }
    }

    fn now(&self) -> impl Future<Output = Timestamp> + Send {
        let now = self.0.world(|world| world.clock.now());
        async move { now }
    }

    fn pause(&self, time: Duration) -> impl Future<Output = ()> + Send {
        self.0.pass(time);
        async {}
    }
}

impl Journal for Wire {
    fn keep(&mut self, run: &Run) -> impl Future<Output = Result<(), String>> + Send {
        let inner = &mut *self.0.inner();
        let trouble = inner.reach("journal");
        if trouble != Some(Trouble::DiesBefore) {
            inner.journal = Some(journal::write(&whose(), run).unwrap());
            inner.journals += 1;
        }
        let dies = matches!(trouble, Some(Trouble::DiesBefore | Trouble::DiesAfter));
        async move { if dies { std::future::pending().await } else { Ok(()) } }
    }

    fn tell(&mut self, line: &str) {
        self.0.inner().told.push(line.to_owned());
    }
}
