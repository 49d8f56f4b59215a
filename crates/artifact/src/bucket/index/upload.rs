//! Multipart uploads in the index.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::super::condition::WriteCondition;
use super::super::error::BucketError;
use super::super::record::{Attributes, Checksums, ObjectRecord, PartRecord, Piece, UploadRecord};
use super::object::{self, NewObject};
use super::{Freed, Index, bucket, from_json, signed, text, to_json, unnamed, unsigned};

/// An upload turned into an object.
#[derive(Debug)]
pub struct Completion<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub id: &'a str,
    pub condition: &'a WriteCondition,
}

/// Uploads in progress, and whether there are more.
#[derive(Debug)]
pub struct UploadPage {
    pub uploads: Vec<UploadRecord>,
    pub more: bool,
}

pub(crate) fn create(
    tx: &Transaction<'_>,
    bucket: &str,
    upload: &UploadRecord,
) -> Result<(), BucketError> {
    bucket::require(tx, bucket)?;
    let checksum = upload.checksum.as_ref().map(to_json).transpose()?;
    tx.execute(
        "INSERT INTO upload (id, bucket, key, started_ms, attributes, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![upload.id, bucket, upload.key.as_bytes(), upload.started_ms, to_json(&upload.attributes)?, checksum],
    )?;
    Ok(())
}

/// The upload `id`, if it is one of `key`.
pub(crate) fn find(
    connection: &Connection,
    bucket: &str,
    key: &str,
    id: &str,
) -> Result<UploadRecord, BucketError> {
    bucket::require(connection, bucket)?;
    let found = connection
        .prepare_cached(
            "SELECT id, key, started_ms, attributes, checksum FROM upload WHERE id = ?1 AND bucket = ?2 AND key = ?3",
        )?
        .query_row(params![id, bucket, key.as_bytes()], row)
        .optional()?;
    found.ok_or(BucketError::NoSuchUpload)?.record()
}

/// Adds a part, in the place of an earlier one of that number.
pub(crate) fn put_part(
    tx: &Transaction<'_>,
    (bucket, key, id): (&str, &str, &str),
    part: &PartRecord,
) -> Result<Freed, BucketError> {
    find(tx, bucket, key, id)?;
    let before = tx
        .prepare_cached("SELECT blob FROM part WHERE upload = ?1 AND number = ?2")?
        .query_row(params![id, part.number], |row| unsigned(row, 0))
        .optional()?;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO part (upload, number, blob, size, etag, modified_ms, checksums)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        id,
        part.number,
        signed(part.blob)?,
        signed(part.size)?,
        part.etag,
        part.modified_ms,
        to_json(&part.checksums)?
    ])?;
    unnamed(tx, before.into_iter().collect())
}

/// Parts above `after`, by number.
pub(crate) fn parts(
    connection: &Connection,
    id: &str,
    after: i32,
    most: usize,
) -> Result<Vec<PartRecord>, BucketError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, blob, size, etag, modified_ms, checksums FROM part
         WHERE upload = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
    )?;
    let mut rows = statement.query(params![id, after, limit(most)])?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        let checksums: String = row.get(5)?;
        parts.push(PartRecord {
            number: row.get(0)?,
            blob: unsigned(row, 1)?,
            size: unsigned(row, 2)?,
            etag: row.get(3)?,
            modified_ms: row.get(4)?,
            checksums: from_json::<Checksums>(&checksums)?,
        });
    }
    Ok(parts)
}

/// Forgets the upload and its parts.
pub(crate) fn abort(
    tx: &Transaction<'_>,
    bucket: &str,
    key: &str,
    id: &str,
) -> Result<Freed, BucketError> {
    find(tx, bucket, key, id)?;
    let blobs = remove(tx, id)?;
    unnamed(tx, blobs)
}

/// Makes the object of `pieces` and forgets the upload, with the parts that were not chosen.
pub(crate) fn complete(
    tx: &Transaction<'_>,
    target: &Completion<'_>,
    object: &NewObject<'_>,
) -> Result<Freed, BucketError> {
    find(tx, target.bucket, target.key, target.id)?;
    let mut freed = object::replace(tx, target.bucket, target.key, object, target.condition)?;
    let blobs = remove(tx, target.id)?;
    freed.extend(unnamed(tx, blobs)?);
    let (id, _) = object::find(tx, target.bucket, target.key)?;
    tx.execute(
        "INSERT INTO completed (upload, object, done_ms) VALUES (?1, ?2, ?3)",
        params![target.id, id, object.modified_ms],
    )?;
    Ok(freed)
}

