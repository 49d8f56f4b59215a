//! Whom an operation is about that names nobody: the one who calls.

use std::sync::Arc;

use domain::iam::User;
use store::State;

use super::{Refusal, holder};
use crate::Context;

/// The account's root user, or a user.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    Root,
    User(Arc<User>),
}

/// The user of this name, or the caller if no name is given. Sessions of roles must give one.
pub(super) fn subject(
    cx: &Context,
    state: &State,
    name: Option<&String>,
) -> Result<Subject, Refusal> {
    if let Some(name) = name {
        return Ok(Subject::User(Arc::clone(holder::user(state, name)?)));
    }
    if cx.caller.arn == cx.scope.root() {
        return Ok(Subject::Root);
    }
    let user = state.user_of(&cx.scope, &cx.caller.arn).ok_or(Refusal::NoUserName)?;
    Ok(Subject::User(Arc::clone(user)))
}
