//! What a user, group or role is granted by: policies of its own, and attached ones.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Refusal, characters};

/// Managed policies that may be attached to one user, group or role.
pub const ATTACHED_MAX: usize = 10;

/// What holds policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    User,
    Group,
    Role,
}

impl Holder {
    /// As AWS's texts and ARNs name it.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
        }
    }

    /// At the beginning of a sentence, or within the name of a quota.
    pub const fn capitalized(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Role => "Role",
        }
    }

    /// Characters of all its inline policies together.
    pub const fn inline_characters_max(self) -> usize {
        match self {
            Self::User => 2_048,
            Self::Group => 5_120,
            Self::Role => 10_240,
        }
    }
}

/// The policies of one holder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grants {
    /// Texts by name; names keep their case and differ by it.
    pub inline: BTreeMap<String, String>,
    /// ARNs of managed policies.
    pub attached: BTreeSet<String>,
}

impl Grants {
    /// With an inline policy put in or replaced; `whose` is the holder's name.
    pub fn put(
        &self,
        holder: Holder,
        whose: &str,
        name: String,
        document: String,
    ) -> Result<Self, Refusal> {
        let mut grants = self.clone();
        grants.inline.insert(name, document);
        let sum: usize = grants.inline.values().map(|text| characters(text)).sum();
        let max = holder.inline_characters_max();
        if sum > max {
            return Err(Refusal::InlineTooLong { holder, name: whose.to_owned(), max });
        }
        Ok(grants)
    }

    /// The text of an inline policy.
    pub fn inline(&self, holder: Holder, name: &str) -> Result<&str, Refusal> {
        let found = self.inline.get(name).map(String::as_str);
        found.ok_or_else(|| Refusal::NoInlinePolicy { holder, name: name.to_owned() })
    }

    /// Without one of its inline policies.
    pub fn delete(&self, holder: Holder, name: &str) -> Result<Self, Refusal> {
        self.inline(holder, name)?;
        let mut grants = self.clone();
        grants.inline.remove(name);
        Ok(grants)
    }

    /// With a managed policy attached; one that is attached already stays so.
    pub fn attach(&self, holder: Holder, arn: String) -> Result<Self, Refusal> {
        let mut grants = self.clone();
        grants.attached.insert(arn);
        if grants.attached.len() <= ATTACHED_MAX {
            return Ok(grants);
        }
        Err(Refusal::quota(
            match holder {
                Holder::User => "PoliciesPerUser",
                Holder::Group => "PoliciesPerGroup",
                Holder::Role => "PoliciesPerRole",
            },
            ATTACHED_MAX,
        ))
    }

    /// Without a managed policy.
    pub fn detach(&self, arn: &str) -> Result<Self, Refusal> {
        let mut grants = self.clone();
        if grants.attached.remove(arn) {
            Ok(grants)
        } else {
            Err(Refusal::NoPolicy(arn.to_owned()))
        }
    }

    /// Refuses the deletion of a holder that has policies yet.
    pub fn admit_deletion(&self) -> Result<(), Refusal> {
        if !self.attached.is_empty() {
            return Err(Refusal::PoliciesAttached);
        }
        if self.inline.is_empty() { Ok(()) } else { Err(Refusal::PoliciesInline) }
    }
}
