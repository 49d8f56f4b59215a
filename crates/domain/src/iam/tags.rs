//! Tags of users, roles and policies: their keys are one without regard to case.

use std::collections::BTreeSet;

use super::Refusal;
use crate::tag::{TAGS_MAX, Tags};

/// Keys that begin so are AWS's own, whatever their case.
const RESERVED: &str = "aws:";

/// These tags with more added. `quota` is what AWS calls the limit: `TagsPerUser`.
pub fn tagged(
    before: &Tags,
    more: impl IntoIterator<Item = (String, String)>,
    quota: &'static str,
) -> Result<Tags, Refusal> {
    let mut added = BTreeSet::new();
    let mut tags = before.clone();
    for (key, value) in more {
        let lower = key.to_lowercase();
        if lower.starts_with(RESERVED) {
            return Err(Refusal::ReservedTag);
        }
        tags.0.retain(|known, _| known.to_lowercase() != lower);
        tags.0.insert(key, value);
        if !added.insert(lower) {
            return Err(Refusal::DuplicateTag);
        }
    }
    if tags.0.len() > TAGS_MAX { Err(Refusal::quota(quota, TAGS_MAX)) } else { Ok(tags) }
}

/// These tags less the named keys; a key that is not there is no error.
pub fn untagged(before: &Tags, keys: &[String]) -> Tags {
    let keys: Vec<String> = keys.iter().map(|key| key.to_lowercase()).collect();
    let mut tags = before.clone();
    tags.0.retain(|key, _| !keys.contains(&key.to_lowercase()));
    tags
}
