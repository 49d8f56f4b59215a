//! How finely, and for how long, buckets are kept (section 6.2, "Retention / roll-up").
//!
//! A sample lies in exactly one of the tiers from a minute on: the finest that is kept at its age. Rows move on to the
//! next when they are too old for theirs, and no sample may be that old when it comes. What has a finer resolution lies
//! in that tier besides, for its first hours. So a read at any period is right at once, and writes one row or two.

use domain::time::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Tier {
    Second,
    TenSeconds,
    Minute,
    FiveMinutes,
    Hour,
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

impl Tier {
    pub(crate) const ALL: [Self; 5] =
        [Self::Second, Self::TenSeconds, Self::Minute, Self::FiveMinutes, Self::Hour];

    /// Those that a sample lies in but once.
    pub(crate) const COARSE: [Self; 3] = [Self::Minute, Self::FiveMinutes, Self::Hour];

    /// The length of a bucket.
    pub(crate) const fn secs(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::TenSeconds => 10,
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Hour => HOUR,
        }
    }

    /// How old a bucket may become, in seconds.
    pub(crate) const fn retention(self) -> i64 {
        match self {
            Self::Second | Self::TenSeconds => 3 * HOUR,
            Self::Minute => 15 * DAY,
            Self::FiveMinutes => 63 * DAY,
            Self::Hour => 455 * DAY,
        }
    }

    /// Where its buckets go when they are too old; nowhere, if they are in a coarser tier already or past all.
    pub(crate) const fn next(self) -> Option<Self> {
        match self {
            Self::Minute => Some(Self::FiveMinutes),
            Self::FiveMinutes => Some(Self::Hour),
            Self::Second | Self::TenSeconds | Self::Hour => None,
        }
    }

    /// The start of the bucket in which a second lies.
    pub(crate) const fn start(self, secs: i64) -> i64 {
        start_of(secs, self.secs())
    }

    /// The number under which its rows are kept.
    pub(crate) const fn number(self) -> i64 {
        self.secs()
    }
}

/// The start of the period in which a second lies; periods begin at multiples of their length since the epoch.
pub(crate) const fn start_of(secs: i64, period: i64) -> i64 {
    secs.saturating_sub(secs.rem_euclid(period))
}

pub(crate) const fn secs_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

pub(crate) const fn timestamp(secs: i64) -> Timestamp {
    Timestamp::from_millis(secs.saturating_mul(1000))
}
