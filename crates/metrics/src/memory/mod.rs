//! The image that alarms and the writer look into: every metric there is, and its latest buckets.

mod lane;

use std::collections::HashMap;
use std::sync::Arc;

use domain::metric::{MetricId, Unit};

pub(crate) use lane::{Cell, Idle, Lane, RUN_MAX};

use crate::tier::{Tier, start_of};

/// How much is in memory, in seconds of server time: the fifteen minutes that target tracking looks back, the third more
/// that an alarm fetches, and time to settle. What looks further back reads the disk.
pub(crate) const MEMORY_SECS: i64 = 30 * 60;

/// Where a series is: the metric's slot, and which of its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SeriesRef {
    pub(crate) slot: u32,
    pub(crate) unit: u32,
}

#[derive(Debug)]
pub(crate) struct Series {
    /// The number under which the disk knows it.
    pub(crate) number: i64,
    pub(crate) unit: Unit,
    /// Whether the disk knows it.
    pub(crate) stored: bool,
    /// Whether any sample was finer than a minute.
    pub(crate) fine: bool,
    /// The start of the latest minute with a sample; the least number, if there is none.
    pub(crate) seen: i64,
    minutes: Lane,
    /// Seconds and tens of seconds: most series have none.
    finer: Option<Box<[Lane; 2]>>,
}

impl Series {
    pub(crate) fn new(number: i64, unit: Unit, stored: bool) -> Self {
        Self {
            number,
            unit,
            stored,
            fine: false,
            seen: i64::MIN,
            minutes: Lane::default(),
            finer: None,
        }
    }

    /// The lane of a tier; there is none of those that are not kept in memory.
    pub(crate) fn lane(&self, tier: Tier) -> Option<&Lane> {
        match tier {
            Tier::Minute => Some(&self.minutes),
            Tier::Second => self.finer.as_deref().map(|[seconds, _]| seconds),
            Tier::TenSeconds => self.finer.as_deref().map(|[_, tens]| tens),
            Tier::FiveMinutes | Tier::Hour => None,
        }
    }

    pub(crate) fn install(&mut self, tier: Tier, lane: Lane) {
        match tier {
            Tier::Minute => self.minutes = lane,
            Tier::Second | Tier::TenSeconds => {
                let [seconds, tens] = &mut **self.finer.get_or_insert_default();
                *(if tier == Tier::Second { seconds } else { tens }) = lane;
            }
            Tier::FiveMinutes | Tier::Hour => {}
        }
    }

    /// Gives up what lies before the edge, and the room it took.
    fn evict(&mut self, edge: i64) {
        self.minutes.evict(Tier::Minute, edge);
        self.minutes.0.shrink_to(self.minutes.0.len() * 2);
        if let Some([seconds, tens]) = self.finer.as_deref_mut() {
            seconds.evict(Tier::Second, edge);
            tens.evict(Tier::TenSeconds, edge);
            if seconds.0.is_empty() && tens.0.is_empty() {
                self.finer = None;
            }
        }
    }
}

/// A metric and its series, one for each unit. Nearly all metrics have one.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) metric: MetricId,
    first: Series,
    others: Vec<Series>,
}

impl Slot {
    pub(crate) fn series(&self) -> impl Iterator<Item = &Series> {
        std::iter::once(&self.first).chain(&self.others)
    }

    pub(crate) fn first(&self) -> &Series {
        &self.first
    }

    pub(crate) fn units(&self) -> usize {
        1 + self.others.len()
    }

    pub(crate) fn unit(&self, unit: u32) -> Option<&Series> {
        match unit {
            0 => Some(&self.first),
            _ => self.others.get(unit as usize - 1),
        }
    }

    /// When the metric last had a sample.
    pub(crate) fn seen(&self) -> i64 {
        self.series().map(|series| series.seen).max().unwrap_or(i64::MIN)
    }
}

#[derive(Debug)]
pub(crate) struct Memory {
    /// Numbers of slots are never used again: a handle may hold one for long.
    slots: Vec<Option<Slot>>,
    index: HashMap<MetricId, u32>,
    next_number: i64,
    /// Everything from this second on is in memory; what is before it is on the disk.
    edge: i64,
    /// The dimensions of the metric that came last: those of one variant come together, and share them.
    last: Option<MetricId>,
}

