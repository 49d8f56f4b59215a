//! Datapoints: from memory as far as it reaches back, from the disk beyond.
//!
//! A read at a period takes the buckets of every tier that divides it. Each sample lies in one of them only, so they add
//! up, wherever the tiers meet.

mod data;
mod label;
mod list;
mod span;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLockReadGuard};

use domain::metric::{Distribution, MetricId, Point, Stat, Statistic, Summary, Unit};
use domain::time::Timestamp;

pub use data::{Data, DataError, Message, Order};
pub use list::Filter;

use crate::memory::{Memory, Series, Slot};
use crate::tier::{Tier, secs_of, timestamp};
use crate::{Error, Metrics};
use span::Span;

/// One period of a metric, in one unit: what `GetMetricStatistics` makes a datapoint of.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// Start of the period.
    pub at: Timestamp,
    pub unit: Unit,
    pub values: Distribution,
}

/// Where to find what a [`Stat`] asks for. Good for as long as the [`Metrics`] that it was resolved in; of a metric that
/// does not exist yet, too.
#[derive(Debug)]
pub struct SeriesHandle {
    stat: Stat,
    /// [`NOWHERE`] until the metric has been found.
    slot: AtomicU32,
}

const NOWHERE: u32 = u32::MAX;

impl SeriesHandle {
    pub fn stat(&self) -> &Stat {
        &self.stat
    }
}

/// Datapoints of all series that were asked for, by time and unit.
type Found = BTreeMap<(i64, Unit), Distribution>;

/// A part of a read that memory cannot answer.
struct Beyond {
    number: i64,
    unit: Unit,
    fine: bool,
}

impl Metrics {
    /// A handle for reading the same again and again.
    pub fn resolve(&self, stat: &Stat) -> SeriesHandle {
        let slot = self.read_memory().find(&stat.metric).unwrap_or(NOWHERE);
        SeriesHandle { stat: stat.clone(), slot: AtomicU32::new(slot) }
    }

    /// The datapoints of whole periods that begin in `from..to` (`from` is rounded down to a period's start), oldest
    /// first, in place of what `into` held. A period without data has none. Without a unit, all units count together.
    pub fn points_of(
        &self,
        handle: &SeriesHandle,
        period_secs: u32,
        from: Timestamp,
        to: Timestamp,
        into: &mut Vec<Point>,
    ) -> Result<(), Error> {
        into.clear();
        let statistic = handle.stat.statistic;
        let beyond = {
            let memory = self.read_memory();
            let Some(slot) = find(&memory, handle) else { return Ok(()) };
            let span = Span::new(period_secs, from, to);
            if span.from >= memory.edge()
                && let Some((series, tier)) = single(slot, handle.stat.unit, &span)
                && !statistic.is_extended()
                && span.from >= span.earliest(series.fine, secs_of(self.clock.now()))
            {
                from_memory(series, tier, &span, statistic, into);
                return Ok(());
            }
            span
        };
        let found = self.gather(&handle.stat.metric, handle.stat.unit, &beyond)?;
        let mut merged: BTreeMap<i64, Distribution> = BTreeMap::new();
        for ((at, _), values) in found {
            merged.entry(at).or_default().merge(&values);
        }
        into.extend(merged.iter().filter_map(|(at, values)| {
            let samples = Some(values.summary().count);
            Some(Point { at: timestamp(*at), value: statistic.of(values)?, samples })
        }));
        Ok(())
    }

