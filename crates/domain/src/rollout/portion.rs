//! How many instances a step moves.

use serde::{Deserialize, Serialize};

/// A number of instances, or a part of a fleet (`CapacitySize`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Size {
    Count(u32),
    Percent(u32),
}

impl Size {
    /// Instances of a fleet of `total` after `steps` steps of this size: rounded up to whole instances, never more than
    /// there are.
    pub(super) fn after(self, steps: u32, total: u32) -> u32 {
        let (total, steps) = (u64::from(total), u64::from(steps));
        let moved = match self {
            Self::Count(count) => steps.saturating_mul(count.into()),
            Self::Percent(percent) => {
                steps.saturating_mul(percent.into()).saturating_mul(total).div_ceil(100)
            }
        };
        u32::try_from(moved.min(total)).unwrap_or(u32::MAX)
    }

    /// Steps of this size until all of `total` instances have moved; at least one.
    pub(super) fn steps(self, total: u32) -> u32 {
        match self {
            Self::Count(count) => total.div_ceil(count.max(1)).max(1),
            Self::Percent(percent) => 100_u32.div_ceil(percent.clamp(1, 100)),
        }
    }

    /// Whether one step of this size is at most half of a fleet. A step is one instance at least, so that of the
    /// smallest fleets it may be more.
    pub(super) fn is_at_most_half_of(self, total: u32) -> bool {
        match self {
            Self::Count(count) => count <= (total / 2).max(1),
            Self::Percent(percent) => percent <= 50,
        }
    }

    pub(super) const fn is_whole(self) -> bool {
        matches!(self, Self::Percent(100..))
    }
}