impl Memory {
    pub(crate) fn new(now: i64) -> Self {
        Self {
            slots: Vec::new(),
            index: HashMap::new(),
            next_number: 1,
            edge: edge_at(now),
            last: None,
        }
    }

    pub(crate) fn edge(&self) -> i64 {
        self.edge
    }

    /// Lets go of what is before the edge that belongs to `now`; only once all of it is on the disk.
    pub(crate) fn advance(&mut self, now: i64) {
        self.edge = self.edge.max(edge_at(now));
    }

    pub(crate) fn find(&self, metric: &MetricId) -> Option<u32> {
        self.index.get(metric).copied()
    }

    pub(crate) fn slot(&self, slot: u32) -> Option<&Slot> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().flatten()
    }

    pub(crate) fn slot_count(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn metric_count(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn series(&self, at: SeriesRef) -> Option<&Series> {
        self.slot(at.slot)?.unit(at.unit)
    }

    pub(crate) fn series_mut(&mut self, at: SeriesRef) -> Option<&mut Series> {
        let slot = self.slots.get_mut(at.slot as usize)?.as_mut()?;
        match at.unit {
            0 => Some(&mut slot.first),
            _ => slot.others.get_mut(at.unit as usize - 1),
        }
    }

    pub(crate) fn find_series(&self, metric: &MetricId, unit: Unit) -> Option<SeriesRef> {
        let slot = self.find(metric)?;
        let position = self.slot(slot)?.series().position(|series| series.unit == unit)?;
        Some(SeriesRef { slot, unit: u32::try_from(position).ok()? })
    }

    /// The series of a metric in a unit; made if there is none. Nobody sees it before it has a sample.
    pub(crate) fn ensure(&mut self, metric: &MetricId, unit: Unit) -> SeriesRef {
        if let Some(known) = self.find_series(metric, unit) {
            return known;
        }
        let series = Series::new(self.next_number, unit, false);
        self.insert(metric, series)
    }

    /// Takes up a series that is not there yet.
    pub(crate) fn insert(&mut self, metric: &MetricId, series: Series) -> SeriesRef {
        self.next_number = self.next_number.max(series.number + 1);
        if let Some(slot) = self.find(metric)
            && let Some(Some(known)) = self.slots.get_mut(slot as usize)
        {
            known.others.push(series);
            return SeriesRef { slot, unit: u32::try_from(known.others.len()).unwrap_or(u32::MAX) };
        }
        let metric = self.share(metric);
        let slot = self.slot_count();
        self.index.insert(metric.clone(), slot);
        self.slots.push(Some(Slot { metric, first: series, others: Vec::new() }));
        SeriesRef { slot, unit: 0 }
    }

    /// The metric, with the texts that the one before it has too in the same room.
    fn share(&mut self, metric: &MetricId) -> MetricId {
        let shared = match &self.last {
            Some(last) if last.dimensions() == metric.dimensions() => {
                let namespace = if last.namespace == metric.namespace {
                    &last.namespace
                } else {
                    &metric.namespace
                };
                last.sibling(Arc::clone(namespace), Arc::clone(&metric.name))
            }
            _ => metric.clone(),
        };
        self.last = Some(shared.clone());
        shared
    }

    /// Evicts what lies before the edge from some slots.
    pub(crate) fn evict(&mut self, slots: std::ops::Range<u32>) {
        let (start, end) = (slots.start as usize, slots.end as usize);
        let edge = self.edge;
        let end = end.min(self.slots.len());
        for slot in self.slots.get_mut(start..end).unwrap_or_default().iter_mut().flatten() {
            slot.first.evict(edge);
            slot.others.iter_mut().for_each(|series| series.evict(edge));
        }
    }

    /// Forgets those metrics of which nothing is kept any more.
    pub(crate) fn remove_unseen(&mut self, slots: impl Iterator<Item = u32>) {
        for slot in slots {
            let unseen = self.slot(slot).is_some_and(|slot| slot.seen() == i64::MIN);
            if unseen && let Some(gone) = self.slots.get_mut(slot as usize).and_then(Option::take) {
                self.index.remove(&gone.metric);
            }
        }
    }
}

/// On the grid of minutes, so that no bucket of a tier in memory lies across it.
fn edge_at(now: i64) -> i64 {
    start_of(now, 60) - MEMORY_SECS
}
