//! Whether a request may be done: AWS's order of policies within one account.
//!
//! An explicit deny in any policy that applies comes first. Then identity policies must allow, a permissions boundary if
//! there is one, and session policies if there are some. The account's root user is bound by none of them.
//! Source: `reference/autoscaling-and-cloudwatch.md`, section 8.2.

use std::sync::Arc;

use super::action::Action;
use super::arn::Arn;
use super::context::{Caller, CallerKind, Context, Facts};
use super::document::Document;
use super::statement::Effect;

/// The policies that apply to a caller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies<'a> {
    /// Inline and attached ones of the user and its groups, or of the role.
    pub identity: &'a [Arc<Document>],
    /// The permissions boundary of the user or role.
    pub boundary: Option<&'a Arc<Document>>,
    /// Those passed when the session began, of which one must allow; `None` if none were passed.
    pub session: Option<&'a [Arc<Document>]>,
}

/// What is asked.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub caller: Caller<'a>,
    pub action: Action<'a>,
    /// All of them must be allowed. [`Arn::ANY`] for operations without resources; an empty list is allowed to nobody.
    pub resources: &'a [Arn<'a>],
    pub context: &'a dyn Context,
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("caller", &self.caller)
            .field("action", &self.action)
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}

impl<'a> Request<'a> {
    pub(super) const fn facts(&'a self) -> Facts<'a> {
        Facts { caller: &self.caller, context: self.context }
    }
}

/// Kinds of policy, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    Identity,
    Boundary,
    Session,
    Trust,
}

/// A statement, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub layer: Layer,
    /// Index in [`Policies::identity`] or [`Policies::session`]; 0 for a boundary or trust policy.
    pub policy: usize,
    /// Counted from 0: for [`Document::sid`] and [`Document::positions`].
    pub statement: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No policy of this kind allows it.
    Implicit(Layer),
    /// This statement denies it.
    Explicit(Found),
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Why {
    pub cause: Cause,
    /// Index of the resource in [`Request::resources`] that it is about.
    pub resource: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    Allowed,
    Denied(Why),
}

impl Decision {
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed)
    }
}

/// What the policies of one kind say of one resource.
enum Verdict {
    Denied { policy: usize, statement: usize },
    Allowed,
    Silent,
}

/// The documents of each kind; `None` where no policy of the kind applies.
type Layers<'a> = [(Layer, Option<&'a [Arc<Document>]>); 3];

fn layers<'a>(policies: &Policies<'a>) -> Layers<'a> {
    let boundary = policies.boundary.map(std::slice::from_ref);
    [
        (Layer::Identity, Some(policies.identity)),
        (Layer::Boundary, boundary),
        (Layer::Session, policies.session),
    ]
}

/// Decides. Of several resources, the first that is not allowed is named.
pub fn evaluate(policies: &Policies<'_>, request: &Request<'_>) -> Decision {
    if request.caller.kind == CallerKind::Root {
        return Decision::Allowed;
    }
    decide(&layers(policies), request)
}

/// Decides by what bounds a caller alone, the boundary and the session policies: for what is granted otherwise than by
/// identity policies.
pub(super) fn evaluate_bounds(policies: &Policies<'_>, request: &Request<'_>) -> Decision {
    let [_, boundary, session] = layers(policies);
    decide(&[(Layer::Identity, None), boundary, session], request)
}

/// The first explicit denial in a policy that applies, whatever is allowed.
pub(super) fn denial(policies: &Policies<'_>, request: &Request<'_>) -> Option<Why> {
    let layers = layers(policies);
    request.resources.iter().enumerate().find_map(|(place, resource)| {
        let cause = one(&layers, request, resource)?;
        matches!(cause, Cause::Explicit(_)).then_some(Why { cause, resource: place })
    })
}

fn decide(layers: &Layers<'_>, request: &Request<'_>) -> Decision {
    let denied = request.resources.iter().enumerate().find_map(|(place, resource)| {
        one(layers, request, resource).map(|cause| Why { cause, resource: place })
    });
    match denied {
        Some(why) => Decision::Denied(why),
        None if request.resources.is_empty() => {
            Decision::Denied(Why { cause: Cause::Implicit(Layer::Identity), resource: 0 })
        }
        None => Decision::Allowed,
    }
}

fn one(layers: &Layers<'_>, request: &Request<'_>, resource: &Arn<'_>) -> Option<Cause> {
    let mut silent = None;
    for (layer, documents) in layers {
        let Some(documents) = documents else { continue };
        match ask(documents, request, resource) {
            Verdict::Denied { policy, statement } => {
                return Some(Cause::Explicit(Found { layer: *layer, policy, statement }));
            }
            Verdict::Allowed => {}
            Verdict::Silent => silent = silent.or(Some(Cause::Implicit(*layer))),
        }
    }
    silent
}

fn ask(documents: &[Arc<Document>], request: &Request<'_>, resource: &Arn<'_>) -> Verdict {
    let facts = request.facts();
    let mut verdict = Verdict::Silent;
    for (policy, document) in documents.iter().enumerate() {
        for (place, statement) in document.candidates(&request.action) {
            let settled = matches!(verdict, Verdict::Allowed) && statement.effect == Effect::Allow;
            if settled || !statement.applies(&request.action, resource, &facts) {
                continue;
            }
            match statement.effect {
                Effect::Deny => return Verdict::Denied { policy, statement: place },
                Effect::Allow => verdict = Verdict::Allowed,
            }
        }
    }
    verdict
}

/// All statements that speak of the action on this resource, whatever they say of it: the `MatchedStatements` of
/// `SimulatePrincipalPolicy`. For explaining, not for deciding.
pub fn matching(policies: &Policies<'_>, request: &Request<'_>, resource: &Arn<'_>) -> Vec<Found> {
    let facts = request.facts();
    let mut found = Vec::new();
    for (layer, documents) in layers(policies) {
        for (policy, document) in documents.unwrap_or_default().iter().enumerate() {
            let candidates = document.candidates(&request.action);
            let applying = candidates
                .filter(|(_, statement)| statement.applies(&request.action, resource, &facts));
            found.extend(applying.map(|(statement, _)| Found { layer, policy, statement }));
        }
    }
    found
}
