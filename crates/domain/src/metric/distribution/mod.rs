//! Many values in little room, for percentiles.
//!
//! Exact while there are few distinct values, as many as `PutMetricData` takes in one datum; beyond that, buckets that
//! grow with the value. Merging in any order gives the same. Percentiles follow CloudWatch (section 6.2): none where a
//! value is negative, and none of statistic sets, unless they can only stand for one value.

mod packed;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Summary;
use packed::Packed;

/// Distinct values that are kept exactly: what one datum of `PutMetricData` may hold.
pub const EXACT_VALUES_MAX: usize = 150;

/// Buckets of one distribution. Latencies from a microsecond to ten minutes fill at most 3,800 of them; beyond this
/// many, neighbours are joined, and the error grows.
const BUCKETS_MAX: usize = 4096;

/// Bits of a double below those that name its bucket: sign, exponent and seven bits of the mantissa are left, which is
/// 128 buckets between two powers of two. The middle of a bucket is at most 1/256 away from what it stands for.
const BUCKET_SHIFT: u8 = 45;

/// Values with how often each occurred, as a summary and a histogram whose buckets grow with the value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Packed", into = "Packed")]
pub struct Distribution {
    summary: Summary,
    /// Absent where the summary tells it all: no value, or one (however often).
    values: Option<Arc<Values>>,
}

/// What is known of the values beyond their summary; in ascending order.
#[derive(Debug, Clone, PartialEq)]
enum Values {
    /// Nothing.
    Opaque,
    /// Each value, and how often it occurred.
    Exact(Vec<(f64, f64)>),
    /// Each bucket, and how many values fell into it. A bucket's number is the bits of its values without the lowest
    /// `shift` ones.
    Rounded { shift: u8, buckets: Vec<(u32, f64)> },
}

impl Distribution {
    /// No values at all.
    pub const EMPTY: Self =
        Self { summary: Summary { count: 0.0, sum: 0.0, min: 0.0, max: 0.0 }, values: None };

    /// A statistic set. Its percentiles are known only if it stands for a single value.
    pub fn from_summary(summary: Summary) -> Self {
        let Summary { count, sum, min, max } = summary;
        let sound = [count, sum, min, max].iter().all(|number| number.is_finite());
        if summary.is_empty() || !sound {
            return Self::EMPTY;
        }
        let single = summary.min.to_bits() == summary.max.to_bits();
        Self { summary, values: (!single).then(|| Arc::new(Values::Opaque)) }
    }

    /// One value, `count` times.
    pub fn of(value: f64, count: f64) -> Self {
        Self::from_summary(Summary::of(value, count))
    }

    /// Values with how often each occurred, that were counted elsewhere: the summary knows better than they do what
    /// their sum and bounds were.
    pub fn from_counts(summary: Summary, counts: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut counted = Self::default();
        for (value, count) in counts {
            counted.add_many(value, count);
        }
        if counted.values.is_none() || summary.is_empty() {
            return Self::from_summary(summary);
        }
        Self { summary, values: counted.values }
    }

    fn from_parts(summary: Summary, values: Option<Values>) -> Self {
        Self { summary, values: values.map(Arc::new) }
    }

    pub fn summary(&self) -> Summary {
        self.summary
    }

    fn values(&self) -> Option<&Values> {
        self.values.as_deref()
    }

    pub fn is_empty(&self) -> bool {
        self.summary.is_empty()
    }

    pub fn add(&mut self, value: f64) {
        self.add_many(value, 1.0);
    }

    /// Adds a value `count` times. What is not finite, and a count that is not positive, is left out.
    pub fn add_many(&mut self, value: f64, count: f64) {
        if !value.is_finite() || !count.is_finite() || count <= 0.0 {
            return;
        }
        // Negative zero is zero: they are one value.
        let value = value + 0.0;
        let before = self.summary;
        self.summary = before.merge(Summary::of(value, count));
        if before.is_empty() {
            self.values = None;
        } else if self.summary.min < 0.0 {
            self.forget();
        } else if let Some(values) = &mut self.values {
            Arc::make_mut(values).add(value, count);
        } else if before.min.to_bits() != value.to_bits() {
            let mut values = Values::Exact(vec![(before.min, before.count)]);
            values.add(value, count);
            self.values = Some(Arc::new(values));
        }
    }

    pub fn merge(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            self.clone_from(other);
            return;
        }
        let Some(theirs) = other.values.as_deref() else {
            // The sum of a statistic set need not be its value times its count.
            let summary = self.summary.merge(other.summary);
            self.add_many(other.summary.min, other.summary.count);
            self.summary = summary;
            return;
        };
        let before = self.summary;
        self.summary = before.merge(other.summary);
        if self.summary.min < 0.0 {
            self.forget();
            return;
        }
        let ours = self
            .values
            .get_or_insert_with(|| Arc::new(Values::Exact(vec![(before.min, before.count)])));
        match theirs {
            Values::Opaque => *ours = Arc::new(Values::Opaque),
            _ => Arc::make_mut(ours).merge(theirs),
        }
    }

    /// The value below which (or at which) `rank` per cent of the values lie, by the nearest rank: exact up to
    /// [`EXACT_VALUES_MAX`] distinct values, at most 1 % off beyond. Nothing if there is no value, one is negative, or
    /// the values are not known.
    pub fn percentile(&self, rank: f64) -> Option<f64> {
        let Summary { count, min, max, .. } = self.summary;
        if self.is_empty() || min < 0.0 {
            return None;
        }
        let wanted = (rank / 100.0 * count).max(0.0);
        let Some(values) = self.values.as_deref() else { return Some(min) };
        if matches!(values, Values::Opaque) {
            return None;
        }
        if rank <= 0.0 {
            return Some(min);
        }
        if rank >= 100.0 {
            return Some(max);
        }
        // Ranks are whole samples; a product such as 0.07 x 100 must not reach for the next one.
        let wanted = wanted - count * 1e-12;
        Some(values.at(wanted).unwrap_or(max).clamp(min, max))
    }

    fn forget(&mut self) {
        let single = self.summary.min.to_bits() == self.summary.max.to_bits();
        self.values = (!single).then(|| Arc::new(Values::Opaque));
    }
}

