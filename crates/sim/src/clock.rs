//! A clock that someone turns. Server time only goes on; the wall's time is the same until it is set to another.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::time::{Clock, Timestamp};

#[derive(Debug)]
pub struct SimClock {
    now: AtomicI64,
    /// Milliseconds by which the wall is ahead of server time; below zero if it was set back.
    ahead: AtomicI64,
}

impl SimClock {
    pub const fn at(start: Timestamp) -> Self {
        Self { now: AtomicI64::new(start.as_millis()), ahead: AtomicI64::new(0) }
    }

    /// Lets time pass, by server and wall alike.
    pub fn advance(&self, span: Duration) {
        self.now.store(self.now().plus(span).as_millis(), Ordering::SeqCst);
    }

    /// Sets the wall's time so many milliseconds on, or back, as the machine's administrator may. Server time of a server
    /// that runs does not move by it.
    pub fn set_wall(&self, millis: i64) {
        self.ahead.fetch_add(millis, Ordering::SeqCst);
    }

    /// What server time does where a server starts: it goes on at the wall's time, and never back.
    pub fn restart(&self) {
        let ahead = self.ahead.load(Ordering::SeqCst);
        if ahead > 0 {
            self.now.fetch_add(ahead, Ordering::SeqCst);
            self.ahead.store(0, Ordering::SeqCst);
        }
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    fn wall(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::SeqCst);
        Timestamp::from_millis(self.now.load(Ordering::SeqCst) + ahead)
    }

    fn steady(&self) -> Timestamp {
        self.now()
    }
}
