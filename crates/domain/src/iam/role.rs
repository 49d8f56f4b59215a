//! Roles: who may assume one, for how long, and what it may do then.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Grants, NameKey, Refusal, SERVICE_ROLE_PATH, arn, characters, unique_id};
use crate::arn::Scope;
use crate::tag::Tags;
use crate::time::Timestamp;

/// How long a role's sessions may be made to last; the least is what a role has that does not say.
pub const SESSION_SECS: RangeInclusive<u32> = 3_600..=43_200;

/// Characters of a trust policy. AWS's quota begins there.
pub const TRUST_CHARACTERS_MAX: usize = 2_048;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    /// Begins and ends with a slash.
    pub path: String,
    /// `AROA…`: another for a role that is deleted and made anew.
    pub id: String,
    /// Server time.
    pub created_at: Timestamp,
    /// The trust policy: who may assume it.
    pub trust: String,
    pub description: Option<String>,
    pub max_session_secs: u32,
    pub tags: Tags,
    /// The ARN of the managed policy that is its permissions boundary.
    pub boundary: Option<String>,
    pub grants: Grants,
}

impl Role {
    pub fn new(name: String, path: String, trust: String, entropy: u128, now: Timestamp) -> Self {
        Self {
            name,
            path,
            id: unique_id("AROA", entropy),
            created_at: now,
            trust,
            description: None,
            max_session_secs: *SESSION_SECS.start(),
            tags: Tags::default(),
            boundary: None,
            grants: Grants::default(),
        }
    }

    pub fn key(&self) -> NameKey {
        NameKey::new(&self.name)
    }

    pub fn arn(&self, scope: &Scope) -> String {
        arn(&scope.account, "role", &self.path, &self.name)
    }

    /// The ARN of a session of this role. It has no path.
    pub fn session_arn(&self, scope: &Scope, session: &str) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/{session}", scope.account, self.name)
    }

    /// Whether a service made it, and only a service changes it.
    pub fn is_service_linked(&self) -> bool {
        self.path.starts_with(SERVICE_ROLE_PATH)
    }

    /// Refuses changes of a role that is a service's.
    pub fn admit_change(&self) -> Result<(), Refusal> {
        if self.is_service_linked() { Err(Refusal::Protected(self.name.clone())) } else { Ok(()) }
    }

    pub fn admit_deletion(&self) -> Result<(), Refusal> {
        self.admit_change()?;
        self.grants.admit_deletion()
    }

    /// Refuses a trust policy that is too long.
    pub fn admit_trust(trust: &str) -> Result<(), Refusal> {
        if characters(trust) <= TRUST_CHARACTERS_MAX {
            return Ok(());
        }
        Err(Refusal::quota("ACLSizePerRole", TRUST_CHARACTERS_MAX))
    }
}
