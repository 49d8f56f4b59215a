//! When an alarm is evaluated, and which periods it then looks at.

use std::time::Duration;

use super::{Config, Watch};
use crate::metric::{MetricId, Query, Source, Statistic, Unit};
use crate::time::Timestamp;

/// How often alarms of short periods are evaluated (section 6.4).
const CADENCE_SHORT: Duration = Duration::from_secs(10);
/// How often alarms of periods from a minute on are evaluated.
const CADENCE: Duration = Duration::from_mins(1);
/// What a query without a period of its own is read at, as Application Auto Scaling does.
const PERIOD_DEFAULT_SECS: u32 = 60;
/// How far an evaluation looks beyond its N periods where some are empty: at least this many periods. Section 6.4's
/// examples have a range of 5 for N = 3.
const RANGE_EXTRA_PERIODS: u32 = 2;
/// And at least this long: native alarms of 3 periods of 10 s were seen to use datapoints of the last 9.
const RANGE_EXTRA_SECS: u32 = 60;

impl Config {
    /// The length of a period.
    pub fn period(&self) -> Duration {
        Duration::from_secs(u64::from(self.period_secs()))
    }

    pub(super) fn period_secs(&self) -> u32 {
        let given = match &self.watch {
            Watch::Metric(stat) => stat.period,
            Watch::Math(queries) => math_period(queries),
        };
        given.unwrap_or(PERIOD_DEFAULT_SECS).max(1)
    }

    /// How often the alarm is evaluated, and its scaling actions repeated: each 10 s for periods below a minute, each
    /// minute for the others.
    pub fn cadence(&self) -> Duration {
        if self.period_secs() < PERIOD_DEFAULT_SECS { CADENCE_SHORT } else { CADENCE }
    }

    /// M of "M out of N".
    pub fn needed(&self) -> u32 {
        self.datapoints_to_alarm
            .unwrap_or(self.evaluation_periods)
            .clamp(1, self.evaluation_periods.max(1))
    }

    /// How many periods an evaluation fetches, for the case that some of the last N are empty.
    pub fn evaluation_range(&self) -> u32 {
        let extra = RANGE_EXTRA_SECS.div_ceil(self.period_secs()).max(RANGE_EXTRA_PERIODS);
        self.evaluation_periods.max(1).saturating_add(extra)
    }

    /// Which periods an evaluation at `now` looks at: those that begin at or after the first instant and end at or
    /// before the second, both at boundaries of the period in UTC. A period is complete `settle` after its end.
    pub fn needed_window(&self, now: Timestamp, settle: Duration) -> (Timestamp, Timestamp) {
        let period = i64::from(self.period_secs()) * 1000;
        let settle = i64::try_from(settle.as_millis()).unwrap_or(i64::MAX);
        let complete = now.as_millis().saturating_sub(settle);
        let to = complete.saturating_sub(complete.rem_euclid(period));
        let from = to.saturating_sub(period.saturating_mul(i64::from(self.evaluation_range())));
        (Timestamp::from_millis(from), Timestamp::from_millis(to))
    }

    /// The statistic that is watched; none for metric math.
    pub fn statistic(&self) -> Option<Statistic> {
        match &self.watch {
            Watch::Metric(stat) => Some(stat.statistic),
            Watch::Math(_) => None,
        }
    }

    pub fn unit(&self) -> Option<Unit> {
        match &self.watch {
            Watch::Metric(stat) => stat.unit,
            Watch::Math(_) => None,
        }
    }

    /// Every metric that is read.
    pub fn metrics(&self) -> impl Iterator<Item = &MetricId> {
        let (one, queries) = match &self.watch {
            Watch::Metric(stat) => (Some(&stat.metric), [].as_slice()),
            Watch::Math(queries) => (None, queries.as_slice()),
        };
        let read = queries.iter().filter_map(|query| match &query.source {
            Source::Metric(stat) => Some(&stat.metric),
            Source::Expression { .. } => None,
        });
        one.into_iter().chain(read)
    }
}

/// The period of the query that returns data: its own, or the longest of the metrics.
fn math_period(queries: &[Query]) -> Option<u32> {
    let own = |query: &Query| match &query.source {
        Source::Metric(stat) => stat.period,
        Source::Expression { period, .. } => *period,
    };
    let returned = queries.iter().find(|query| query.return_data.unwrap_or(true));
    returned.and_then(own).or_else(|| queries.iter().filter_map(own).max())
}
