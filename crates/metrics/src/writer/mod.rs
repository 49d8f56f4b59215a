//! The only one who changes anything: stages samples beside the image, commits, then puts the finished lanes in place.

mod queue;
mod stage;

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use domain::metric::Measured;
use domain::time::{Clock, Timestamp};

pub(crate) use queue::Queue;

use crate::disk::{Changes, Disk, StoredSeries, Swept};
use crate::memory::{MEMORY_SECS, Memory, Series, SeriesRef};
use crate::sample::{Sample, SeriesKey};
use crate::tier::{Tier, secs_of};
use crate::{Error, METRICS_MAX, sink};
use stage::Stage;

/// Rows that may wait for a disk that refuses them: some hundred megabytes. Beyond it they stay in memory only.
const DIRTY_MAX: usize = 2_000_000;

/// Series that one step of sweeping looks at, whatever their number: each costs some ten microseconds.
const SWEEP_MIN: u32 = 16;
const SWEEP_MAX: u32 = 1024;

/// Steps in which all series are swept.
const SWEEP_STEPS: u32 = 60;

/// Changes between two steps of sweeping where there is no thread to do it by the time.
const SWEEP_EVERY_CHANGES: u32 = 256;

/// What is handed over without waiting for it to be safe.
#[derive(Debug)]
pub(crate) enum Job {
    Record(Vec<Sample>),
    Idle(Vec<SeriesKey>, Timestamp),
    Measured(Vec<Measured>),
}

/// A row of the disk: the bucket that begins at a second in a tier of a series.
type RowKey = (SeriesRef, Tier, i64);

#[derive(Debug)]
pub(crate) struct Writer {
    memory: Arc<RwLock<Memory>>,
    disk: Arc<Disk>,
    clock: Arc<dyn Clock>,
    /// Rows that memory knows better than the disk.
    dirty: HashSet<RowKey>,
    sweep_from: u32,
    changes: u32,
}

impl Writer {
    /// Takes the series and their latest buckets from the disk.
    pub(crate) fn load(disk: Arc<Disk>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let now = secs_of(clock.now());
        let mut memory = Memory::new(now);
        let mut stored = Vec::new();
        disk.each_series(&mut |series| stored.push(series))?;
        let edge = memory.edge();
        for StoredSeries { number, metric, unit } in stored {
            let mut series = Series::new(number, unit, true);
            series.seen = disk.last_seen(number)?.unwrap_or(i64::MIN);
            for tier in [Tier::Second, Tier::TenSeconds, Tier::Minute] {
                let cells = disk.cells(number, tier, edge, i64::MAX)?;
                if !cells.is_empty() {
                    series.fine |= tier != Tier::Minute;
                    series.install(tier, cells.into());
                }
            }
            series.fine = series.fine || disk.has_fine(number)?;
            memory.insert(&metric, series);
        }
        let memory = Arc::new(RwLock::new(memory));
        Ok(Self { memory, disk, clock, dirty: HashSet::new(), sweep_from: 0, changes: 0 })
    }

    pub(crate) fn memory(&self) -> Arc<RwLock<Memory>> {
        Arc::clone(&self.memory)
    }

    pub(crate) fn disk(&self) -> Arc<Disk> {
        Arc::clone(&self.disk)
    }

