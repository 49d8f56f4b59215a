//! Objects in the index.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::super::condition::WriteCondition;
use super::super::error::BucketError;
use super::super::record::{Attributes, ObjectRecord, Piece};
use super::{Freed, bucket, from_json, signed, to_json, unnamed, unsigned};

/// What a key shall hold from now on.
#[derive(Debug)]
pub(crate) struct NewObject<'a> {
    pub(crate) pieces: &'a [Piece],
    pub(crate) etag: &'a str,
    pub(crate) modified_ms: i64,
    pub(crate) attributes: &'a Attributes,
}

/// The object under `key`, with the number that its pieces hang on.
pub(crate) fn find(
    connection: &Connection,
    bucket: &str,
    key: &str,
) -> Result<(i64, ObjectRecord), BucketError> {
    bucket::require(connection, bucket)?;
    let found = connection
        .prepare_cached("SELECT id, size, etag, modified_ms, attributes FROM object WHERE bucket = ?1 AND key = ?2")?
        .query_row(params![bucket, key.as_bytes()], |row| {
            Ok((row.get(0)?, unsigned(row, 1)?, row.get(2)?, row.get(3)?, row.get::<_, String>(4)?))
        })
        .optional()?;
    let (id, size, etag, modified_ms, attributes) = found.ok_or(BucketError::NoSuchKey)?;
    Ok((id, ObjectRecord { size, etag, modified_ms, attributes: from_json(&attributes)? }))
}

/// In the order of the bytes.
pub(crate) fn pieces(connection: &Connection, id: i64) -> Result<Vec<Piece>, BucketError> {
    let mut statement = connection
        .prepare_cached("SELECT blob, size FROM piece WHERE object = ?1 ORDER BY place")?;
    let pieces = statement
        .query_map(params![id], |row| {
            Ok(Piece { blob: unsigned(row, 0)?, size: unsigned(row, 1)? })
        })?
        .collect::<Result<_, _>>()?;
    Ok(pieces)
}

/// Puts `object` under `key`, in the place of what was there.
pub(crate) fn replace(
    tx: &Transaction<'_>,
    bucket: &str,
    key: &str,
    object: &NewObject<'_>,
    condition: &WriteCondition,
) -> Result<Freed, BucketError> {
    let before = take(tx, bucket, key, condition)?;
    let mut size = 0;
    for piece in object.pieces {
        size += piece.size;
    }
    tx.prepare_cached(
        "INSERT INTO object (bucket, key, size, etag, modified_ms, attributes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![bucket, key.as_bytes(), signed(size)?, object.etag, object.modified_ms, to_json(object.attributes)?])?;
    let id = tx.last_insert_rowid();
    let mut statement =
        tx.prepare_cached("INSERT INTO piece (object, place, blob, size) VALUES (?1, ?2, ?3, ?4)")?;
    for (place, piece) in (0_i64..).zip(object.pieces) {
        statement.execute(params![id, place, signed(piece.blob)?, signed(piece.size)?])?;
    }
    unnamed(tx, before)
}

/// Removes the object under `key`; nothing there is fine, unless the condition wants something.
pub(crate) fn delete(
    tx: &Transaction<'_>,
    bucket: &str,
    key: &str,
    condition: &WriteCondition,
) -> Result<Freed, BucketError> {
    let before = take(tx, bucket, key, condition)?;
    unnamed(tx, before)
}

/// Changes what is said of an object, and nothing else of it.
pub(crate) fn set_attributes(
    tx: &Transaction<'_>,
    id: i64,
    attributes: &Attributes,
) -> Result<(), BucketError> {
    tx.execute(
        "UPDATE object SET attributes = ?2 WHERE id = ?1",
        params![id, to_json(attributes)?],
    )?;
    Ok(())
}

/// Removes the rows and returns the blobs they named.
fn take(
    tx: &Transaction<'_>,
    bucket: &str,
    key: &str,
    condition: &WriteCondition,
) -> Result<Vec<u64>, BucketError> {
    let (id, record) = match find(tx, bucket, key) {
        Ok((id, record)) => (Some(id), Some(record)),
        Err(BucketError::NoSuchKey) => (None, None),
        Err(error) => return Err(error),
    };
    condition.check(record.as_ref().map(|record| record.etag.as_str()))?;
    let Some(id) = id else { return Ok(Vec::new()) };
    let blobs = pieces(tx, id)?.iter().map(|piece| piece.blob).collect();
    tx.prepare_cached("DELETE FROM object WHERE id = ?1")?.execute(params![id])?;
    Ok(blobs)
}
