//! The state that every schedule begins with, and the way back to it.

use std::sync::Arc;

use store::memory::Disk;
use store::record::Record;
use store::{Changes, MemoryStore, State, Store, Table};

use crate::world::Fault;

/// Does something with every table that there is, but for the counters and the time.
macro_rules! tables {
    ($each:ident!($($given:tt)*)) => {
        $each!($($given)*; models, endpoint_configs, endpoints, targets, policies, scheduled_actions, activities,
            alarms, alarm_history, tagged, users, groups, roles, managed_policies, access_keys, sessions, last_used,
            deletion_tasks, safe_updates)
    };
}

macro_rules! all_same {
    ($one:ident, $other:ident; $($table:ident),+) => { $(alike(&$one.$table, &$other.$table))&&+ };
}

macro_rules! all_back {
    ($changes:ident, $now:ident, $base:ident; $($table:ident),+) => {
        $(let $changes = back($changes, &$now.$table, &$base.$table);)+
    };
}

/// Whether the same is kept in both.
pub fn same(one: &State, other: &State) -> bool {
    one.last_deployment() == other.last_deployment() && tables!(all_same!(one, other))
}

/// What makes one state the same as another, but for the number of the last deployment.
pub fn difference(of: &State, to: &State) -> Changes {
    let changes = Changes::none();
    tables!(all_back!(changes, of, to));
    changes
}

#[derive(Debug)]
pub(super) struct Base {
    store: Arc<dyn Store>,
    state: Arc<State>,
    /// A state whose next deployment gets the number that the last one of the base has.
    before_last_deployment: Arc<State>,
}

impl Base {
    pub(super) async fn of(store: Arc<dyn Store>) -> Result<Self, Fault> {
        let state = store.state();
        let counting = MemoryStore::open(Disk::default()).map_err(Fault::of)?;
        for _ in 1..state.last_deployment() {
            let counted =
                counting.submit(Box::new(|state| Changes::none().count_deployment(state)));
            counted.await.map_err(Fault::of)?;
        }
        Ok(Self { store, state, before_last_deployment: counting.state() })
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Makes the state what it was. Records that were changed are put back, as equals.
    pub(super) async fn restore(&mut self) -> Result<(), Fault> {
        let (now, base) = (self.store.state(), &self.state);
        let changes = difference(&now, base);
        let changes = if now.last_deployment() == base.last_deployment() {
            changes
        } else {
            changes.count_deployment(&self.before_last_deployment)
        };
        self.store.submit(Box::new(move |_| changes)).await.map_err(Fault::of)?;
        let now = self.store.state();
        if !same(&now, &self.state) {
            return Err(Fault("the state was not restored".into()));
        }
        self.state = now;
        Ok(())
    }
}

/// Whether two tables have equal records. Most are the very same.
fn alike<R: Record + PartialEq>(one: &Table<R>, other: &Table<R>) -> bool {
    let mut both = one.iter().zip(other);
    one.size() == other.size()
        && both.all(|((key, record), (other_key, other))| {
            key == other_key && (Arc::ptr_eq(record, other) || record == other)
        })
}

fn back<R: Record + Clone>(changes: Changes, now: &Table<R>, base: &Table<R>) -> Changes {
    let new = now.keys().filter(|key| !base.contains_key(key));
    let changes = new.fold(changes, |changes, key| changes.delete::<R>(key.clone()));
    let kept = |key: &R::Key, record: &Arc<R>| {
        now.get(key).is_some_and(|present| Arc::ptr_eq(present, record))
    };
    let lost = base.iter().filter(|(key, record)| !kept(key, record));
    lost.fold(changes, |changes, (_, record)| changes.put(R::clone(record)))
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! count {
        ($state:ident; $($table:ident),+) => { [$($state.$table.size()),+].len() };
    }

    /// Tables that nobody but the store can see: `counters`, which are looked after, `time`, which no call changes, and three
    /// of the same records in another order.
    const HIDDEN: usize = 5;

    #[test]
    fn no_table_is_forgotten() {
        let state = State::default();
        let shown = format!("{state:?}");
        let tables = shown.matches(": RedBlackTreeMap").count();
        assert_eq!(tables!(count!(state)) + HIDDEN, tables, "{shown}");
    }
}
