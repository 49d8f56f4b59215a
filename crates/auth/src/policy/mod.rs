//! What a caller may do: AWS's policy language, parsed into a form that is quick to evaluate, and its evaluation.
//!
//! Text in, verdict out. Nothing here reads a clock, looks a user up or knows which operation needs which action: the
//! caller of [`evaluate()`] brings the policies that apply, the action, the resources and a lookup of condition keys.
//! Rules and texts: `reference/autoscaling-and-cloudwatch.md`, sections 8.1 to 8.5. Why this is our own code and not a
//! library's: `docs/decisions/0005-policies.md`.
//!
//! Parsing ([`Document::parse`]) happens when a policy is stored; evaluation on every request, without allocation as
//! long as the request is allowed and its context answers with borrowed values.

mod action;
mod arn;
mod check;
mod condition;
mod context;
mod denied;
mod document;
mod element;
mod evaluate;
mod json;
mod malformed;
mod pattern;
mod principal;
mod size;
mod statement;
mod trust;

#[cfg(test)]
mod tests;

pub use action::Action;
pub use arn::Arn;
pub use context::{Caller, CallerKind, Context, Values};
pub use denied::Refusal;
pub use document::{Document, Kind, Position};
pub use evaluate::{Cause, Decision, Found, Layer, Policies, Request, Why, evaluate, matching};
pub use malformed::Malformed;
pub use principal::Trusted;
pub use size::{
    GROUP_INLINE_MAX, MANAGED_MAX, ROLE_INLINE_MAX, SESSION_MAX, TRUST_MAX, USER_INLINE_MAX,
    counted_characters,
};
pub use statement::Effect;
pub use trust::{Trust, evaluate_assumption, evaluate_trust};
