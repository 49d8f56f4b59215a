//! Which keys there are, and which blobs hold their bytes: one SQLite file.
//!
//! Every change is one transaction with a full sync, so a key goes from its old object to its new one in a single step.
//! Keys are stored as bytes: their order is S3's, and nothing in them can mean anything to a file system.

pub(super) mod bucket;
pub(super) mod list;
pub(super) mod object;
pub(super) mod upload;

pub use list::{Cursor, Listed, Page, Query};
pub use upload::{Completion, UploadPage};

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use super::error::BucketError;
use super::fault::{Faults, Step};

/// The layout below; a database with another number is not touched.
const LAYOUT: i64 = 2;

const SCHEMA: &str = "
CREATE TABLE bucket (name TEXT PRIMARY KEY, created_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE object (
    id INTEGER PRIMARY KEY,
    bucket TEXT NOT NULL REFERENCES bucket (name),
    key BLOB NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified_ms INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    UNIQUE (bucket, key)
) STRICT;
CREATE TABLE piece (
    object INTEGER NOT NULL REFERENCES object (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    blob INTEGER NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (object, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX piece_blob ON piece (blob);
CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL REFERENCES bucket (name),
    key BLOB NOT NULL,
    started_ms INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    checksum TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_key ON upload (bucket, key, id);
CREATE TABLE part (
    upload TEXT NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    blob INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified_ms INTEGER NOT NULL,
    checksums TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX part_blob ON part (blob);
";

/// What layout 2 added: which object an upload became, for as long as that object is there.
const COMPLETED: &str = "
CREATE TABLE completed (
    upload TEXT PRIMARY KEY,
    object INTEGER NOT NULL REFERENCES object (id) ON DELETE CASCADE,
    done_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX completed_object ON completed (object);
";

/// The index file, behind one lock: changes are rare and short next to the uploads they finish.
#[derive(Debug)]
pub(super) struct Index {
    connection: Mutex<Connection>,
}

/// Blobs that nothing names any more once the transaction is through.
pub(super) type Freed = Vec<u64>;

impl Index {
    /// Opens the index, or makes it together with what `first` puts into it.
    pub(super) fn open(
        path: &Path,
        first: impl FnOnce(&Transaction<'_>) -> Result<(), BucketError>,
    ) -> Result<Self, BucketError> {
        let connection = Connection::open(path)?;
        // Nobody else has this file open (the data directory is locked), so waiting for a lock means something is wrong.
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(64);
        let layout: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let index = Self { connection: Mutex::new(connection) };
        match layout {
            LAYOUT => Ok(index),
            0 | 1 => {
                index.write(&Faults::default(), |tx| {
                    if layout == 0 {
                        tx.execute_batch(SCHEMA)?;
                    }
                    tx.execute_batch(COMPLETED)?;
                    if layout == 0 {
                        first(tx)?;
                    }
                    tx.pragma_update(None, "user_version", LAYOUT)?;
                    Ok(())
                })?;
                Ok(index)
            }
            other => Err(BucketError::Damaged {
                what: format!("the index has layout {other}, this program knows {LAYOUT}"),
            }),
        }
    }

    /// One transaction; nothing of it happened unless this returns `Ok`.
    pub(super) fn write<T>(
        &self,
        faults: &Faults,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, BucketError>,
    ) -> Result<T, BucketError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = change(&transaction)?;
        faults.at(Step::Commit)?;
        if let Err(why) = transaction.commit() {
            // It may lie whole in the log, where only its sync was missing: what is kept next is written over it. If that
            // fails too, the next change does it.
            drop(connection.pragma_update(None, "user_version", LAYOUT));
            return Err(why.into());
        }
        faults.at(Step::Committed)?;
        Ok(result)
    }

    /// A consistent look; `read` runs under the lock, so what it sees stays true until it returns.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, BucketError>,
    ) -> Result<T, BucketError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        read(&connection)
    }

    /// Moves all changes from the log to where they belong, and gives the log's room back. A failure leaves them in the log,
    /// where they are as safe.
    pub(super) fn shrink_log(&self) {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        {
            tracing::warn!(%error, "cannot shrink the index's log");
        }
    }

    /// Every blob that an object or a part names.
    pub(super) fn named_blobs(&self) -> Result<HashSet<u64>, BucketError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT blob FROM piece UNION SELECT blob FROM part")?;
            let blobs =
                statement.query_map([], |row| unsigned(row, 0))?.collect::<Result<_, _>>()?;
            Ok(blobs)
        })
    }
}

/// Of `blobs`, those that neither an object nor a part names.
fn unnamed(tx: &Connection, mut blobs: Vec<u64>) -> Result<Freed, BucketError> {
    blobs.sort_unstable();
    blobs.dedup();
    let mut statement = tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM piece WHERE blob = ?1) OR EXISTS (SELECT 1 FROM part WHERE blob = ?1)",
    )?;
    let mut freed = Vec::new();
    for blob in blobs {
        let named: bool = statement.query_row(params![signed(blob)?], |row| row.get(0))?;
        if !named {
            freed.push(blob);
        }
    }
    Ok(freed)
}

/// SQLite's integers are signed; no size or blob number comes near the difference.
fn signed(value: u64) -> Result<i64, BucketError> {
    i64::try_from(value)
        .map_err(|_| BucketError::Damaged { what: format!("{value} is not a size") })
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

fn text(bytes: Vec<u8>) -> Result<String, BucketError> {
    String::from_utf8(bytes)
        .map_err(|_| BucketError::Damaged { what: "a key is not UTF-8".to_owned() })
}

fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, BucketError> {
    serde_json::from_str(json)
        .map_err(|error| BucketError::Damaged { what: format!("a record cannot be read: {error}") })
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, BucketError> {
    serde_json::to_string(value).map_err(|error| BucketError::Damaged {
        what: format!("a record cannot be written: {error}"),
    })
}