    pub(crate) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    fn read(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Memory> {
        self.memory.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps each batch whole or not at all; they share one commit. What was recorded before goes with it, so that the
    /// rows of a lane are always of one time.
    pub(crate) fn put(&mut self, batches: Vec<Vec<Sample>>) -> Vec<Result<(), Error>> {
        let now = self.advance();
        let mut stage = Stage::new(now);
        let mut verdicts = Vec::with_capacity(batches.len());
        let mut broken = None;
        for samples in batches {
            let keys: Vec<&SeriesKey> = samples.iter().map(|sample| &sample.series).collect();
            let staged = self.refs(&keys, true).and_then(|series| {
                let memory = self.read();
                let mut each = series.into_iter().flatten().zip(&samples);
                each.try_for_each(|(series, sample)| stage.add(&memory, &self.disk, series, sample))
            });
            if let Err(why @ Error::Read(_)) = &staged {
                broken = Some(why.clone());
            }
            verdicts.push(staged);
        }
        // Half a batch may be staged where the disk could not be read: then nothing is kept.
        match broken.map_or_else(|| self.commit(&stage), Err) {
            Ok(()) => self.install(stage),
            Err(why) => {
                tracing::error!(%why, "metrics cannot be written; what was put is refused");
                verdicts.fill(Err(why));
            }
        }
        self.changed();
        verdicts
    }

    /// Takes jobs into memory; they are written with the next flush.
    pub(crate) fn take(&mut self, jobs: Vec<Job>) {
        let now = self.advance();
        let mut stage = Stage::new(now);
        for job in jobs {
            let taken = match job {
                Job::Record(samples) => self.record(&mut stage, &samples),
                Job::Measured(measured) => {
                    let samples: Vec<Sample> = measured.iter().flat_map(sink::samples).collect();
                    self.record(&mut stage, &samples)
                }
                Job::Idle(series, window) => self.idle(&mut stage, &series, window),
            };
            if let Err(why) = taken {
                tracing::warn!(%why, "samples are lost");
            }
        }
        if stage.reaches_back() {
            if let Err(why) = self.commit(&stage) {
                tracing::warn!(%why, "samples from before the last half hour are lost");
                self.dirty.extend(stage.recent_rows());
            }
        } else {
            self.dirty.extend(stage.recent_rows());
        }
        self.install(stage);
        self.changed();
    }

    fn record(&self, stage: &mut Stage, samples: &[Sample]) -> Result<(), Error> {
        let keys: Vec<&SeriesKey> = samples.iter().map(|sample| &sample.series).collect();
        let series = self.refs(&keys, false)?;
        let memory = self.read();
        for (series, sample) in series.into_iter().zip(samples) {
            if let Some(series) = series {
                stage.add(&memory, &self.disk, series, sample)?;
            }
        }
        Ok(())
    }

    fn idle(&self, stage: &mut Stage, keys: &[SeriesKey], window: Timestamp) -> Result<(), Error> {
        let borrowed: Vec<&SeriesKey> = keys.iter().collect();
        let series = self.refs(&borrowed, false)?;
        let memory = self.read();
        for (series, key) in series.into_iter().zip(keys) {
            if let Some(series) = series {
                let tier = key.resolution.tier();
                stage.mark_idle(&memory, &self.disk, series, tier, secs_of(window))?;
            }
        }
        Ok(())
    }

    /// Where the series are; new ones are made. Beyond the limit, there are none, or it is an error.
    fn refs(&self, keys: &[&SeriesKey], strict: bool) -> Result<Vec<Option<SeriesRef>>, Error> {
        let find = |memory: &Memory, key: &SeriesKey| memory.find_series(&key.metric, key.unit);
        let mut found: Vec<_> = {
            let memory = self.read();
            keys.iter().map(|key| find(&memory, key)).collect()
        };
        if found.iter().all(Option::is_some) {
            return Ok(found);
        }
        let mut memory = self.write();
        for (series, key) in found.iter_mut().zip(keys).filter(|(series, _)| series.is_none()) {
            let room = memory.metric_count() < METRICS_MAX || memory.find(&key.metric).is_some();
            if room {
                *series = Some(memory.ensure(&key.metric, key.unit));
            } else if strict {
                return Err(Error::TooManyMetrics);
            }
        }
        Ok(found)
    }

    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        let stage = Stage::new(secs_of(self.clock.now()));
        self.commit(&stage)
    }

    /// Writes what is staged, and what was recorded before.
    fn commit(&mut self, stage: &Stage) -> Result<(), Error> {
        if self.dirty.is_empty() && stage.is_empty() {
            return Ok(());
        }
        let (changes, unknown) = {
            let memory = self.read();
            let mut rows: Vec<RowKey> =
                self.dirty.iter().copied().chain(stage.recent_rows()).collect();
            rows.sort_unstable();
            rows.dedup();
            let mut changes = Changes::default();
            let mut unknown = HashSet::new();
            let mut note = |at: SeriesRef| -> Option<i64> {
                let series = memory.series(at)?;
                if !series.stored && unknown.insert(at) {
                    let metric = memory.slot(at.slot)?.metric.clone();
                    let (number, unit) = (series.number, series.unit);
                    changes.series.push(StoredSeries { number, metric, unit });
                }
                Some(series.number)
            };
            let mut cells = Vec::with_capacity(rows.len());
            for (series, tier, at) in rows {
                let cell = stage.cell(&memory, series, tier, at).cloned();
                // After a failure, memory may have let go of a row that is not on the disk: not the row's end.
                let lost =
                    cell.is_none() && at < memory.edge() && !stage.has_touched((series, tier, at));
                if let Some(number) = note(series).filter(|_| !lost) {
                    cells.push((number, tier, at, cell));
                }
            }
            for (series, tier, at, cell) in stage.old_rows() {
                if let Some(number) = note(series) {
                    cells.push((number, tier, at, cell.cloned()));
                }
            }
            changes.cells = cells;
            (changes, unknown)
        };
        self.disk.commit(&changes)?;
        self.dirty.clear();
        let mut memory = self.write();
        for series in unknown {
            if let Some(series) = memory.series_mut(series) {
                series.stored = true;
            }
        }
        Ok(())
    }

    fn install(&self, stage: Stage) {
        let mut memory = self.write();
        for (series, seen, fine) in stage.seen() {
            if let Some(series) = memory.series_mut(series) {
                series.seen = series.seen.max(seen);
                series.fine |= fine;
            }
        }
        for ((series, tier), lane) in stage.into_lanes() {
            if let Some(series) = memory.series_mut(series) {
                series.install(tier, lane);
            }
        }
    }

    /// Moves the edge of memory on, once what lies before it is on the disk. Returns the time.
    fn advance(&mut self) -> i64 {
        let now = secs_of(self.clock.now());
        let due = now - self.read().edge() >= MEMORY_SECS + 60;
        if !due {
            return now;
        }
        if let Err(why) = self.flush() {
            tracing::error!(%why, "metrics cannot be written; they stay in memory for now");
            if self.dirty.len() <= DIRTY_MAX {
                return now;
            }
            tracing::error!(
                rows = self.dirty.len(),
                "too many metrics wait for the disk; they are lost"
            );
            self.dirty.clear();
        }
        self.write().advance(now);
        now
    }

    fn changed(&mut self) {
        self.changes = self.changes.wrapping_add(1);
    }

    /// For writers without a thread: sweeps now and then.
    pub(crate) fn sweep_if_due(&mut self) {
        if self.changes >= SWEEP_EVERY_CHANGES {
            self.changes = 0;
            self.sweep();
        }
    }

    /// One step: ages the rows of some series, and lets go of what memory need not hold any more.
    pub(crate) fn sweep(&mut self) {
        let now = self.advance();
        if self.is_dirty() && self.flush().is_err() {
            // A row that is not written yet must not be missed; the flush has been or will be complained of.
            return;
        }
        let (count, slots) = {
            let memory = self.read();
            let count = memory.slot_count();
            let step = (count / SWEEP_STEPS).clamp(SWEEP_MIN, SWEEP_MAX);
            (count, self.sweep_from..count.min(self.sweep_from + step))
        };
        self.sweep_from = if slots.end >= count { 0 } else { slots.end };
        let series: Vec<(SeriesRef, i64)> = {
            let memory = self.read();
            let of_slot = |slot| {
                let units =
                    memory.slot(slot).into_iter().flat_map(|known| known.series().enumerate());
                units.map(move |(unit, series)| {
                    let unit = u32::try_from(unit).unwrap_or(u32::MAX);
                    (SeriesRef { slot, unit }, series.number)
                })
            };
            slots.clone().flat_map(of_slot).collect()
        };
        let numbers: Vec<i64> = series.iter().map(|(_, number)| *number).collect();
        match self.disk.sweep(&numbers, now) {
            Ok(swept) => {
                let mut memory = self.write();
                memory.evict(slots);
                for ((at, _), swept) in series.iter().zip(swept) {
                    if swept == Swept::Gone
                        && let Some(series) = memory.series_mut(*at)
                    {
                        series.stored = false;
                        series.seen = i64::MIN;
                    }
                }
                memory.remove_unseen(series.iter().map(|(at, _)| at.slot));
            }
            Err(why) => {
                tracing::warn!(%why, "old metrics cannot be taken away; the next round tries again");
            }
        }
    }
}
