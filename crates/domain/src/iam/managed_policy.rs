//! Managed policies and their versions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{NameKey, Refusal, arn, characters, unique_id};
use crate::arn::Scope;
use crate::tag::Tags;
use crate::time::Timestamp;

/// Versions that a policy has at most.
pub const VERSIONS_MAX: usize = 5;

/// Characters of one version, white space not counted.
pub const MANAGED_POLICY_CHARACTERS_MAX: usize = 6_144;

/// One version of a policy's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub document: String,
    /// Server time.
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedPolicy {
    pub name: String,
    /// Begins and ends with a slash.
    pub path: String,
    /// `ANPA…`.
    pub id: String,
    pub description: Option<String>,
    /// Server time.
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub tags: Tags,
    /// By number: 1 is `v1`. Numbers of deleted versions do not come again.
    pub versions: BTreeMap<u32, Version>,
    /// The one that counts.
    pub default: u32,
    /// The number of the version that was made last.
    pub last: u32,
    /// Whether it is AWS's own, which nobody changes.
    pub aws: bool,
}

impl ManagedPolicy {
    pub fn new(
        name: String,
        path: String,
        document: String,
        entropy: u128,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        admit(&document)?;
        Ok(Self {
            name,
            path,
            id: unique_id("ANPA", entropy),
            description: None,
            created_at: now,
            updated_at: now,
            tags: Tags::default(),
            versions: BTreeMap::from([(1, Version { document, created_at: now })]),
            default: 1,
            last: 1,
            aws: false,
        })
    }

    pub fn key(&self) -> NameKey {
        NameKey::new(&self.name)
    }

    pub fn arn(&self, scope: &Scope) -> String {
        arn(if self.aws { "aws" } else { &scope.account }, "policy", &self.path, &self.name)
    }

    /// Whether it is for service-linked roles only.
    pub fn is_for_services(&self) -> bool {
        self.aws && self.path.starts_with(super::SERVICE_ROLE_PATH)
    }

    /// The text that counts.
    pub fn document(&self) -> &str {
        // A policy is made with a version, and the default one cannot be deleted.
        self.versions.get(&self.default).map_or("", |version| &version.document)
    }

    /// With one version more, and its number.
    pub fn with_version(
        &self,
        document: String,
        default: bool,
        now: Timestamp,
    ) -> Result<(Self, u32), Refusal> {
        admit(&document)?;
        if self.versions.len() >= VERSIONS_MAX {
            return Err(Refusal::TooManyVersions);
        }
        let mut policy = self.clone();
        policy.last += 1;
        policy.versions.insert(policy.last, Version { document, created_at: now });
        policy.updated_at = now;
        if default {
            policy.default = policy.last;
        }
        let number = policy.last;
        Ok((policy, number))
    }

    /// The version that `v3` names.
    pub fn version(&self, scope: &Scope, id: &str) -> Result<(u32, &Version), Refusal> {
        let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
        let found = number.and_then(|number| Some((number, self.versions.get(&number)?)));
        found.ok_or_else(|| Refusal::NoVersion { arn: self.arn(scope), version: id.to_owned() })
    }

    /// With another version as the one that counts.
    pub fn with_default(&self, scope: &Scope, id: &str, now: Timestamp) -> Result<Self, Refusal> {
        let (number, _) = self.version(scope, id)?;
        Ok(Self { default: number, updated_at: now, ..self.clone() })
    }

    /// Without one of the versions that do not count.
    pub fn without_version(
        &self,
        scope: &Scope,
        id: &str,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let (number, _) = self.version(scope, id)?;
        if number == self.default {
            return Err(Refusal::DefaultVersion);
        }
        let mut policy = Self { updated_at: now, ..self.clone() };
        policy.versions.remove(&number);
        Ok(policy)
    }

    /// Refuses the deletion of a policy that is in use or has other versions yet.
    pub fn admit_deletion(&self, in_use: bool) -> Result<(), Refusal> {
        if in_use {
            return Err(Refusal::PolicyInUse);
        }
        if self.versions.len() > 1 { Err(Refusal::HasVersions) } else { Ok(()) }
    }
}

fn admit(document: &str) -> Result<(), Refusal> {
    if characters(document) <= MANAGED_POLICY_CHARACTERS_MAX {
        return Ok(());
    }
    Err(Refusal::quota("PolicySize", MANAGED_POLICY_CHARACTERS_MAX))
}