/// The object that the upload became, if it is still there: a client that missed the answer asks again.
pub(crate) fn completed(
    connection: &Connection,
    target: &Completion<'_>,
) -> Result<Option<ObjectRecord>, BucketError> {
    let became: Option<i64> = connection
        .prepare_cached("SELECT object FROM completed WHERE upload = ?1")?
        .query_row(params![target.id], |row| row.get(0))
        .optional()?;
    let Some(became) = became else { return Ok(None) };
    match object::find(connection, target.bucket, target.key) {
        Ok((id, record)) => Ok((id == became).then_some(record)),
        Err(BucketError::NoSuchKey | BucketError::NoSuchBucket) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Forgets uploads that nothing was added to since `before_ms`, and which objects uploads became before then.
pub(crate) fn expire(tx: &Transaction<'_>, before_ms: i64) -> Result<Freed, BucketError> {
    tx.execute("DELETE FROM completed WHERE done_ms < ?1", params![before_ms])?;
    let mut statement = tx.prepare_cached(
        "SELECT id FROM upload WHERE started_ms < ?1
         AND NOT EXISTS (SELECT 1 FROM part WHERE upload = id AND modified_ms >= ?1)",
    )?;
    let abandoned = statement
        .query_map(params![before_ms], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut blobs = Vec::new();
    for id in abandoned {
        blobs.extend(remove(tx, &id)?);
    }
    unnamed(tx, blobs)
}

fn remove(tx: &Transaction<'_>, id: &str) -> Result<Vec<u64>, BucketError> {
    let mut statement = tx.prepare_cached("SELECT blob FROM part WHERE upload = ?1")?;
    let blobs =
        statement.query_map(params![id], |row| unsigned(row, 0))?.collect::<Result<Vec<_>, _>>()?;
    tx.execute("DELETE FROM upload WHERE id = ?1", params![id])?;
    Ok(blobs)
}

impl Index {
    /// Uploads of `bucket` whose key starts with `prefix`, behind (`key`, `id`), by key and id.
    pub(crate) fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        after: (&str, &str),
        most: usize,
    ) -> Result<UploadPage, BucketError> {
        self.read(|connection| {
            bucket::require(connection, bucket)?;
            let end = super::list::successor(prefix.as_bytes());
            let mut statement = connection.prepare_cached(
                "SELECT id, key, started_ms, attributes, checksum FROM upload
                 WHERE bucket = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3) AND (key > ?4 OR (key = ?4 AND id > ?5))
                 ORDER BY key, id LIMIT ?6",
            )?;
            let rows = statement.query_map(
                params![bucket, prefix.as_bytes(), end, after.0.as_bytes(), after.1, limit(most + 1)],
                row,
            )?;
            let mut uploads = rows
                .map(|row| row.map_err(BucketError::from)?.record())
                .collect::<Result<Vec<_>, _>>()?;
            let more = uploads.len() > most;
            uploads.truncate(most);
            Ok(UploadPage { uploads, more })
        })
    }
}

/// As stored; [`RawUpload::record`] reads the JSON.
struct RawUpload {
    id: String,
    key: Vec<u8>,
    started_ms: i64,
    attributes: String,
    checksum: Option<String>,
}

fn row(row: &Row<'_>) -> rusqlite::Result<RawUpload> {
    Ok(RawUpload {
        id: row.get(0)?,
        key: row.get(1)?,
        started_ms: row.get(2)?,
        attributes: row.get(3)?,
        checksum: row.get(4)?,
    })
}

impl RawUpload {
    fn record(self) -> Result<UploadRecord, BucketError> {
        Ok(UploadRecord {
            id: self.id,
            key: text(self.key)?,
            started_ms: self.started_ms,
            attributes: from_json::<Attributes>(&self.attributes)?,
            checksum: self.checksum.as_deref().map(from_json).transpose()?,
        })
    }
}

/// A LIMIT; pages are never near what does not fit.
fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// The pieces of chosen parts.
pub(crate) fn pieces_of(parts: &[PartRecord]) -> Vec<Piece> {
    parts.iter().map(|part| Piece { blob: part.blob, size: part.size }).collect()
}
