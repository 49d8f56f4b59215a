//! A store at which a client stops before every look and every decision, until it is told to go on.

use std::pin::Pin;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::{Changes, Decision, Error, State, Store};

/// A fault to be found: what is made of a decision, given the state that its client has looked at last and the state as
/// it is.
pub type Planted = fn(seen: &State, now: &State, decision: Decision) -> Changes;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Look,
    Decision,
}

/// What a client tells.
#[derive(Debug)]
pub(super) enum Event {
    /// It stops before a step.
    Stopped(Kind),
    /// A call of it was answered.
    Answered(String),
    /// It has no more to do.
    Ended,
}

/// What a step has decided.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) before: State,
    pub(super) after: Arc<State>,
    /// Whether anything was changed.
    pub(super) wrote: bool,
}

pub(super) struct Stepped {
    inner: Arc<dyn Store>,
    events: SyncSender<Event>,
    leave: Mutex<Receiver<()>>,
    decided: Arc<Mutex<Option<Decided>>>,
    seen: Mutex<Option<Arc<State>>>,
    planted: Option<Planted>,
}

impl std::fmt::Debug for Stepped {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Stepped").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Stepped {
    pub(super) fn new(
        inner: Arc<dyn Store>,
        (events, leave): (SyncSender<Event>, Receiver<()>),
        decided: Arc<Mutex<Option<Decided>>>,
        planted: Option<Planted>,
    ) -> Self {
        let (leave, seen) = (Mutex::new(leave), Mutex::default());
        Self { inner, events, leave, decided, seen, planted }
    }

    /// Whoever listens no more has given up: nobody is stopped then, so that threads come to their end.
    pub(super) fn tell(&self, event: Event) {
        drop(self.events.send(event));
    }

    fn step(&self, kind: Kind) {
        self.tell(Event::Stopped(kind));
        let _told_or_given_up = lock(&self.leave).recv();
    }
}

impl Store for Stepped {
    fn state(&self) -> Arc<State> {
        self.step(Kind::Look);
        let state = self.inner.state();
        *lock(&self.seen) = Some(Arc::clone(&state));
        state
    }

    fn submit(
        &self,
        decision: Decision,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        Box::pin(async move {
            self.step(Kind::Decision);
            let seen = lock(&self.seen).clone();
            let planted = self.planted.zip(seen);
            let slot = Arc::new(Mutex::new(None));
            let told = Arc::clone(&slot);
            let run = move |state: &State| {
                let changes = match planted {
                    Some((planted, seen)) => planted(&seen, state, decision),
                    None => decision(state),
                };
                *lock(&told) = Some((state.clone(), !is_none(&changes)));
                changes
            };
            self.inner.submit(Box::new(run)).await?;
            let told = lock(&slot).take();
            *lock(&self.decided) =
                told.map(|(before, wrote)| Decided { before, after: self.inner.state(), wrote });
            Ok(())
        })
    }
}

/// Whether a decision changes nothing. All that changes show of themselves is how many they are.
pub fn is_none(changes: &Changes) -> bool {
    format!("{changes:?}") == format!("{:?}", Changes::none())
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