/// The bucket of a value that is not negative.
#[expect(clippy::cast_possible_truncation, reason = "at most 19 of the 64 bits are left")]
fn bucket_of(value: f64, shift: u8) -> u32 {
    (value.to_bits() >> shift) as u32
}

/// The middle of a bucket; zero has the first one nearly for itself.
fn middle_of(bucket: u32, shift: u8) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let low = u64::from(bucket) << shift;
    let high = (u64::from(bucket) + 1) << shift;
    let (low, high) = (f64::from_bits(low), f64::from_bits(high));
    if high.is_finite() { low + (high - low) / 2.0 } else { low }
}

impl Values {
    fn add(&mut self, value: f64, count: f64) {
        match self {
            Self::Opaque => {}
            Self::Exact(exact) => {
                match exact.binary_search_by(|(known, _)| known.total_cmp(&value)) {
                    Ok(at) => exact[at].1 = capped(exact[at].1 + count),
                    Err(at) => exact.insert(at, (value, count)),
                }
                self.bound();
            }
            Self::Rounded { shift, buckets } => {
                let bucket = bucket_of(value, *shift);
                match buckets.binary_search_by_key(&bucket, |(known, _)| *known) {
                    Ok(at) => buckets[at].1 = capped(buckets[at].1 + count),
                    Err(at) => buckets.insert(at, (bucket, count)),
                }
                self.bound();
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Opaque, _) => {}
            (ours, Self::Opaque) => *ours = Self::Opaque,
            (Self::Exact(ours), Self::Exact(theirs)) => *ours = join(ours, theirs, f64::total_cmp),
            (ours, theirs) => {
                let shift = ours.shift().max(theirs.shift());
                let buckets = join(&ours.buckets(shift), &theirs.buckets(shift), u32::cmp);
                *ours = Self::Rounded { shift, buckets };
            }
        }
        self.bound();
    }

    fn shift(&self) -> u8 {
        match self {
            Self::Opaque | Self::Exact(_) => BUCKET_SHIFT,
            Self::Rounded { shift, .. } => *shift,
        }
    }

    /// The same in buckets of at least the width they have.
    fn buckets(&self, to: u8) -> Vec<(u32, f64)> {
        let mut joined: Vec<(u32, f64)> = Vec::new();
        let mut add = |bucket: u32, count: f64| match joined.last_mut() {
            Some((last, total)) if *last == bucket => *total = capped(*total + count),
            _ => joined.push((bucket, count)),
        };
        match self {
            Self::Opaque => {}
            Self::Exact(exact) => {
                for (value, count) in exact {
                    add(bucket_of(*value, to), *count);
                }
            }
            Self::Rounded { shift, buckets } => {
                let coarser = to.saturating_sub(*shift);
                for (bucket, count) in buckets {
                    add(bucket >> coarser, *count);
                }
            }
        }
        joined
    }

    fn bound(&mut self) {
        match self {
            Self::Exact(exact) if exact.len() > EXACT_VALUES_MAX => {
                *self = Self::Rounded { shift: BUCKET_SHIFT, buckets: self.buckets(BUCKET_SHIFT) };
            }
            Self::Rounded { shift, buckets } if buckets.len() > BUCKETS_MAX => {
                let coarser = *shift + 1;
                *self = Self::Rounded { shift: coarser, buckets: self.buckets(coarser) };
                // Halving once need not be enough where the buckets lie apart.
                self.bound();
            }
            _ => {}
        }
    }

    /// The value of the sample with this rank, counted from the smallest.
    fn at(&self, wanted: f64) -> Option<f64> {
        let mut seen = 0.0;
        let mut reached = |count: f64| {
            seen += count;
            seen >= wanted
        };
        match self {
            Self::Opaque => None,
            Self::Exact(exact) => {
                exact.iter().find(|(_, count)| reached(*count)).map(|(value, _)| *value)
            }
            Self::Rounded { shift, buckets } => buckets
                .iter()
                .find(|(_, count)| reached(*count))
                .map(|(bucket, _)| middle_of(*bucket, *shift)),
        }
    }
}

fn capped(value: f64) -> f64 {
    value.min(f64::MAX)
}

/// Two ascending lists as one.
fn join<K: Copy>(
    ours: &[(K, f64)],
    theirs: &[(K, f64)],
    order: impl Fn(&K, &K) -> std::cmp::Ordering,
) -> Vec<(K, f64)> {
    let (mut ours, mut theirs) = (ours.iter().peekable(), theirs.iter().peekable());
    let mut joined = Vec::with_capacity(ours.len() + theirs.len());
    loop {
        let next = match (ours.peek(), theirs.peek()) {
            (Some(a), Some(b)) => match order(&a.0, &b.0) {
                std::cmp::Ordering::Less => ours.next().copied(),
                std::cmp::Ordering::Greater => theirs.next().copied(),
                std::cmp::Ordering::Equal => ours
                    .next()
                    .zip(theirs.next())
                    .map(|((key, ours), (_, theirs))| (*key, capped(ours + theirs))),
            },
            (Some(_), None) => ours.next().copied(),
            (None, _) => theirs.next().copied(),
        };
        match next {
            Some(next) => joined.push(next),
            None => return joined,
        }
    }
}
