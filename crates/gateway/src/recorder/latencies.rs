//! Latencies as one thread counts them: a few nanoseconds each, in a bounded room.
//!
//! Not [`Distribution`] itself, which is made to be merged and kept, not to be added to between two requests.

use domain::metric::{Distribution, Summary};

/// Values kept as they are before they are counted into buckets. Most variants serve fewer requests than this on one
/// thread in one window, and then no bucket is ever made.
const EXACT_MAX: usize = 256;

/// Bits that a bucket keeps of a value: its bounds are less than 1/128 apart, so its middle is off by at most 0.4 %.
const BITS_KEPT: u32 = 8;

const STEPS: usize = 1 << (BITS_KEPT - 1);

/// One for each value that a `u32` of microseconds, over an hour, can have.
const BUCKETS: usize = STEPS * (u32::BITS - BITS_KEPT) as usize + 2 * STEPS;

/// Microseconds with how often each occurred.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    count: u32,
    sum: u64,
    min: u32,
    max: u32,
    exact: Vec<u32>,
    /// Empty, or [`BUCKETS`].
    buckets: Vec<u32>,
}

impl Latencies {
    /// A longer time than can be told counts as the longest.
    pub(super) fn add(&mut self, micros: u128) {
        let micros = u32::try_from(micros).unwrap_or(u32::MAX);
        self.min = if self.count == 0 { micros } else { self.min.min(micros) };
        self.max = self.max.max(micros);
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(u64::from(micros));
        if self.exact.len() == EXACT_MAX {
            self.spill();
        }
        self.exact.push(micros);
    }

    fn spill(&mut self) {
        self.buckets.resize(BUCKETS, 0);
        for micros in self.exact.drain(..) {
            if let Some(bucket) = self.buckets.get_mut(index(micros)) {
                *bucket = bucket.saturating_add(1);
            }
        }
    }
}

/// The bucket of a value.
fn index(micros: u32) -> usize {
    let bits = u32::BITS - micros.leading_zeros();
    let shift = bits.saturating_sub(BITS_KEPT);
    (micros >> shift) as usize + shift as usize * STEPS
}

/// The middle of a bucket.
fn middle(index: usize) -> f64 {
    let shift = (index / STEPS).saturating_sub(1);
    let (low, width) = ((index - shift * STEPS) << shift, 1_usize << shift);
    as_f64(low) + (as_f64(width) - 1.0) / 2.0
}

fn as_f64(value: usize) -> f64 {
    // Neither bound nor width of a bucket has more than 32 bits.
    f64::from(u32::try_from(value).unwrap_or(u32::MAX))
}

impl From<Latencies> for Distribution {
    fn from(latencies: Latencies) -> Self {
        let Latencies { count, sum, min, max, mut exact, buckets } = latencies;
        // In order, because that is how they are cheapest to take in.
        exact.sort_unstable();
        let summary = Summary {
            count: f64::from(count),
            sum: whole(sum),
            min: f64::from(min),
            max: f64::from(max),
        };
        let counted = buckets.into_iter().enumerate().filter(|(_, count)| *count > 0);
        let counted = counted.map(|(index, count)| (middle(index), f64::from(count)));
        let exact = exact.into_iter().map(|micros| (f64::from(micros), 1.0));
        Self::from_counts(summary, counted.chain(exact))
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 microseconds of one window are out of reach")]
fn whole(sum: u64) -> f64 {
    sum as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn distribution(all: &[u32]) -> Distribution {
        let mut latencies = Latencies::default();
        for micros in all {
            latencies.add(u128::from(*micros));
        }
        latencies.into()
    }

    #[test]
    fn buckets_lie_side_by_side_and_their_middle_is_near() {
        let edges = (0..32).flat_map(|bits| {
            let power = 1_u32 << bits;
            [power - 1, power, power + power / 128, power + (power - 1)]
        });
        let mut edges: Vec<u32> = edges.collect();
        edges.sort_unstable();
        for pair in edges.windows(2) {
            assert!(index(pair[0]) <= index(pair[1]), "{pair:?}");
        }
        assert_eq!((index(0), index(255), index(256), index(u32::MAX)), (0, 255, 256, BUCKETS - 1));
        for micros in edges {
            let error = (middle(index(micros)) - f64::from(micros)).abs();
            assert!(error <= f64::from(micros) / 256.0, "{micros}: {error}");
        }
    }

    #[test]
    fn what_is_longer_than_can_be_told_is_the_longest() {
        let mut latencies = Latencies::default();
        latencies.add(u128::MAX);
        let max = Distribution::from(latencies).summary().max;
        assert_eq!(max.to_bits(), f64::from(u32::MAX).to_bits());
    }

    proptest! {
        #[test]
        fn sums_and_bounds_are_exact_and_percentiles_near(
            all in proptest::collection::vec(prop_oneof![0..2_000_u32, any::<u32>()], 1..1500),
        ) {
            let found = distribution(&all);
            let mut sorted = all.clone();
            sorted.sort_unstable();
            let expected = Summary {
                count: sorted.iter().map(|_| 1.0).sum(),
                sum: sorted.iter().map(|micros| f64::from(*micros)).sum(),
                min: f64::from(sorted[0]),
                max: f64::from(sorted[sorted.len() - 1]),
            };
            prop_assert_eq!(found.summary(), expected);
            for rank in [50_u8, 90, 99] {
                let told = found.percentile(f64::from(rank)).unwrap();
                let nearest = (sorted.len() * usize::from(rank)).div_ceil(100).max(1) - 1;
                let exact = f64::from(sorted[nearest]);
                prop_assert!((told - exact).abs() <= exact * 0.01, "p{}: {} not {}", rank, told, exact);
            }
        }
    }
}
