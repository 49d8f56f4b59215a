//! What is being done, for those who watch. It is forgotten with the server: the record says how far things are.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::name::EndpointKey;

/// The last line of each safe update under way.
#[derive(Debug, Default)]
pub(crate) struct Doing(Mutex<BTreeMap<EndpointKey, String>>);

impl Doing {
    pub(crate) fn of(&self, endpoint: &EndpointKey) -> Option<String> {
        self.lines().get(endpoint).cloned()
    }

    pub(super) fn tell(&self, endpoint: &EndpointKey, line: &str) {
        self.lines().insert(endpoint.clone(), line.to_owned());
    }

    pub(super) fn forget(&self, endpoint: &EndpointKey) {
        self.lines().remove(endpoint);
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<EndpointKey, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
