//! The clock of a real server: the only place that reads the machine's.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::time::{Clock, Timestamp};

/// Server time that runs `scale` times as fast as the wall, from where it stood.
#[derive(Debug)]
pub(crate) struct ScaledClock {
    began: Instant,
    began_at: Timestamp,
    wall_began_at: Timestamp,
    scale: f64,
}

impl ScaledClock {
    /// Continues at `stored` or at the wall's time, whichever is later: server time never goes back.
    pub(crate) fn start(stored: Option<Timestamp>, scale: f64) -> Self {
        let wall_began_at = wall();
        let began_at = stored.unwrap_or_default().max(wall_began_at);
        Self { began: instant(), began_at, wall_began_at, scale }
    }

    pub(crate) const fn scale(&self) -> f64 {
        self.scale
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        let elapsed = instant().saturating_duration_since(self.began);
        self.began_at.plus(elapsed.mul_f64(self.scale))
    }

    fn wall(&self) -> Timestamp {
        wall()
    }

    fn steady(&self) -> Timestamp {
        self.wall_began_at.plus(instant().saturating_duration_since(self.began))
    }

    fn wall_until(&self, at: Timestamp) -> Duration {
        at.since(self.now()).div_f64(self.scale)
    }
}

/// The machine's time of day.
pub(crate) fn wall() -> Timestamp {
    let since = system_time().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the wall clock that everything else is handed"
)]
pub(crate) fn system_time() -> SystemTime {
    SystemTime::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "server time counts from here; it is not a wait that tests would pause"
)]
fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_time_continues_where_it_stood_and_never_before_the_wall() {
        let ahead = wall().plus(Duration::from_hours(1));
        assert!(ScaledClock::start(Some(ahead), 1.0).now() >= ahead);
        let before = wall();
        assert!(ScaledClock::start(Some(Timestamp::from_millis(5)), 1.0).now() >= before);
        assert!(ScaledClock::start(None, 1.0).now() >= before);
    }

    #[test]
    fn a_scaled_clock_runs_ahead_of_the_wall() {
        let before = wall();
        let clock = ScaledClock::start(None, 1e6);
        let (now, wall) = (clock.now(), clock.wall());
        // Of two milliseconds that begin, one has passed.
        while clock.wall().since(wall) < Duration::from_millis(2) {}
        assert!(clock.now().since(now) >= Duration::from_millis(1) * 500);
        let steady = clock.steady();
        assert!(before <= steady && steady <= clock.wall(), "and the time of real work does not");
    }
}
