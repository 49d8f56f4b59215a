//! Rows in one SQLite database: write-ahead log, full sync, one connection.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use rusqlite::{Connection, params};

use crate::engine::{Engine, Journal, TakeRow};
use crate::record::Row;
use crate::{Decision, Error, State, Store};

/// Marks a database as Tidegate's ("tide" in ASCII), so that another program's is not written to by mistake.
const APPLICATION_ID: i32 = 0x7469_6465;

/// The layout of the tables; records have versions of their own.
const LAYOUT: i32 = 1;

/// A store in a file.
#[derive(Debug)]
pub struct SqliteStore(Engine);

impl SqliteStore {
    /// Opens the database, and makes it if it is not there. Blocks until its records are in memory.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let journal = SqliteJournal::open(path)
            .map_err(|why| Error::Read(format!("{}: {why}", path.display())))?;
        Engine::start(journal).map(Self)
    }
}

impl Store for SqliteStore {
    fn state(&self) -> Arc<State> {
        self.0.state()
    }

    fn submit(
        &self,
        decision: Decision,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        self.0.submit(decision)
    }
}

struct SqliteJournal(Connection);

#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("this is the database of another program")]
    Foreign,
    #[error("layout {0} was written by a newer tidegate")]
    Newer(i32),
}

impl SqliteJournal {
    fn open(path: &Path) -> Result<Self, Unusable> {
        let connection = Connection::open(path)?;
        let pragma =
            |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let fresh = pragma("schema_version")? == 0;
        if !fresh && pragma("application_id")? != APPLICATION_ID {
            return Err(Unusable::Foreign);
        }
        match pragma("user_version")? {
            newer if newer > LAYOUT => return Err(Unusable::Newer(newer)),
            _ => connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?,
        }
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // Both numbers come with the table: a file that has one without the others would be taken for another program's.
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             CREATE TABLE IF NOT EXISTS record (
                 kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
                 PRIMARY KEY (kind, key)
             ) WITHOUT ROWID, STRICT;
             PRAGMA application_id = {APPLICATION_ID};
             PRAGMA user_version = {LAYOUT};
             COMMIT;",
        ))?;
        Ok(Self(connection))
    }

    fn try_commit(&mut self, rows: &[Row]) -> rusqlite::Result<()> {
        let transaction = self.0.transaction()?;
        for row in rows {
            match &row.body {
                Some((version, body)) => transaction
                    .prepare_cached("INSERT OR REPLACE INTO record (kind, key, version, body) VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![row.kind, row.key, version, body])?,
                None => transaction
                    .prepare_cached("DELETE FROM record WHERE kind = ?1 AND key = ?2")?
                    .execute(params![row.kind, row.key])?,
            };
        }
        transaction.commit()
    }
}

impl Journal for SqliteJournal {
    fn load(&mut self, each: &mut TakeRow<'_>) -> Result<(), Error> {
        let unreadable = |why: rusqlite::Error| Error::Read(why.to_string());
        let mut query =
            self.0.prepare("SELECT kind, version, body FROM record").map_err(unreadable)?;
        let mut rows = query.query([]).map_err(unreadable)?;
        while let Some(row) = rows.next().map_err(unreadable)? {
            let kind: String = row.get(0).map_err(unreadable)?;
            let version: u32 = row.get(1).map_err(unreadable)?;
            let body: Vec<u8> = row.get(2).map_err(unreadable)?;
            each(&kind, version, &body)?;
        }
        Ok(())
    }

    fn commit(&mut self, rows: &[Row]) -> Result<(), Error> {
        self.try_commit(rows).map_err(|why| match why.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Error::Full,
            _ => Error::Disk(why.to_string()),
        })
    }

    /// What failed may lie whole in the log, where only its sync was missing: the next commit is written over it.
    fn settle(&mut self) -> Result<(), Error> {
        self.0
            .pragma_update(None, "user_version", LAYOUT)
            .map_err(|why| Error::Disk(why.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_programs_database_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("other.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
        let error = SqliteStore::open(&path).unwrap_err().to_string();
        assert!(error.contains("another program"), "{error}");
    }

    #[test]
    fn a_newer_layout_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        drop(SqliteStore::open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", LAYOUT + 1).unwrap();
        let error = SqliteStore::open(&path).unwrap_err().to_string();
        assert!(error.contains("newer"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_database_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        std::fs::write(&path, "not a database, and long enough to be looked at as one ".repeat(20))
            .unwrap();
        assert!(SqliteStore::open(&path).is_err());
    }
}
