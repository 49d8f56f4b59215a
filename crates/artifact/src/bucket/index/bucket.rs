//! Buckets in the index.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::super::error::BucketError;
use super::{Index, unsigned};

impl Index {
    /// Name and creation time in milliseconds since 1970, by name.
    pub(crate) fn buckets(&self) -> Result<Vec<(String, i64)>, BucketError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT name, created_ms FROM bucket ORDER BY name")?;
            let rows = statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            Ok(rows)
        })
    }

    pub(crate) fn has_bucket(&self, name: &str) -> Result<bool, BucketError> {
        self.read(|connection| has(connection, name))
    }
}

/// `false` if it was there already.
pub(crate) fn create(
    tx: &Transaction<'_>,
    name: &str,
    now_ms: i64,
    most: usize,
) -> Result<bool, BucketError> {
    if has(tx, name)? {
        return Ok(false);
    }
    let count = tx.query_row("SELECT count(*) FROM bucket", [], |row| unsigned(row, 0))?;
    if count >= most as u64 {
        return Err(BucketError::TooManyBuckets);
    }
    tx.execute("INSERT INTO bucket (name, created_ms) VALUES (?1, ?2)", params![name, now_ms])?;
    Ok(true)
}

pub(crate) fn delete(tx: &Transaction<'_>, name: &str) -> Result<(), BucketError> {
    require(tx, name)?;
    let used: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM object WHERE bucket = ?1) OR EXISTS (SELECT 1 FROM upload WHERE bucket = ?1)",
        params![name],
        |row| row.get(0),
    )?;
    if used {
        return Err(BucketError::BucketNotEmpty);
    }
    tx.execute("DELETE FROM bucket WHERE name = ?1", params![name])?;
    Ok(())
}

pub(super) fn require(connection: &Connection, name: &str) -> Result<(), BucketError> {
    if has(connection, name)? { Ok(()) } else { Err(BucketError::NoSuchBucket) }
}

fn has(connection: &Connection, name: &str) -> Result<bool, BucketError> {
    let found = connection
        .prepare_cached("SELECT 1 FROM bucket WHERE name = ?1")?
        .query_row(params![name], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}
