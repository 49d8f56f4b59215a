//! A store that forgets when its last handle goes: for the simulator and for tests. It passes the same suite.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::{Engine, Journal, TakeRow};
use crate::record::Row;
use crate::{Decision, Error, State, Store};

/// Versions and bodies by kind and key.
type Rows = BTreeMap<(String, String), (u32, Vec<u8>)>;

/// What outlives a [`MemoryStore`]: opening another on it stands for a restart.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    rows: Arc<Mutex<Rows>>,
    full: Arc<AtomicBool>,
}

impl Disk {
    /// While set, nothing more can be kept.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub struct MemoryStore(Engine);

impl MemoryStore {
    pub fn open(disk: Disk) -> Result<Self, Error> {
        Engine::start(disk).map(Self)
    }
}

impl Store for MemoryStore {
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

impl Journal for Disk {
    fn load(&mut self, each: &mut TakeRow<'_>) -> Result<(), Error> {
        self.rows().iter().try_for_each(|((kind, _), (version, body))| each(kind, *version, body))
    }

    /// What fails here leaves nothing.
    fn settle(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn commit(&mut self, rows: &[Row]) -> Result<(), Error> {
        if self.full.load(Ordering::SeqCst) {
            return Err(Error::Full);
        }
        let mut kept = self.rows();
        for row in rows {
            let key = (row.kind.to_owned(), row.key.clone());
            match &row.body {
                Some(body) => kept.insert(key, body.clone()),
                None => kept.remove(&key),
            };
        }
        Ok(())
    }
}
