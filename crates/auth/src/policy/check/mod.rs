//! What a document of each kind must and must not contain, beyond JSON types.

mod identity;
mod trust;

pub(super) use identity::{
    check as check_identity, check_effects_case, check_elements, check_version,
};
pub(super) use trust::{check as check_trust, check_effects};
