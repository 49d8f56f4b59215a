//! Groups. Who is in one, the users' records say.

use serde::{Deserialize, Serialize};

use super::{Grants, NameKey, arn, unique_id};
use crate::arn::Scope;
use crate::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub name: String,
    /// Begins and ends with a slash.
    pub path: String,
    /// `AGPA…`.
    pub id: String,
    /// Server time.
    pub created_at: Timestamp,
    pub grants: Grants,
}

impl Group {
    pub fn new(name: String, path: String, entropy: u128, now: Timestamp) -> Self {
        Self {
            name,
            path,
            id: unique_id("AGPA", entropy),
            created_at: now,
            grants: Grants::default(),
        }
    }

    pub fn key(&self) -> NameKey {
        NameKey::new(&self.name)
    }

    pub fn arn(&self, scope: &Scope) -> String {
        arn(&scope.account, "group", &self.path, &self.name)
    }
}
