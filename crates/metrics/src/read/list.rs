//! Which metrics there are (`ListMetrics`).

use std::collections::BinaryHeap;

use domain::metric::MetricId;
use domain::time::Timestamp;

use crate::Metrics;
use crate::memory::Slot;
use crate::tier::secs_of;

/// How long a metric is listed after its last sample, in seconds.
const LISTED_SECS: i64 = 14 * 24 * 3600;

/// `RecentlyActive` `PT3H`, in seconds.
const RECENT_SECS: i64 = 3 * 3600;

/// Which metrics are asked for; those that meet every condition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// Dimensions that the metric must have, among others, with the value if there is one.
    pub dimensions: Vec<(String, Option<String>)>,
    /// Only those with a sample within three hours.
    pub recently_active: bool,
}

impl Filter {
    fn admits(&self, metric: &MetricId) -> bool {
        self.namespace.as_deref().is_none_or(|wanted| *metric.namespace == *wanted)
            && self.name.as_deref().is_none_or(|wanted| *metric.name == *wanted)
            && self.dimensions.iter().all(|(name, value)| {
                metric.dimensions().iter().any(|known| {
                    *known.name == **name
                        && value.as_deref().is_none_or(|wanted| *known.value == *wanted)
                })
            })
    }
}

impl Metrics {
    /// The first metrics, in their order, that come after one and that a filter admits. Those without a sample for two
    /// weeks are not listed.
    pub fn list(
        &self,
        filter: &Filter,
        after: Option<&MetricId>,
        limit: usize,
        now: Timestamp,
    ) -> Vec<MetricId> {
        let age = if filter.recently_active { RECENT_SECS } else { LISTED_SECS };
        // `seen` is the start of a minute.
        let since = secs_of(now) - age - 60;
        let memory = self.memory.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut first: BinaryHeap<&MetricId> = BinaryHeap::with_capacity(limit.min(1024) + 1);
        let listed = |slot: &&Slot| slot.seen() > since && filter.admits(&slot.metric);
        for slot in memory.slots().filter(listed) {
            if after.is_some_and(|after| slot.metric <= *after) {
                continue;
            }
            first.push(&slot.metric);
            if first.len() > limit {
                first.pop();
            }
        }
        first.into_sorted_vec().into_iter().cloned().collect()
    }
}