    /// [`points_of`](Metrics::points_of), for reading once.
    pub fn points(
        &self,
        stat: &Stat,
        period_secs: u32,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Point>, Error> {
        let mut points = Vec::new();
        self.points_of(&self.resolve(stat), period_secs, from, to, &mut points)?;
        Ok(points)
    }

    /// What the periods that begin in `from..to` hold, oldest first, each unit on its own (`GetMetricStatistics`).
    pub fn statistics(
        &self,
        metric: &MetricId,
        unit: Option<Unit>,
        period_secs: u32,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Bucket>, Error> {
        let found = self.gather(metric, unit, &Span::new(period_secs, from, to))?;
        let bucket = |((at, unit), values)| Bucket { at: timestamp(at), unit, values };
        Ok(found.into_iter().map(bucket).collect())
    }

    pub(crate) fn read_memory(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn gather(&self, metric: &MetricId, unit: Option<Unit>, span: &Span) -> Result<Found, Error> {
        let now = secs_of(self.clock.now());
        let mut found = Found::new();
        let mut add = |unit: Unit, at: i64, values: &Distribution| {
            found.entry((at, unit)).or_default().merge(values);
        };
        let (edge, beyond) = {
            let memory = self.read_memory();
            let Some(slot) = memory.find(metric).and_then(|slot| memory.slot(slot)) else {
                return Ok(found);
            };
            let mut beyond = Vec::new();
            for series in slot.series().filter(|series| unit.is_none_or(|unit| series.unit == unit))
            {
                let recent = span.from(memory.edge().max(span.earliest(series.fine, now)));
                for tier in span.tiers(series.fine) {
                    let cells = series
                        .lane(tier)
                        .map_or(&[][..], |lane| lane.cells_from(tier, recent.from));
                    recent.each_bucket(tier, cells, |at, cell, times| {
                        add(series.unit, at, &repeated(cell, times));
                    });
                }
                let (number, unit, fine) = (series.number, series.unit, series.fine);
                beyond.push(Beyond { number, unit, fine });
            }
            (memory.edge(), beyond)
        };
        if span.from < edge {
            for Beyond { number, unit, fine } in beyond {
                let past = span.from(span.earliest(fine, now)).until(edge);
                let tiers = self.disk.cells_of(number, span.tiers(fine), past.from, past.until)?;
                for (tier, cells) in tiers {
                    past.each_bucket(tier, &cells, |at, cell, times| {
                        add(unit, at, &repeated(cell, times));
                    });
                }
            }
        }
        Ok(found)
    }
}

/// The slot of a handle, which it remembers.
fn find<'a>(memory: &'a Memory, handle: &SeriesHandle) -> Option<&'a Slot> {
    let known = handle.slot.load(Ordering::Relaxed);
    if let Some(slot) = memory.slot(known) {
        return Some(slot);
    }
    let slot = memory.find(&handle.stat.metric)?;
    handle.slot.store(slot, Ordering::Relaxed);
    memory.slot(slot)
}

/// The only series and tier that a read concerns, if it is one: nearly always.
fn single<'a>(slot: &'a Slot, unit: Option<Unit>, span: &Span) -> Option<(&'a Series, Tier)> {
    let series = match unit {
        Some(unit) => slot.series().find(|series| series.unit == unit)?,
        None if slot.units() == 1 => slot.first(),
        None => return None,
    };
    let mut tiers = span
        .tiers(series.fine)
        .filter(|tier| series.lane(*tier).is_some_and(|lane| !lane.cells().is_empty()));
    let tier = tiers.next()?;
    tiers.next().is_none().then_some((series, tier))
}

/// A basic statistic of what is in memory, without a detour.
fn from_memory(
    series: &Series,
    tier: Tier,
    span: &Span,
    statistic: Statistic,
    into: &mut Vec<Point>,
) {
    let Some(lane) = series.lane(tier) else { return };
    let point = |at: i64, summary: &Summary| {
        let samples = Some(summary.count);
        let value = statistic.of_summary(summary)?;
        Some(Point { at: timestamp(at), value, samples })
    };
    let mut open: Option<(i64, Summary)> = None;
    span.each_bucket(tier, lane.cells_from(tier, span.from), |at, cell, times| {
        let summary = cell.summary();
        let summary = if times > 1 {
            Summary::of(0.0, f64::from(cell.idle) * f64::from(times))
        } else {
            summary
        };
        match &mut open {
            Some((last, total)) if *last == at => *total = total.merge(summary),
            _ => {
                if let Some((last, total)) = open.replace((at, summary)) {
                    into.extend(point(last, &total));
                }
            }
        }
    });
    if let Some((last, total)) = open {
        into.extend(point(last, &total));
    }
}

fn repeated(cell: &crate::memory::Cell, times: u32) -> Distribution {
    if times > 1 {
        return Distribution::of(0.0, f64::from(cell.idle) * f64::from(times));
    }
    cell.distribution()
}
