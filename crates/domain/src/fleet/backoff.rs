//! When a model server that died is started again.

use std::time::Duration;

use crate::time::Timestamp;

const FIRST: Duration = Duration::from_millis(250);

/// Longer would keep a repaired model server waiting; shorter would load the machine with a broken one.
const LONGEST: Duration = Duration::from_mins(1);

/// The wall time from which a fleet may start another instance, given how many ended by themselves since one was last
/// ready for good, and when the latest of them did. The wait doubles with each.
pub fn restart_at(exits: usize, latest: Timestamp) -> Timestamp {
    match u32::try_from(exits).unwrap_or(u32::MAX) {
        0 => latest,
        exits => latest.plus(
            FIRST.saturating_mul(1_u32.checked_shl(exits - 1).unwrap_or(u32::MAX)).min(LONGEST),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_minute() {
        let waits: Vec<u64> = (0..12)
            .map(|exits| {
                let wait =
                    restart_at(exits, Timestamp::from_millis(5)).since(Timestamp::from_millis(5));
                u64::try_from(wait.as_millis()).unwrap()
            })
            .collect();
        assert_eq!(
            waits,
            [0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]
        );
        assert_eq!(restart_at(usize::MAX, Timestamp::default()).as_millis(), 60_000);
    }
}
