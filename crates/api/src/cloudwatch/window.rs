//! Which periods are read (section 6.2).

use std::time::Duration;

use domain::time::Timestamp;

const DAY: Duration = Duration::from_hours(24);
/// What is older is kept by five minutes.
const MINUTES_KEPT: Duration = DAY.saturating_mul(15);
/// What is older is kept by the hour.
const FIVE_MINUTES_KEPT: Duration = DAY.saturating_mul(63);

/// Whether CloudWatch reads at this period, in seconds.
pub(super) const fn is_period(secs: u32) -> bool {
    matches!(secs, 1 | 5 | 10 | 20 | 30) || (secs > 0 && secs.is_multiple_of(60))
}

/// Where a read begins that is asked for from a time on: at a whole minute or, for older data, at what that is kept by;
/// below a minute, at a whole period.
pub(super) fn start(asked: Timestamp, now: Timestamp, period_secs: u32) -> Timestamp {
    let age = now.since(asked);
    let grid_secs = match period_secs {
        1..60 => i64::from(period_secs),
        _ if age < MINUTES_KEPT => 60,
        _ if age < FIVE_MINUTES_KEPT => 300,
        _ => 3600,
    };
    let millis = asked.as_millis();
    Timestamp::from_millis(millis.saturating_sub(millis.rem_euclid(grid_secs * 1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_reads_begin_at_coarser_times() {
        // Section 6.2, GetMetricStatistics. 2026-11-23 12:34:56.789.
        let now = 1_795_437_296_789_i64;
        let day = 86_400_000;
        for (age, period, cut) in [
            (0, 1, 789),
            (0, 10, 6_789),
            (0, 30, 26_789),
            (0, 60, 56_789),
            (0, 300, 56_789),
            (15 * day, 60, 4 * 60_000 + 56_789),
            (63 * day, 3600, 34 * 60_000 + 56_789),
        ] {
            let found =
                start(Timestamp::from_millis(now - age), Timestamp::from_millis(now), period);
            assert_eq!(found.as_millis(), now - age - cut, "{age} {period}");
        }
        let first = Timestamp::from_millis(i64::MIN);
        assert_eq!(start(first, Timestamp::from_millis(now), 60), first);
    }

    #[test]
    fn periods_are_a_few_short_ones_and_whole_minutes() {
        assert!([1, 5, 10, 20, 30, 60, 120, 86_400].into_iter().all(is_period));
        assert!(![0, 2, 7, 15, 45, 61, 90].into_iter().any(is_period));
    }
}
