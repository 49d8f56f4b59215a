//! Every series and bucket, in one SQLite database.

mod sweep;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::metric::{Distribution, MetricId, Unit};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

pub(crate) use sweep::Swept;

use crate::Error;
use crate::memory::{Cell, RUN_MAX};
use crate::tier::Tier;

/// Marks a database as Tidegate's metrics ("tidm" in ASCII), so that another program's is not written to by mistake.
const APPLICATION_ID: i32 = 0x7469_646d;

/// The layout of the tables.
const LAYOUT: i32 = 1;

/// A row of a series.
#[derive(Debug)]
pub(crate) struct StoredSeries {
    pub(crate) number: i64,
    pub(crate) metric: MetricId,
    pub(crate) unit: Unit,
}

/// What one commit changes.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) series: Vec<StoredSeries>,
    /// The bucket that begins at this second in this tier of this series; none takes the row away.
    pub(crate) cells: Vec<(i64, Tier, i64, Option<Cell>)>,
}

#[derive(Debug)]
pub(crate) struct Disk {
    writer: Mutex<Connection>,
    /// A connection of its own, so that a reader does not wait for a sync. Absent in memory, where nothing is synced.
    reader: Option<Mutex<Connection>>,
}

#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("this is the database of another program")]
    Foreign,
    #[error("layout {0} was written by a newer tidegate")]
    Newer(i32),
}

impl Disk {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let open = || -> Result<Self, Unusable> {
            let writer = Connection::open(path)?;
            prepare(&writer)?;
            let reader = Connection::open(path)?;
            reader.pragma_update(None, "query_only", true)?;
            Ok(Self { writer: Mutex::new(writer), reader: Some(Mutex::new(reader)) })
        };
        open().map_err(|why| Error::Read(format!("{}: {why}", path.display())))
    }

    pub(crate) fn in_memory() -> Result<Self, Error> {
        let open = || -> Result<Self, Unusable> {
            let writer = Connection::open_in_memory()?;
            prepare(&writer)?;
            Ok(Self { writer: Mutex::new(writer), reader: None })
        };
        open().map_err(|why| Error::Read(why.to_string()))
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.as_ref().unwrap_or(&self.writer).lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As if the disk ended after so many pages.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: Option<u32>) {
        let pages = pages.unwrap_or(u32::MAX - 1);
        self.writer().pragma_update(None, "max_page_count", pages).unwrap();
    }

    /// Keeps all changes or none, and returns when they are safe.
    pub(crate) fn commit(&self, changes: &Changes) -> Result<(), Error> {
        let mut connection = self.writer();
        let mut commit = || -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            for series in &changes.series {
                insert_series(&transaction, series)?;
            }
            for (number, tier, at, cell) in &changes.cells {
                match cell {
                    Some(cell) => upsert(&transaction, *number, *tier, cell)?,
                    None => transaction
                        .prepare_cached(
                            "DELETE FROM bucket WHERE series = ?1 AND tier = ?2 AND at = ?3",
                        )?
                        .execute(params![number, tier.number(), at])
                        .map(drop)?,
                }
            }
            transaction.commit()
        };
        commit().map_err(|why| unwritable(&why))
    }

    pub(crate) fn each_series(&self, each: &mut dyn FnMut(StoredSeries)) -> Result<(), Error> {
        let connection = self.reader();
        let mut read = || -> rusqlite::Result<()> {
            let mut query =
                connection.prepare("SELECT number, metric, unit FROM series ORDER BY number")?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let (metric, unit): (Vec<u8>, String) = (row.get(1)?, row.get(2)?);
                let metric = serde_json::from_slice(&metric).map_err(|why| damaged(1, why))?;
                let unit = unit.parse().map_err(|why| damaged(2, why))?;
                each(StoredSeries { number: row.get(0)?, metric, unit });
            }
            Ok(())
        };
        read().map_err(|why| unreadable(&why))
    }

    /// The start of the latest minute of a series.
    pub(crate) fn last_seen(&self, number: i64) -> Result<Option<i64>, Error> {
        let connection = self.reader();
        let read = || -> rusqlite::Result<Option<i64>> {
            let mut latest = None;
            for tier in Tier::COARSE {
                let row: Option<(i64, i64)> = connection
                    .prepare_cached(
                        "SELECT at, run FROM bucket WHERE series = ?1 AND tier = ?2 ORDER BY at DESC LIMIT 1",
                    )?
                    .query_row(params![number, tier.number()], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                latest = latest.max(row.map(|(at, run)| at + (run - 1) * tier.secs()));
            }
            Ok(latest)
        };
        read().map_err(|why| unreadable(&why))
    }

    /// Whether a series has buckets finer than a minute.
    pub(crate) fn has_fine(&self, number: i64) -> Result<bool, Error> {
        let connection = self.reader();
        let read = || -> rusqlite::Result<bool> {
            connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM bucket WHERE series = ?1 AND tier < ?2)",
                )?
                .query_row(params![number, Tier::Minute.number()], |row| row.get(0))
        };
        read().map_err(|why| unreadable(&why))
    }

    /// The cells of a tier of a series that have a bucket in `from..to`, oldest first.
    pub(crate) fn cells(
        &self,
        number: i64,
        tier: Tier,
        from: i64,
        to: i64,
    ) -> Result<Vec<Cell>, Error> {
        cells(&self.reader(), number, tier, from, to).map_err(|why| unreadable(&why))
    }

    /// The same of several tiers, at one moment: sweeping may move rows from one to the next.
    pub(crate) fn cells_of(
        &self,
        number: i64,
        tiers: impl Iterator<Item = Tier>,
        from: i64,
        to: i64,
    ) -> Result<Vec<(Tier, Vec<Cell>)>, Error> {
        let connection = self.reader();
        let read = || -> rusqlite::Result<Vec<_>> {
            let transaction = connection.unchecked_transaction()?;
            tiers.map(|tier| Ok((tier, cells(&transaction, number, tier, from, to)?))).collect()
        };
        read().map_err(|why| unreadable(&why))
    }
}

