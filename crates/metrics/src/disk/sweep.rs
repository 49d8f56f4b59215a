//! Takes rows that are too old for their tier away, or on to the next one.

use std::collections::BTreeMap;

use domain::metric::Distribution;
use rusqlite::{Connection, Transaction, params};

use super::{Disk, cell, unwritable, upsert};
use crate::Error;
use crate::memory::Cell;
use crate::tier::Tier;

/// Rows of one tier of one series that one step moves: a day of minutes, which take some milliseconds.
const ROWS_MAX: u32 = 1440;

/// What a step has done to a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swept {
    /// It has rows.
    Kept,
    /// It had none any more, and is forgotten.
    Gone,
}

impl Disk {
    /// One step for each series; what it leaves too old is the next round's.
    pub(crate) fn sweep(&self, numbers: &[i64], now: i64) -> Result<Vec<Swept>, Error> {
        let mut connection = self.writer();
        sweep(&mut connection, numbers, now).map_err(|why| unwritable(&why))
    }
}

fn sweep(connection: &mut Connection, numbers: &[i64], now: i64) -> rusqlite::Result<Vec<Swept>> {
    let transaction = connection.transaction()?;
    let mut swept = Vec::with_capacity(numbers.len());
    for number in numbers {
        // The coarsest first: what moves on in this step need not be looked at again.
        for tier in Tier::ALL.into_iter().rev() {
            age(&transaction, *number, tier, now)?;
        }
        let rows: bool = transaction
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM bucket WHERE series = ?1)")?
            .query_row([number], |row| row.get(0))?;
        if rows {
            swept.push(Swept::Kept);
        } else {
            transaction
                .prepare_cached("DELETE FROM series WHERE number = ?1")?
                .execute([number])?;
            swept.push(Swept::Gone);
        }
    }
    transaction.commit()?;
    Ok(swept)
}

fn age(transaction: &Transaction<'_>, number: i64, tier: Tier, now: i64) -> rusqlite::Result<()> {
    let limit = now - tier.retention();
    // Whole buckets of the next tier move together.
    let limit = tier.next().map_or(limit, |next| next.start(limit));
    let mut query = transaction.prepare_cached(
        "SELECT at, run, idle, body FROM bucket
         WHERE series = ?1 AND tier = ?2 AND at < ?3 AND at + run * ?2 <= ?3 ORDER BY at LIMIT ?4",
    )?;
    let old: Vec<Cell> = query
        .query_map(params![number, tier.number(), limit, ROWS_MAX], cell)?
        .collect::<rusqlite::Result<_>>()?;
    let Some(last) = old.last() else { return Ok(()) };
    if let Some(next) = tier.next() {
        for (at, values) in rolled_up(&old, tier, next) {
            let mut joined = bucket(transaction, number, next, at)?;
            joined.merge(&values);
            upsert(transaction, number, next, &Cell { at, run: 1, idle: 0, values: joined })?;
        }
    }
    transaction
        .prepare_cached(
            "DELETE FROM bucket WHERE series = ?1 AND tier = ?2 AND at <= ?3 AND at + run * ?2 <= ?4",
        )?
        .execute(params![number, tier.number(), last.at, limit])
        .map(drop)
}

/// The same in buckets of the next tier.
fn rolled_up(cells: &[Cell], tier: Tier, next: Tier) -> BTreeMap<i64, Distribution> {
    let mut buckets: BTreeMap<i64, Distribution> = BTreeMap::new();
    for cell in cells {
        let one = cell.distribution();
        for step in 0..i64::from(cell.run) {
            let at = next.start(cell.at + step * tier.secs());
            buckets.entry(at).or_default().merge(&one);
        }
    }
    buckets
}

fn bucket(
    transaction: &Transaction<'_>,
    number: i64,
    tier: Tier,
    at: i64,
) -> rusqlite::Result<Distribution> {
    let mut query = transaction.prepare_cached(
        "SELECT at, run, idle, body FROM bucket WHERE series = ?1 AND tier = ?2 AND at = ?3",
    )?;
    let found: Option<Cell> =
        query.query_map(params![number, tier.number(), at], cell)?.next().transpose()?;
    Ok(found.map(|cell| cell.distribution()).unwrap_or_default())
}
