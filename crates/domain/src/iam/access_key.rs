//! Access keys: two per user, active or not.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{NameKey, Refusal};
use crate::time::Timestamp;

/// Keys that a user has at most.
pub const ACCESS_KEYS_MAX: usize = 2;

/// Whose a long-term key is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Owner {
    /// The account's root user.
    Root,
    User(NameKey),
}

/// Whether a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    Active,
    Inactive,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
    pub owner: Owner,
    pub status: Status,
    /// Server time.
    pub created_at: Timestamp,
}

impl AccessKey {
    /// Refuses the key that would be one too many; `held` is how many the owner has.
    pub fn admit(held: usize) -> Result<(), Refusal> {
        if held < ACCESS_KEYS_MAX {
            Ok(())
        } else {
            Err(Refusal::quota("AccessKeysPerUser", ACCESS_KEYS_MAX))
        }
    }

    pub fn is_active(&self) -> bool {
        self.status == Status::Active
    }
}

/// The secret does not show.
impl fmt::Debug for AccessKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("AccessKey")
            .field("id", &self.id)
            .field("owner", &self.owner)
            .field("status", &self.status)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

/// When a key or a role was last used, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUsed {
    /// The key's id, or the role's unique id.
    pub of: String,
    /// Wall time, as the signature has it.
    pub at: Timestamp,
    /// The service's signing name.
    pub service: String,
    pub region: String,
}
