//! Sessions: temporary keys of a role or a user.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::NameKey;
use crate::tag::Tags;
use crate::time::Timestamp;

/// Whose permissions a session has. A user or role that was deleted and made anew has another id, so that the
/// sessions of the former are nobody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    Root,
    User { name: NameKey, id: String },
    Role { name: NameKey, id: String },
}

/// A temporary key, its token and what limits it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub access_key_id: String,
    pub secret: String,
    pub token: String,
    pub subject: Subject,
    /// `RoleSessionName`; empty in a user's session.
    pub name: String,
    /// The session policy that was given as text.
    pub policy: Option<String>,
    /// The session policies that were given by ARN.
    pub policy_arns: Vec<String>,
    /// Session tags.
    pub tags: Tags,
    /// Keys of the tags that a session assumed with this one inherits.
    pub transitive: BTreeSet<String>,
    pub source_identity: Option<String>,
    /// Wall time: `aws:TokenIssueTime`.
    pub issued_at: Timestamp,
    /// Wall time; from then on the session is over.
    pub expires_at: Timestamp,
}

impl Session {
    pub fn is_over(&self, wall: Timestamp) -> bool {
        wall >= self.expires_at
    }

    /// Whether session policies limit it further.
    pub fn has_policies(&self) -> bool {
        self.policy.is_some() || !self.policy_arns.is_empty()
    }
}

/// Secret and token do not show.
impl fmt::Debug for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Session")
            .field("access_key_id", &self.access_key_id)
            .field("subject", &self.subject)
            .field("name", &self.name)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
