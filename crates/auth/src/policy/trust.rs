//! Who may take a role on, by the role's trust policy.

use super::arn::Arn;
use super::context::CallerKind;
use super::document::Document;
use super::evaluate::{Cause, Found, Layer, Request, Why};
use super::principal::{Cover, cover};
use super::statement::Effect;

/// What a trust policy says of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Trust {
    /// It names the caller; within one account nothing else is needed, unless another policy denies it explicitly.
    Granted,
    /// It names the caller's account; the caller's own policies must allow it as well.
    GrantedToAccount,
    Denied(Why),
}

/// Asks a role's trust policy. `request.resources` do not matter: the policy is about the role that it belongs to.
pub fn evaluate_trust(policy: &Document, request: &Request<'_>) -> Trust {
    let facts = request.facts();
    let mut granted = None;
    for (place, statement) in policy.candidates(&request.action) {
        let Some(covered) = cover(&statement.principals, &request.caller) else { continue };
        if !statement.applies(&request.action, &Arn::ANY, &facts) {
            continue;
        }
        match statement.effect {
            Effect::Deny => {
                let found = Found { layer: Layer::Trust, policy: 0, statement: place };
                return Trust::Denied(Why { cause: Cause::Explicit(found), resource: 0 });
            }
            Effect::Allow => granted = granted.max(Some(covered)),
        }
    }
    let is_root = request.caller.kind == CallerKind::Root;
    match granted {
        Some(Cover::Itself) => Trust::Granted,
        Some(Cover::Account) if is_root => Trust::Granted,
        Some(Cover::Account) => Trust::GrantedToAccount,
        None => Trust::Denied(Why { cause: Cause::Implicit(Layer::Trust), resource: 0 }),
    }
}
