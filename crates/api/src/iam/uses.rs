//! When keys and roles were last used.

use std::sync::Arc;
use std::time::Duration;

use domain::arn::Scope;
use domain::iam::{LastUsed, Subject};
use domain::time::Timestamp;
use store::{Changes, State, Store, decide};

use crate::{Context, Error};

/// How exact the time of last use is: what was noted so lately is not noted again, so that a call costs no write.
pub(crate) const PRECISION: Duration = Duration::from_mins(1);

/// A use of a key for a service, by its signing name.
#[derive(Debug, Clone)]
struct Use {
    access_key_id: String,
    service: &'static str,
    region: String,
    at: Timestamp,
}

/// Notes that the caller's key was used for a service. What cannot be kept is not worth the call.
pub(crate) async fn note_use(cx: &Context, service: &'static str) {
    let access_key_id = cx.asked.access_key_id.clone();
    let used = Use { access_key_id, service, region: cx.scope.region.clone(), at: cx.clock.wall() };
    if used.due(&cx.store.state()).is_some() {
        keep(&*cx.store, used).await;
    }
}

/// The same for those who do not wait for it: the data plane, and S3. They hand on a use of a key once in
/// [`PRECISION`] at most.
pub(crate) fn note_soon(
    store: &Arc<dyn Store>,
    scope: &Scope,
    access_key_id: &str,
    (service, at): (&'static str, Timestamp),
) {
    let access_key_id = access_key_id.to_owned();
    let used = Use { access_key_id, service, region: scope.region.clone(), at };
    if used.due(&store.state()).is_none() {
        return;
    }
    // Everybody who serves requests runs in one; without it there is nobody to keep the note.
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    let store = Arc::clone(store);
    drop(runtime.spawn(async move { keep(&*store, used).await }));
}

async fn keep(store: &dyn Store, used: Use) {
    // Asked again in the image that it is kept in: a key that is deleted meanwhile leaves no note.
    let noted = decide(store, move |state| {
        let changes = used.due(state).map_or_else(Changes::none, |used| Changes::none().put(used));
        Ok::<_, Error>((changes, ()))
    });
    if let Err(why) = noted.await {
        tracing::warn!(%why, "the last use of a key is not kept");
    }
}

impl Use {
    /// What is to be noted, unless something was so lately.
    fn due(&self, state: &State) -> Option<LastUsed> {
        let of = used(state, &self.access_key_id)?;
        let last = state.last_used.get(&of);
        let is_noted = last.is_some_and(|last| self.at.since(last.at) < PRECISION);
        (!is_noted).then(|| LastUsed {
            of,
            at: self.at,
            service: self.service.to_owned(),
            region: self.region.clone(),
        })
    }
}

/// What is noted of a key: itself if it is a user's, or the role whose session it is.
fn used(state: &State, access_key_id: &str) -> Option<String> {
    match state.sessions.get(access_key_id).map(|session| &session.subject) {
        Some(Subject::Role { name, id }) => {
            state.roles.get(name).filter(|role| role.id == *id).map(|role| role.id.clone())
        }
        Some(Subject::Root | Subject::User { .. }) => None,
        None => state.access_keys.get(access_key_id).map(|key| key.id.clone()),
    }
}
