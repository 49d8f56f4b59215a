//! The buckets of one series in one tier, in order.

use domain::metric::{Distribution, Summary};

use crate::tier::Tier;

/// Buckets that one run may stand for: a day of minutes. A read must look this far back for the run that a bucket lies in.
pub(crate) const RUN_MAX: u32 = 1440;

/// A bucket; or, where nothing but idleness is known, a run of equal ones.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    /// The start of the first bucket, in seconds since the epoch.
    pub(crate) at: i64,
    /// How many buckets are like this one, itself included. More than one only without values.
    pub(crate) run: u32,
    /// Zeros that stand for the absence of a sample, in each bucket.
    pub(crate) idle: u32,
    pub(crate) values: Distribution,
}

impl Cell {
    const fn empty(at: i64) -> Self {
        Self { at, run: 1, idle: 0, values: Distribution::EMPTY }
    }

    pub(crate) fn end(&self, tier: Tier) -> i64 {
        self.at + i64::from(self.run) * tier.secs()
    }

    /// What one of its buckets sums up to.
    pub(crate) fn summary(&self) -> Summary {
        if self.idle == 0 {
            return self.values.summary();
        }
        self.values.summary().merge(Summary::of(0.0, f64::from(self.idle)))
    }

    /// What one of its buckets holds.
    pub(crate) fn distribution(&self) -> Distribution {
        let mut all = self.values.clone();
        all.add_many(0.0, f64::from(self.idle));
        all
    }
}

/// Ascending and without overlap. Each change names the starts of the cells that it made, changed or took away.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lane(pub(super) Vec<Cell>);

impl Lane {
    pub(crate) fn cells(&self) -> &[Cell] {
        &self.0
    }

    /// The cells from the one on in which a second lies, or that follows it.
    pub(crate) fn cells_from(&self, tier: Tier, secs: i64) -> &[Cell] {
        let first = self.0.partition_point(|cell| cell.end(tier) <= secs);
        &self.0[first..]
    }

    /// The cell that begins here.
    pub(crate) fn starting(&self, at: i64) -> Option<&Cell> {
        self.0.binary_search_by_key(&at, |cell| cell.at).ok().map(|index| &self.0[index])
    }

    /// The cell in which a bucket lies.
    pub(crate) fn covering(&self, tier: Tier, at: i64) -> Option<&Cell> {
        self.cells_from(tier, at).first().filter(|cell| cell.at <= at)
    }

    /// Puts in a cell as it was kept; one that is there already wins.
    pub(crate) fn restore(&mut self, cell: Cell) {
        if let Err(index) = self.0.binary_search_by_key(&cell.at, |known| known.at) {
            self.0.insert(index, cell);
        }
    }

    /// Adds values to a bucket; the idle zeros given up for them are taken out.
    pub(crate) fn add(
        &mut self,
        tier: Tier,
        at: i64,
        values: &Distribution,
        idle: Idle,
        touched: &mut Vec<i64>,
    ) -> u32 {
        let cell = self.isolate(tier, at, touched);
        let given_up = match idle {
            Idle::All => cell.idle,
            Idle::Only(count) => count.min(cell.idle),
        };
        cell.idle -= given_up;
        cell.values.merge(values);
        given_up
    }

    /// Marks a bucket as idle, unless something is known of it; says whether it did.
    pub(crate) fn mark_idle(&mut self, tier: Tier, at: i64, touched: &mut Vec<i64>) -> bool {
        if self.covering(tier, at).is_some() {
            return false;
        }
        self.count_idle(tier, at, touched);
        true
    }

    /// One idle zero more in a bucket.
    pub(crate) fn count_idle(&mut self, tier: Tier, at: i64, touched: &mut Vec<i64>) {
        self.isolate(tier, at, touched).idle += 1;
        self.join_to_previous(tier, at, touched);
    }

    /// The bucket as a cell of its own.
    fn isolate(&mut self, tier: Tier, at: i64, touched: &mut Vec<i64>) -> &mut Cell {
        touched.push(at);
        let index = self.0.partition_point(|cell| cell.end(tier) <= at);
        let Some(cell) = self.0.get_mut(index).filter(|cell| cell.at <= at) else {
            self.0.insert(index, Cell::empty(at));
            return &mut self.0[index];
        };
        let before = u32::try_from((at - cell.at) / tier.secs()).unwrap_or(u32::MAX);
        let after = cell.run - before - 1;
        let mut rest = Vec::with_capacity(2);
        if before > 0 {
            touched.push(cell.at);
            cell.run = before;
            rest.push(Cell { at, run: 1, ..cell.clone() });
        } else {
            cell.run = 1;
        }
        if after > 0 {
            let next = at + tier.secs();
            touched.push(next);
            rest.push(Cell { at: next, run: after, ..cell.clone() });
        }
        for (offset, cell) in rest.into_iter().enumerate() {
            self.0.insert(index + 1 + offset, cell);
        }
        &mut self.0[if before > 0 { index + 1 } else { index }]
    }

    fn join_to_previous(&mut self, tier: Tier, at: i64, touched: &mut Vec<i64>) {
        let Ok(index) = self.0.binary_search_by_key(&at, |cell| cell.at) else { return };
        let Some([previous, cell]) = self.0.get(index.wrapping_sub(1)..=index) else { return };
        let alike = previous.idle == cell.idle
            && previous.values.is_empty()
            && cell.values.is_empty()
            && previous.end(tier) == at
            && previous.run + cell.run <= RUN_MAX;
        if alike {
            let run = cell.run;
            self.0.remove(index);
            self.0[index - 1].run += run;
            touched.push(self.0[index - 1].at);
        }
    }

    /// Gives up the cells that end before a second.
    pub(crate) fn evict(&mut self, tier: Tier, before: i64) {
        let first = self.0.partition_point(|cell| cell.end(tier) <= before);
        self.0.drain(..first);
    }
}

impl From<Vec<Cell>> for Lane {
    /// Cells as they were kept: ascending.
    fn from(cells: Vec<Cell>) -> Self {
        Self(cells)
    }
}

/// Which idle zeros of a bucket a sample replaces.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Idle {
    /// All: the bucket is the one of the sample's own resolution.
    All,
    /// As many as the finer bucket gave up.
    Only(u32),
}
