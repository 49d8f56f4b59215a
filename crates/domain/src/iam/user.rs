//! Users.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{AccessKey, Grants, NameKey, Refusal, arn, unique_id};
use crate::arn::Scope;
use crate::tag::Tags;
use crate::time::Timestamp;

/// Groups that a user may be in.
pub const GROUPS_MAX: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    /// Begins and ends with a slash.
    pub path: String,
    /// `AIDA…`: another for a user that is deleted and made anew.
    pub id: String,
    /// Server time.
    pub created_at: Timestamp,
    pub tags: Tags,
    /// The ARN of the managed policy that is its permissions boundary.
    pub boundary: Option<String>,
    pub grants: Grants,
    pub groups: BTreeSet<NameKey>,
    /// Ids of its access keys.
    pub access_keys: BTreeSet<String>,
}

impl User {
    pub fn new(name: String, path: String, entropy: u128, now: Timestamp) -> Self {
        Self {
            name,
            path,
            id: unique_id("AIDA", entropy),
            created_at: now,
            tags: Tags::default(),
            boundary: None,
            grants: Grants::default(),
            groups: BTreeSet::new(),
            access_keys: BTreeSet::new(),
        }
    }

    pub fn key(&self) -> NameKey {
        NameKey::new(&self.name)
    }

    pub fn arn(&self, scope: &Scope) -> String {
        arn(&scope.account, "user", &self.path, &self.name)
    }

    /// In one group more; a group that it is in already stays.
    pub fn join(&self, group: NameKey) -> Result<Self, Refusal> {
        let mut user = self.clone();
        user.groups.insert(group);
        if user.groups.len() <= GROUPS_MAX {
            Ok(user)
        } else {
            Err(Refusal::quota("GroupsPerUser", GROUPS_MAX))
        }
    }

    /// Out of a group; one that it is not in is no error.
    #[must_use]
    pub fn leave(&self, group: &NameKey) -> Self {
        let mut user = self.clone();
        user.groups.remove(group);
        user
    }

    /// With one key more.
    pub fn hold(&self, access_key_id: String) -> Result<Self, Refusal> {
        AccessKey::admit(self.access_keys.len())?;
        let mut user = self.clone();
        user.access_keys.insert(access_key_id);
        Ok(user)
    }

    /// Refuses the deletion of a user that has something yet.
    pub fn admit_deletion(&self) -> Result<(), Refusal> {
        if !self.groups.is_empty() {
            return Err(Refusal::InGroups);
        }
        self.grants.admit_deletion()?;
        if self.access_keys.is_empty() { Ok(()) } else { Err(Refusal::HasAccessKeys) }
    }
}
