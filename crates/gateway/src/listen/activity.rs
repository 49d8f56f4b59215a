//! Whether a connection is in use, and whether it is asked to close.
//!
//! Plain cells of one thread: looking here costs a connection nothing on its way from request to answer.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};

use tokio::time::Instant;

/// What is known of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    busy: Cell<u32>,
    /// When the last answer was on its way.
    idle_since: Cell<Instant>,
    closing: Cell<bool>,
    /// Whether the client may still be sending the body of its last request.
    sending: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Activity {
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            busy: Cell::new(0),
            idle_since: Cell::new(Instant::now()),
            closing: Cell::new(false),
            sending: Cell::new(false),
            waker: RefCell::new(None),
        })
    }

    /// One more request or answer under way.
    pub(super) fn begin(self: &Rc<Self>) -> Busy {
        self.busy.set(self.busy.get() + 1);
        Busy(Rc::clone(self))
    }

    /// Says whether the client may still be sending.
    pub(super) fn set_sending(&self, sending: bool) {
        self.sending.set(sending);
    }

    pub(super) fn is_sending(&self) -> bool {
        self.sending.get()
    }

    /// Since when nothing is under way; `None` while something is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        (self.busy.get() == 0).then(|| self.idle_since.get())
    }

    /// Asks the connection to end with what it is busy with.
    pub(super) fn close(&self) {
        self.closing.set(true);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Whether it is asked to close; if not, whoever asks later wakes the task.
    pub(super) fn poll_closing(&self, cx: &mut Context<'_>) -> bool {
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        self.closing.get()
    }
}

/// A request or an answer under way; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Busy(Rc<Activity>);

impl Clone for Busy {
    fn clone(&self) -> Self {
        self.0.begin()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let left = self.0.busy.get().saturating_sub(1);
        self.0.busy.set(left);
        if left == 0 {
            self.0.idle_since.set(Instant::now());
        }
    }
}
