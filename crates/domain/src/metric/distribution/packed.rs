//! How a distribution is written down: short, and without losing a bit.
//!
//! Counts and most measured values are whole numbers, whose doubles end in zeros. Turned round, they are small integers,
//! which the usual formats write in few bytes.

use serde::{Deserialize, Serialize};

use super::{BUCKET_SHIFT, Distribution, Summary, Values};

/// A double, its bits in reverse.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
struct Turned(u64);

impl From<f64> for Turned {
    fn from(value: f64) -> Self {
        Self(value.to_bits().reverse_bits())
    }
}

impl From<Turned> for f64 {
    fn from(turned: Turned) -> Self {
        let value = Self::from_bits(turned.0.reverse_bits());
        if value.is_finite() { value } else { 0.0 }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Packed {
    /// Count, sum, minimum, maximum.
    summary: [Turned; 4],
    values: PackedValues,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum PackedValues {
    Single,
    Opaque,
    Exact(Vec<(Turned, Turned)>),
    /// Each bucket as its distance from the one before.
    Rounded(u8, Vec<(u32, Turned)>),
}

impl From<Distribution> for Packed {
    fn from(distribution: Distribution) -> Self {
        let Summary { count, sum, min, max } = distribution.summary();
        let values = match distribution.values() {
            None => PackedValues::Single,
            Some(Values::Opaque) => PackedValues::Opaque,
            Some(Values::Exact(exact)) => PackedValues::Exact(
                exact.iter().map(|(value, count)| ((*value).into(), (*count).into())).collect(),
            ),
            Some(Values::Rounded { shift, buckets }) => {
                let mut last = 0;
                let pack = |(bucket, count): &(u32, f64)| {
                    let step = bucket.wrapping_sub(last);
                    last = *bucket;
                    (step, (*count).into())
                };
                PackedValues::Rounded(*shift, buckets.iter().map(pack).collect())
            }
        };
        Self { summary: [count.into(), sum.into(), min.into(), max.into()], values }
    }
}

impl From<Packed> for Distribution {
    fn from(packed: Packed) -> Self {
        let [count, sum, min, max] = packed.summary.map(f64::from);
        let values = match packed.values {
            PackedValues::Single => None,
            PackedValues::Opaque => Some(Values::Opaque),
            PackedValues::Exact(exact) => Some(Values::Exact(
                exact.into_iter().map(|(value, count)| (value.into(), count.into())).collect(),
            )),
            PackedValues::Rounded(shift, buckets) => {
                let mut last: u32 = 0;
                let unpack = |(step, count): (u32, Turned)| {
                    last = last.wrapping_add(step);
                    (last, count.into())
                };
                // A width that no bucket can have would only come from a damaged record.
                let shift = shift.clamp(BUCKET_SHIFT, 63);
                Some(Values::Rounded { shift, buckets: buckets.into_iter().map(unpack).collect() })
            }
        };
        Self::from_parts(Summary { count, sum, min, max }, values)
    }
}
