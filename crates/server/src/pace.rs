//! How fast what is measured is told, so that it keeps up with server time.

use std::time::Duration;

use domain::metric::Measured;

/// How fast what is measured is told, and when all of a period is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Wall time.
    pub(crate) flush: Duration,
    /// Server time.
    pub(crate) settle: Duration,
}

impl Pace {
    /// The gateway tells of a window this often while it lasts in server time, however fast that is.
    const FLUSHES_PER_WINDOW: f64 = 4.0;
    /// More often than this is never worth it.
    const FLUSH_MIN: Duration = Duration::from_millis(20);
    /// Wall time that the way from the gateway to the metrics may take, on a machine that is busy.
    const WAY: Duration = Duration::from_millis(100);

    pub(crate) fn of(time_scale: f64) -> Self {
        let window = Duration::from_secs(Measured::WINDOW_SECS.unsigned_abs());
        let flush = window.div_f64(time_scale * Self::FLUSHES_PER_WINDOW);
        let flush = flush.clamp(Self::FLUSH_MIN, gateway::FLUSH_INTERVAL);
        Self { flush, settle: (flush + Self::WAY).mul_f64(time_scale) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_told_while_they_last_and_never_in_a_hurry() {
        let [plain, fast, fastest] = [1.0, 60.0, 10_000.0].map(Pace::of);
        assert_eq!(
            (plain.flush, plain.settle),
            (Duration::from_secs(1), Duration::from_millis(1100))
        );
        assert!(fast.flush < Duration::from_millis(50) && fast.settle < Duration::from_secs(10));
        assert_eq!(fastest.flush, Pace::FLUSH_MIN);
    }
}
