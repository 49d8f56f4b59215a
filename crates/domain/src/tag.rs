//! Tags of a resource (`reference/sagemaker-hosting.md`, section 1: at most 50, added by key).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many tags one resource may carry.
pub const TAGS_MAX: usize = 50;

/// A resource's tags by key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub BTreeMap<String, String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a resource has at most {TAGS_MAX} tags")]
pub struct TooManyTags;

impl Tags {
    /// These tags with `more` added; a key that is there already takes the new value.
    pub fn with(
        &self,
        more: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, TooManyTags> {
        let mut tags = self.0.clone();
        tags.extend(more);
        if tags.len() > TAGS_MAX { Err(TooManyTags) } else { Ok(Self(tags)) }
    }

    /// These tags less the named keys; a key that is not there is no error.
    #[must_use]
    pub fn without(&self, keys: &[String]) -> Self {
        let mut tags = self.0.clone();
        tags.retain(|key, _| !keys.contains(key));
        Self(tags)
    }
}
