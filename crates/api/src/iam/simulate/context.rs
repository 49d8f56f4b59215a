//! The context that a simulation is given.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use auth::policy::{Context, Document, Values};
use wire::iam::ContextEntry;

/// Keys that the caller's ARN answers.
const OF_CALLER: [&str; 5] =
    ["aws:username", "aws:userid", "aws:principalarn", "aws:principalaccount", "aws:principaltype"];

/// Values by key in lower case.
#[derive(Debug)]
pub(super) struct Given(BTreeMap<String, Vec<String>>);

impl Given {
    pub(super) fn new(entries: Vec<ContextEntry>) -> Self {
        let named = entries.into_iter().filter_map(|entry| {
            let key = entry.context_key_name?.to_lowercase();
            Some((key, entry.context_key_values.unwrap_or_default()))
        });
        Self(named.collect())
    }

    /// The keys that the policies ask for and that were not given.
    pub(super) fn missing<'a>(&self, documents: impl Iterator<Item = &'a Document>) -> Vec<String> {
        let asked: BTreeSet<&str> = documents.flat_map(Document::context_keys).collect();
        let missing = asked.into_iter().filter(|key| {
            let key = key.to_lowercase();
            !self.0.contains_key(&key) && !OF_CALLER.contains(&&*key)
        });
        missing.map(str::to_owned).collect()
    }
}

impl Context for Given {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        match self.0.get(key)?.as_slice() {
            [one] => Some(Values::from(one.as_str())),
            many => {
                Some(Values::Many(many.iter().map(|value| Cow::Borrowed(value.as_str())).collect()))
            }
        }
    }
}
