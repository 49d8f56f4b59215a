//! What tests call operations with.

use std::collections::BTreeMap;
use std::sync::Arc;

use auth::Principal;
use domain::arn::Scope;
use domain::endpoint::Limits;
use domain::time::Clock;
use metrics::Metrics;
use store::MemoryStore;
use store::memory::Disk;

use crate::{Asked, Context, Still};

/// The root user's view of an empty server that runs up to eight instances. Its ids are drawn of nothing.
pub(crate) fn context(clock: Arc<dyn Clock>) -> Context {
    let scope = Scope { region: "us-east-1".into(), account: "000000000000".into() };
    Context {
        store: Arc::new(MemoryStore::open(Disk::default()).unwrap()),
        metrics: Arc::new(Metrics::in_memory(Arc::clone(&clock)).unwrap()),
        clock,
        caller: Principal {
            account: scope.account.clone(),
            arn: scope.root(),
            user_id: scope.account.clone(),
        },
        scope,
        asked: Asked::default(),
        grant: None,
        limits: Arc::new(Limits { instances: 8, by_type: BTreeMap::new() }),
        logs: Arc::new(logs::Empty),
        live: Arc::new(Still),
        entropy: Arc::new(|| 0),
        nudge: Arc::new(|| ()),
    }
}
