//! The periods that a read asks for.

use domain::time::Timestamp;

use crate::memory::Cell;
use crate::tier::{Tier, secs_of, start_of};

/// Whole periods: from the start of the first to the end of the last, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    period: i64,
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Span {
    /// The periods that begin in `from..to`; the first may begin before.
    pub(super) fn new(period_secs: u32, from: Timestamp, to: Timestamp) -> Self {
        let period = i64::from(period_secs.max(1));
        // A start within a second is within its period too.
        let until = Timestamp::from_millis(to.as_millis().saturating_sub(1));
        let until = start_of(secs_of(until), period).saturating_add(period);
        Self { period, from: start_of(secs_of(from), period), until }
    }

    #[must_use]
    pub(super) fn from(self, from: i64) -> Self {
        Self { from: self.from.max(from), ..self }
    }

    #[must_use]
    pub(super) fn until(self, until: i64) -> Self {
        Self { until: self.until.min(until), ..self }
    }

    /// Where to look: in each tier that the period is a multiple of. Below a minute, a metric that is kept by the minute
    /// has its minutes, at their starts.
    pub(super) fn tiers(self, fine: bool) -> impl Iterator<Item = Tier> {
        let below = self.period < Tier::Minute.secs();
        Tier::ALL.into_iter().filter(move |tier| match tier {
            Tier::Minute => !(below && fine),
            Tier::Second | Tier::TenSeconds => below && fine && self.period % tier.secs() == 0,
            Tier::FiveMinutes | Tier::Hour => self.period % tier.secs() == 0,
        })
    }

    /// The earliest second that may be seen: rows may outlive their time until they are swept. What is too old for its
    /// tier is seen as long as the coarsest that the period allows would keep it.
    pub(super) fn earliest(self, fine: bool, now: i64) -> i64 {
        let coarsest = self.tiers(fine).last().unwrap_or(Tier::Minute);
        let limit = now - coarsest.retention();
        // Of a bucket that is half too old, nothing is seen.
        coarsest.start(limit + coarsest.secs() - 1)
    }

    /// Calls for each period with each cell that has buckets in it, and how many. Periods ascend if cells do.
    pub(super) fn each_bucket(
        self,
        tier: Tier,
        cells: &[Cell],
        mut each: impl FnMut(i64, &Cell, u32),
    ) {
        let step = tier.secs();
        for cell in cells {
            if cell.at >= self.until {
                return;
            }
            if cell.run == 1 {
                if cell.at >= self.from {
                    each(start_of(cell.at, self.period), cell, 1);
                }
                continue;
            }
            let skipped = (self.from - cell.at).max(0).saturating_add(step - 1) / step;
            let mut at = cell.at + skipped.min(i64::from(cell.run)) * step;
            let end = cell.end(tier).min(self.until);
            while at < end {
                let period = start_of(at, self.period);
                let times = ((period + self.period).min(end) - at + step - 1) / step;
                each(period, cell, u32::try_from(times).unwrap_or(u32::MAX));
                at += times * step;
            }
        }
    }
}
