//! A clock that someone turns. Server time and wall time are one here.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::time::{Clock, Timestamp};

#[derive(Debug)]
pub struct SimClock(AtomicI64);

impl SimClock {
    pub const fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.as_millis()))
    }

    pub fn advance(&self, span: Duration) {
        self.0.store(self.now().plus(span).as_millis(), Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }
}
