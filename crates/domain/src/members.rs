//! A request's members as they were given, kept whole so that a Describe call can give every one of them back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The members of a Create request, by their names on the wire, in the JSON form of AWS's protocols.
///
/// The domain reads from it only what it acts upon; what it does not understand still comes back (promise S5).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Members(pub Map<String, Value>);

impl Members {
    /// The member at a path of names; nothing where one is absent or null.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        let mut value = self.0.get(*first)?;
        for name in rest {
            value = value.get(name)?;
        }
        (!value.is_null()).then_some(value)
    }

    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str()
    }
}
