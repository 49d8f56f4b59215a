//! A store between which and its callers everything can go wrong that may: a decision waits until it is let in, its
//! commit fails, or its answer is late or never comes.
//!
//! Calls that are in flight take turns here. Whoever reaches the store stops until it is let in, so that one thread can
//! play any order of several calls and loops, and the same order again.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use store::memory::Disk;
use store::{Changes, Decision, Error, State, Store};

use crate::interleave::{is_none, same};

/// What becomes of a decision that is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    /// It is kept, and whoever asked hears of it when [`Gate::release`] is called.
    Late,
    /// The commit fails; nothing is kept.
    Failed,
    /// There is no room; nothing is kept.
    Full,
    /// It is kept, and whoever asked is told that the store has failed.
    Lost,
}

/// A decision that was let in.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) before: Arc<State>,
    pub(super) after: Arc<State>,
    /// Whether anything was changed.
    pub(super) wrote: bool,
    /// Whether whoever asked was told of a failure.
    pub(super) failed: bool,
}

/// Where somebody who asks things of the store stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stand {
    #[default]
    Elsewhere,
    Asking,
    LetIn(Fate),
    Waiting,
    Released,
}

/// One caller's way to the store; a caller has one thing to ask at a time.
#[derive(Debug, Default)]
pub(super) struct Gate {
    stand: Mutex<Stand>,
    made: Mutex<Vec<Made>>,
}

impl Gate {
    /// Whether somebody waits to be let in.
    pub(super) fn is_asking(&self) -> bool {
        *lock(&self.stand) == Stand::Asking
    }

    /// Whether an answer is there that was not handed over.
    pub(super) fn is_waiting(&self) -> bool {
        *lock(&self.stand) == Stand::Waiting
    }

    pub(super) fn let_in(&self, fate: Fate) {
        *lock(&self.stand) = Stand::LetIn(fate);
    }

    pub(super) fn release(&self) {
        *lock(&self.stand) = Stand::Released;
    }

    /// What was decided since the last look.
    pub(super) fn made(&self) -> Vec<Made> {
        std::mem::take(&mut *lock(&self.made))
    }

    async fn ask(&self) -> Fate {
        poll_fn(|_| {
            let mut stand = lock(&self.stand);
            if let Stand::LetIn(fate) = *stand {
                *stand = Stand::Elsewhere;
                return Poll::Ready(fate);
            }
            *stand = Stand::Asking;
            Poll::Pending
        })
        .await
    }

    async fn wait(&self) {
        poll_fn(|_| {
            let mut stand = lock(&self.stand);
            if *stand == Stand::Released {
                *stand = Stand::Elsewhere;
                return Poll::Ready(());
            }
            *stand = Stand::Waiting;
            Poll::Pending
        })
        .await;
    }
}

/// The store as one caller has it.
#[derive(Debug)]
pub(super) struct Gated {
    inner: Arc<dyn Store>,
    /// The same without what is planted on the way to it.
    kept: Arc<dyn Store>,
    disk: Disk,
    gate: Arc<Gate>,
}

impl Gated {
    pub(super) const fn new(
        inner: Arc<dyn Store>,
        kept: Arc<dyn Store>,
        disk: Disk,
        gate: Arc<Gate>,
    ) -> Self {
        Self { inner, kept, disk, gate }
    }

    fn run(&self, decision: Decision, fate: Fate) -> Result<(), Error> {
        let before = self.kept.state();
        let would_write = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&would_write);
        let run = move |state: &State| {
            let changes = decision(state);
            told.store(!is_none(&changes), Ordering::SeqCst);
            if fate == Fate::Failed { Changes::none() } else { changes }
        };
        self.disk.set_full(fate == Fate::Full);
        let kept = block_on(self.inner.submit(Box::new(run)));
        self.disk.set_full(false);
        let would_write = would_write.load(Ordering::SeqCst);
        // A store has nothing to fail at where nothing is to be kept.
        let answer = kept.and_then(|()| match fate {
            Fate::Failed if would_write => Err(Error::Commit("the disk has failed".into())),
            Fate::Lost => Err(Error::Stopped),
            _ => Ok(()),
        });
        let after = self.kept.state();
        let kept = would_write && !matches!(fate, Fate::Failed | Fate::Full);
        let wrote = kept || !same(&before, &after);
        lock(&self.gate.made).push(Made { before, after, wrote, failed: answer.is_err() });
        answer
    }
}

impl Store for Gated {
    fn state(&self) -> Arc<State> {
        self.inner.state()
    }

    fn submit(
        &self,
        decision: Decision,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        Box::pin(async move {
            let fate = self.gate.ask().await;
            let answer = self.run(decision, fate);
            if fate == Fate::Late {
                self.gate.wait().await;
            }
            answer
        })
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for something that goes on in another thread: the store's writer.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
