//! When keys and roles were last used.

use std::time::Duration;

use domain::iam::{LastUsed, Subject};
use store::{Changes, State};

use crate::Context;

/// How exact the time of last use is: what was noted so lately is not noted again, so that a call costs no write.
const PRECISION: Duration = Duration::from_mins(1);

/// Notes that the caller's key was used for a service, by its signing name. What cannot be kept is not worth the call.
pub(crate) async fn note_use(cx: &Context, service: &'static str) {
    let wall = cx.clock.wall();
    let Some(used) = used(cx, &cx.store.state(), service) else { return };
    let is_noted = move |state: &State, of: &str| {
        state.last_used.get(of).is_some_and(|last| wall.since(last.at) < PRECISION)
    };
    if is_noted(&cx.store.state(), &used.of) {
        return;
    }
    let noted = cx
        .decide(move |state| {
            let changes = Changes::none();
            Ok((if is_noted(state, &used.of) { changes } else { changes.put(used) }, ()))
        })
        .await;
    if let Err(why) = noted {
        tracing::warn!(%why, "the last use of a key is not kept");
    }
}

/// The user's key, or the role whose session it is.
fn used(cx: &Context, state: &State, service: &'static str) -> Option<LastUsed> {
    let id = &cx.asked.access_key_id;
    let of = match state.sessions.get(id).map(|session| &session.subject) {
        Some(Subject::Role { id, .. }) => id.clone(),
        Some(Subject::Root | Subject::User { .. }) => return None,
        None => state.access_keys.get(id)?.id.clone(),
    };
    let region = cx.scope.region.clone();
    Some(LastUsed { of, at: cx.clock.wall(), service: service.to_owned(), region })
}
