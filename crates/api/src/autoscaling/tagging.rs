//! Tags of scalable targets: kept by the target's ARN, and gone with the target.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::arn::Scope;
use domain::scaling::{Refusal, Target, target_id_of_arn};
use domain::tag::Tags;
use store::record::Tagged;
use store::{Changes, State};

/// Keys that begin so are AWS's own, whatever their case.
const RESERVED: &str = "aws:";

/// Finds the target that an ARN names.
pub(super) fn target<'a>(
    state: &'a State,
    scope: &Scope,
    arn: &str,
) -> Result<&'a Arc<Target>, Refusal> {
    let missing = || Refusal::NothingToTag(arn.to_owned());
    let id = target_id_of_arn(scope, arn).ok_or_else(missing)?;
    state.targets.values().find(|target| target.id == id).ok_or_else(missing)
}

pub(super) fn of(state: &State, arn: &str) -> Tags {
    state.tagged.get(arn).map(|tagged| tagged.tags.clone()).unwrap_or_default()
}

/// These tags of the target of this ARN with more added.
pub(super) fn with(
    arn: &str,
    before: &Tags,
    more: BTreeMap<String, String>,
) -> Result<Tags, Refusal> {
    let reserved = |key: &String| {
        key.get(..RESERVED.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED))
    };
    if more.keys().any(reserved) {
        return Err(Refusal::ReservedTag);
    }
    before.with(more).map_err(|_| Refusal::TooManyTags(arn.to_owned()))
}

/// Keeps a target's tags; none leave no record.
pub(super) fn put(changes: Changes, arn: String, tags: Tags) -> Changes {
    if tags.0.is_empty() {
        changes.delete::<Tagged>(arn)
    } else {
        changes.put(Tagged { arn, tags })
    }
}
