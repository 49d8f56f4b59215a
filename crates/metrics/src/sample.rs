//! What is handed over to be kept.

use domain::metric::{Distribution, MetricId, Unit};
use domain::time::Timestamp;

use crate::tier::Tier;

/// How finely a sample is kept for its first three hours; afterwards, and beside it, by the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// `StorageResolution` 1.
    Second,
    /// SageMaker's high-resolution metrics.
    TenSeconds,
    /// `StorageResolution` 60.
    Minute,
}

impl Resolution {
    pub(crate) const fn tier(self) -> Tier {
        match self {
            Self::Second => Tier::Second,
            Self::TenSeconds => Tier::TenSeconds,
            Self::Minute => Tier::Minute,
        }
    }
}

/// A series: a metric in one unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeriesKey {
    pub metric: MetricId,
    pub unit: Unit,
    pub resolution: Resolution,
}

/// Values of one series at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub series: SeriesKey,
    /// Server time.
    pub at: Timestamp,
    pub values: Distribution,
}
