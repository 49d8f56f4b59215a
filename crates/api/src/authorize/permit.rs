//! One caller's permission, to be asked for one thing after another.

use std::cell::Cell;
use std::sync::Arc;

use auth::policy::{
    Arn, Caller, Cause, Decision, Document, Kind, Layer, Request, Why, evaluate,
    evaluate_assumption,
};
use domain::arn::Scope;
use domain::time::Timestamp;
use store::State;

use super::denied::Denied;
use super::facts::{Asked, Facts};
use super::keyring;
use super::need::Need;
use super::records;
use super::standing::Standing;
use crate::Context;

/// What a caller may do, as one image of the state says. Cheap to clone, so that a decision of the store can ask again in
/// the image that it decides about.
#[derive(Debug, Clone)]
pub(crate) struct Permit {
    /// `None` for the account's root user, who may do everything.
    standing: Option<Arc<Standing>>,
    asked: Asked,
    scope: Scope,
    /// By the wall.
    now: Timestamp,
}

impl Permit {
    pub(crate) fn of(cx: &Context, state: &Arc<State>) -> Result<Self, Denied> {
        let is_root = cx.caller.arn == cx.scope.root();
        let standing = if is_root {
            None
        } else {
            let found = keyring::standing(state, &cx.scope, &cx.asked.access_key_id);
            Some(found.ok_or(Denied::UnknownKey)?)
        };
        Ok(Self::new(standing, cx.asked.clone(), cx.scope.clone(), cx.clock.wall()))
    }

    pub(super) const fn new(
        standing: Option<Arc<Standing>>,
        asked: Asked,
        scope: Scope,
        now: Timestamp,
    ) -> Self {
        Self { standing, asked, scope, now }
    }

    /// This permit as another image has it.
    pub(crate) fn within(&self, state: &State) -> Result<Self, Denied> {
        let standing = match &self.standing {
            Some(standing) if !standing.holds_in(state) => {
                let found = Standing::find(state, &self.scope, &self.asked.access_key_id);
                Some(Arc::new(found.ok_or(Denied::UnknownKey)?))
            }
            same => same.clone(),
        };
        Ok(Self { standing, ..self.clone() })
    }

    /// The user who calls, with a key or a session of theirs.
    pub(super) fn user_name<'a>(&self, state: &'a State) -> Option<&'a str> {
        let id = &self.standing.as_ref()?.credential.access_key_id;
        records::owner_of(state, id).or_else(|| records::user_of_session(state, id))
    }

    /// Refuses what is not allowed, in AWS's words.
    pub(crate) fn check(&self, state: &State, need: &Need) -> Result<(), Denied> {
        self.decide(state, need).map(drop)
    }

    /// Whether the caller may take a role on, by the role's trust policy and the caller's own policies.
    pub(crate) fn check_trust(
        &self,
        state: &State,
        trust: &str,
        need: &Need,
    ) -> Result<(), Denied> {
        let Some(standing) = &self.standing else { return Ok(()) };
        let caller = standing.caller().ok_or(Denied::UnknownKey)?;
        let facts = self.facts(standing, state, need);
        let resources = [arn(&need.resource)];
        let request =
            Request { caller, action: need.action, resources: &resources, context: &facts };
        let nobody = Why { cause: Cause::Implicit(Layer::Trust), resource: 0 };
        let Ok(document) = Document::parse(trust, Kind::Trust) else {
            return Err(refused(&caller, need, nobody));
        };
        match evaluate_assumption(&document, &standing.policies(), &request) {
            Decision::Allowed => Ok(()),
            Decision::Denied(why) => Err(refused(&caller, need, why)),
        }
    }

    /// As [`Self::check`]; and whether the answer holds for every other request of this caller for this resource.
    pub(super) fn decide(&self, state: &State, need: &Need) -> Result<bool, Denied> {
        let Some(standing) = &self.standing else { return Ok(true) };
        let caller = standing.caller().ok_or(Denied::UnknownKey)?;
        let facts = self.facts(standing, state, need);
        let resources = [arn(&need.resource)];
        let request =
            Request { caller, action: need.action, resources: &resources, context: &facts };
        match evaluate(&standing.policies(), &request) {
            Decision::Allowed => Ok(!facts.varies.get()),
            Decision::Denied(why) => Err(refused(&caller, need, why)),
        }
    }

    fn facts<'a>(&'a self, standing: &'a Standing, state: &'a State, need: &'a Need) -> Facts<'a> {
        Facts {
            standing,
            asked: &self.asked,
            need,
            state,
            scope: &self.scope,
            now: self.now,
            varies: Cell::new(false),
        }
    }
}

fn arn(resource: &str) -> Arn<'_> {
    if resource == "*" { Arn::ANY } else { Arn::new(resource) }
}

fn refused(caller: &Caller<'_>, need: &Need, why: Why) -> Denied {
    let refusal = why.refusal(caller.arn, need.action, Some(need.resource_shown()));
    Denied::Policy(refusal.to_string())
}
