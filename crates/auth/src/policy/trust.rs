//! Who may take a role on, by the role's trust policy.

use super::arn::Arn;
use super::context::CallerKind;
use super::document::Document;
use super::evaluate::{
    Cause, Decision, Found, Layer, Policies, Request, Why, denial, evaluate, evaluate_bounds,
};
use super::principal::{Cover, cover};
use super::statement::Effect;

/// What a trust policy says of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Trust {
    /// It names the caller, or the role whose session the caller is.
    Granted,
    /// It names the caller's account; the caller's own policies must allow it as well.
    GrantedToAccount,
    Denied(Why),
}

/// Asks a role's trust policy. `request.resources` do not matter: the policy is about the role that it belongs to.
pub fn evaluate_trust(policy: &Document, request: &Request<'_>) -> Trust {
    match grant(policy, request) {
        Ok(Cover::Itself | Cover::Role) => Trust::Granted,
        Ok(Cover::Account) => Trust::GrantedToAccount,
        Err(cause) => Trust::Denied(Why { cause, resource: 0 }),
    }
}

/// Whether a caller may take a role on: by the role's trust policy and the caller's own policies, whose explicit denials
/// always count. `request.resources` is the role.
///
/// What else counts depends on whom the trust policy names (the user guide's page "Policy evaluation logic", resource-based
/// policies within one account): a user, one session or everybody needs nothing more; a role is bounded by the boundary and
/// the session policies of its session; the account leaves it to all of the caller's policies.
pub fn evaluate_assumption(
    trust: &Document,
    policies: &Policies<'_>,
    request: &Request<'_>,
) -> Decision {
    let cover = match grant(trust, request) {
        Ok(cover) => cover,
        Err(cause) => return Decision::Denied(Why { cause, resource: 0 }),
    };
    match cover {
        Cover::Account => evaluate(policies, request),
        Cover::Itself => denial(policies, request).map_or(Decision::Allowed, Decision::Denied),
        Cover::Role => denial(policies, request)
            .map_or_else(|| evaluate_bounds(policies, request), Decision::Denied),
    }
}

/// How the trust policy covers the caller, as widely as it does, or why it does not.
fn grant(policy: &Document, request: &Request<'_>) -> Result<Cover, Cause> {
    let facts = request.facts();
    let mut granted = None;
    for (place, statement) in policy.candidates(&request.action) {
        let Some(covered) = cover(&statement.principals, &request.caller) else { continue };
        if !statement.applies(&request.action, &Arn::ANY, &facts) {
            continue;
        }
        match statement.effect {
            Effect::Deny => {
                return Err(Cause::Explicit(Found {
                    layer: Layer::Trust,
                    policy: 0,
                    statement: place,
                }));
            }
            Effect::Allow => granted = granted.max(Some(covered)),
        }
    }
    match granted.ok_or(Cause::Implicit(Layer::Trust))? {
        Cover::Account if request.caller.kind == CallerKind::Root => Ok(Cover::Itself),
        covered => Ok(covered),
    }
}
