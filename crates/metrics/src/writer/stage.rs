//! Samples on their way: copies of the lanes that they change, which nobody sees before they are put in place.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::RowKey;
use crate::Error;
use crate::disk::Disk;
use crate::memory::{Cell, Idle, Lane, Memory, SeriesRef};
use crate::sample::{Resolution, Sample};
use crate::tier::{Tier, secs_of};

/// A lane of rows that are on the disk only.
#[derive(Debug, Default)]
struct Old {
    lane: Lane,
    /// Buckets whose row, if there is one, is in the lane.
    loaded: HashSet<i64>,
    touched: BTreeSet<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Stage {
    now: i64,
    lanes: HashMap<(SeriesRef, Tier), Lane>,
    touched: HashSet<RowKey>,
    old: HashMap<(SeriesRef, Tier), Old>,
    seen: HashMap<SeriesRef, (i64, bool)>,
    /// Whether something lies before the edge of memory: it must be on the disk before it is let go.
    reaches_back: bool,
}

impl Stage {
    pub(super) fn new(now: i64) -> Self {
        Self { now, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.touched.is_empty() && self.old.is_empty()
    }

    pub(super) fn reaches_back(&self) -> bool {
        self.reaches_back
    }

    /// Adds a sample to the tiers that its age belongs to; none takes one that is older than all are kept.
    pub(super) fn add(
        &mut self,
        memory: &Memory,
        disk: &Disk,
        series: SeriesRef,
        sample: &Sample,
    ) -> Result<(), Error> {
        let secs = secs_of(sample.at);
        let age = self.now.saturating_sub(secs);
        let native = sample.series.resolution.tier();
        let coarse = Tier::COARSE.into_iter().find(|tier| age < tier.retention());
        let Some(coarse) = coarse.filter(|_| !sample.values.is_empty()) else { return Ok(()) };
        let mut idle = Idle::All;
        let fine = sample.series.resolution != Resolution::Minute;
        if fine {
            let mut given_up = 0;
            if age < native.retention() {
                let at = native.start(secs);
                given_up = self.change(memory, disk, (series, native, at), |lane, touched| {
                    lane.add(native, at, &sample.values, Idle::All, touched)
                })?;
            }
            idle = Idle::Only(given_up);
        }
        let at = coarse.start(secs);
        self.change(memory, disk, (series, coarse, at), |lane, touched| {
            lane.add(coarse, at, &sample.values, idle, touched)
        })?;
        self.note_seen(series, Tier::Minute.start(secs), fine);
        Ok(())
    }

    /// Marks a bucket of a tier as idle, unless it has samples. What is older than memory is left as it is.
    pub(super) fn mark_idle(
        &mut self,
        memory: &Memory,
        disk: &Disk,
        series: SeriesRef,
        tier: Tier,
        secs: i64,
    ) -> Result<(), Error> {
        if secs < memory.edge() {
            return Ok(());
        }
        let at = tier.start(secs);
        let marked = self.change(memory, disk, (series, tier, at), |lane, touched| {
            lane.mark_idle(tier, at, touched)
        })?;
        let minute = Tier::Minute.start(secs);
        if marked && tier != Tier::Minute {
            self.change(memory, disk, (series, Tier::Minute, minute), |lane, touched| {
                lane.count_idle(Tier::Minute, minute, touched);
            })?;
        }
        self.note_seen(series, minute, tier != Tier::Minute);
        Ok(())
    }

    fn note_seen(&mut self, series: SeriesRef, minute: i64, fine: bool) {
        let seen = self.seen.entry(series).or_insert((minute, false));
        *seen = (seen.0.max(minute), seen.1 | fine);
    }

    /// Changes a bucket where it is known: in memory, or on the disk.
    fn change<T>(
        &mut self,
        memory: &Memory,
        disk: &Disk,
        row: RowKey,
        change: impl FnOnce(&mut Lane, &mut Vec<i64>) -> T,
    ) -> Result<T, Error> {
        let (series, tier, at) = row;
        let mut touched = Vec::with_capacity(2);
        if matches!(tier, Tier::Second | Tier::TenSeconds | Tier::Minute) {
            let lane = self.lanes.entry((series, tier)).or_insert_with(|| {
                let known = memory.series(series).and_then(|known| known.lane(tier));
                let mut lane = known.cloned().unwrap_or_default();
                lane.evict(tier, memory.edge());
                lane
            });
            // A run may begin before the edge; the whole of it is in memory.
            let before = at < memory.edge();
            if !before || lane.covering(tier, at).is_some() {
                self.reaches_back |= before;
                let changed = change(lane, &mut touched);
                self.touched.extend(touched.into_iter().map(|at| (series, tier, at)));
                return Ok(changed);
            }
        }
        self.reaches_back = true;
        let old = self.old.entry((series, tier)).or_default();
        if old.loaded.insert(at)
            && let Some(number) = memory.series(series).filter(|s| s.stored).map(|s| s.number)
        {
            for cell in disk.cells(number, tier, at, at + tier.secs())? {
                // One that was changed already covers its buckets better than its row does.
                let known = old.lane.starting(cell.at).is_some() || old.touched.contains(&cell.at);
                if !known {
                    old.lane.restore(cell);
                }
            }
        }
        let changed = change(&mut old.lane, &mut touched);
        old.touched.extend(touched);
        Ok(changed)
    }

    /// Rows to be written, of lanes in memory.
    pub(super) fn recent_rows(&self) -> impl Iterator<Item = RowKey> {
        self.touched.iter().copied()
    }

    pub(super) fn has_touched(&self, row: RowKey) -> bool {
        self.touched.contains(&row)
    }

    /// Rows to be written, of lanes that are on the disk only; those without a cell are gone.
    pub(super) fn old_rows(&self) -> impl Iterator<Item = (SeriesRef, Tier, i64, Option<&Cell>)> {
        self.old.iter().flat_map(|((series, tier), old)| {
            old.touched.iter().map(|at| (*series, *tier, *at, old.lane.starting(*at)))
        })
    }

    /// The cell that begins at a second, as it will be.
    pub(super) fn cell<'a>(
        &'a self,
        memory: &'a Memory,
        series: SeriesRef,
        tier: Tier,
        at: i64,
    ) -> Option<&'a Cell> {
        let staged = self.lanes.get(&(series, tier));
        staged.or_else(|| memory.series(series)?.lane(tier))?.starting(at)
    }

    /// The latest minute of each series, and whether it has samples finer than a minute.
    pub(super) fn seen(&self) -> impl Iterator<Item = (SeriesRef, i64, bool)> {
        self.seen.iter().map(|(series, (minute, fine))| (*series, *minute, *fine))
    }

    pub(super) fn into_lanes(self) -> impl Iterator<Item = ((SeriesRef, Tier), Lane)> {
        self.lanes.into_iter()
    }
}
