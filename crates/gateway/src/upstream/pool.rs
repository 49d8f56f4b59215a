//! Idle connections of one thread, by instance. No other thread sees them, so there is nothing to lock.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use domain::instance::InstanceId;
use foldhash::HashMap;
use tokio::time::{self, Instant};

use crate::task;

use super::connection::Connection;

/// How long a connection is kept for another request. Shorter than the shortest keep-alive time that model servers are
/// known to use (1 s), so that it is this side that closes: a server that closes may just be overtaken by a request.
const IDLE_TIME_MAX: Duration = Duration::from_millis(800);

/// Idle connections per instance and thread: as many as requests that a busy instance answers at once. With fewer, what
/// comes in waves would connect anew with each of them.
const IDLE_PER_INSTANCE_MAX: usize = 128;

/// How often connections that have been idle too long are looked for, while there are any.
const SWEEP_INTERVAL: Duration = Duration::from_millis(400);

/// The pool; clones are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool(Rc<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    idle: RefCell<HashMap<InstanceId, Vec<Idle>>>,
    is_sweeping: Cell<bool>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    /// A connection that a request may be sent on. The one used last comes first, so that the others can grow old.
    pub(super) fn take(&self, id: &InstanceId, now: Instant) -> Option<Connection> {
        let mut all = self.0.idle.borrow_mut();
        let idle = all.get_mut(id)?;
        while let Some(Idle { connection, since }) = idle.pop() {
            // The sweep may come too late for this one.
            if now.saturating_duration_since(since) < IDLE_TIME_MAX && connection.is_reusable() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection whose last answer has been read to its end `now`.
    pub(crate) fn put(&self, id: &InstanceId, connection: Connection, now: Instant) {
        if !connection.is_at_rest() {
            return;
        }
        let mut all = self.0.idle.borrow_mut();
        let idle = match all.get_mut(id) {
            Some(idle) => idle,
            None => all.entry(id.clone()).or_default(),
        };
        if idle.len() < IDLE_PER_INSTANCE_MAX {
            idle.push(Idle { connection, since: now });
        }
        drop(all);
        self.sweep_until_empty();
    }

    fn sweep_until_empty(&self) {
        if self.0.is_sweeping.replace(true) {
            return;
        }
        let swept = Rc::clone(&self.0);
        task::spawn_local("idle connections", async move {
            while swept.sweep() {
                time::sleep(SWEEP_INTERVAL).await;
            }
            swept.is_sweeping.set(false);
        });
    }
}

impl Shelf {
    /// Drops what has been idle too long; false if nothing is left.
    fn sweep(&self) -> bool {
        let mut all = self.idle.borrow_mut();
        all.retain(|_, idle| {
            idle.retain(|idle| {
                idle.since.elapsed() < IDLE_TIME_MAX && idle.connection.is_reusable()
            });
            !idle.is_empty()
        });
        !all.is_empty()
    }
}