fn cells(
    connection: &Connection,
    number: i64,
    tier: Tier,
    from: i64,
    to: i64,
) -> rusqlite::Result<Vec<Cell>> {
    let earliest = from.saturating_sub(i64::from(RUN_MAX) * tier.secs());
    let mut query = connection.prepare_cached(
        "SELECT at, run, idle, body FROM bucket
         WHERE series = ?1 AND tier = ?2 AND at > ?3 AND at < ?4 ORDER BY at",
    )?;
    let rows = query.query_map(params![number, tier.number(), earliest, to], cell)?;
    let late = |row: &rusqlite::Result<Cell>| row.as_ref().map_or(true, |c| c.end(tier) > from);
    rows.filter(late).collect()
}

fn prepare(connection: &Connection) -> Result<(), Unusable> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let fresh = pragma("schema_version")? == 0;
    if !fresh && pragma("application_id")? != APPLICATION_ID {
        return Err(Unusable::Foreign);
    }
    match pragma("user_version")? {
        newer if newer > LAYOUT => return Err(Unusable::Newer(newer)),
        _ => connection.pragma_update(None, "journal_mode", "WAL")?,
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Both numbers come with the tables: a file that has these without them would be taken for another program's.
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         CREATE TABLE IF NOT EXISTS series (
             number INTEGER PRIMARY KEY, metric BLOB NOT NULL, unit TEXT NOT NULL
         ) STRICT;
         CREATE TABLE IF NOT EXISTS bucket (
             series INTEGER NOT NULL, tier INTEGER NOT NULL, at INTEGER NOT NULL,
             run INTEGER NOT NULL, idle INTEGER NOT NULL, body BLOB,
             PRIMARY KEY (series, tier, at)
         ) WITHOUT ROWID, STRICT;
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {LAYOUT};
         COMMIT;",
    ))?;
    Ok(())
}

fn insert_series(transaction: &Transaction<'_>, series: &StoredSeries) -> rusqlite::Result<()> {
    let metric = serde_json::to_vec(&series.metric).map_err(unencodable)?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO series (number, metric, unit) VALUES (?1, ?2, ?3)")?
        .execute(params![series.number, metric, series.unit.as_str()])
        .map(drop)
}

fn upsert(
    transaction: &Transaction<'_>,
    number: i64,
    tier: Tier,
    cell: &Cell,
) -> rusqlite::Result<()> {
    let body = (!cell.values.is_empty())
        .then(|| postcard::to_allocvec(&cell.values))
        .transpose()
        .map_err(unencodable)?;
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO bucket (series, tier, at, run, idle, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![number, tier.number(), cell.at, cell.run, cell.idle, body])
        .map(drop)
}

fn cell(row: &Row<'_>) -> rusqlite::Result<Cell> {
    let body: Option<Vec<u8>> = row.get(3)?;
    let values = match body {
        None => Distribution::EMPTY,
        Some(body) => postcard::from_bytes(&body).map_err(|why| damaged(3, why))?,
    };
    Ok(Cell { at: row.get(0)?, run: row.get(1)?, idle: row.get(2)?, values })
}

fn damaged(column: usize, why: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, Box::new(why))
}

fn unencodable(why: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(why))
}

fn unreadable(why: &rusqlite::Error) -> Error {
    Error::Read(why.to_string())
}

fn unwritable(why: &rusqlite::Error) -> Error {
    match why.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => Error::Full,
        _ => Error::Write(why.to_string()),
    }
}
