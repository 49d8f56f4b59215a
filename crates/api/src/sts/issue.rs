//! New sessions: their keys, and how long they last.

use std::time::Duration;

use domain::iam::{Session, Subject, secret, session_key_id, session_token};
use domain::tag::Tags;
use domain::time::Timestamp;
use store::{Changes, State};
use wire::sts::Credentials;

use crate::Context;
use crate::iam::Refusal;

/// Sessions that are kept at once. Each lasts for hours, and all lie in memory: some hundred megabytes at the worst.
const SESSIONS_MAX: usize = 200_000;

/// Ended sessions that a new one clears away: more than one, so that their number falls.
const CLEARED: usize = 4;

/// A session without what limits it: by the wall, to the second, as clients are told.
pub(super) fn session(cx: &Context, subject: Subject, lasting: Duration) -> Session {
    let issued_at = cx.clock.wall();
    let expires_secs = issued_at.plus(lasting).as_millis().div_euclid(1000);
    let bits = || (cx.entropy)();
    Session {
        access_key_id: session_key_id(expires_secs, bits()),
        secret: secret([bits(), bits()]),
        token: session_token([bits(), bits(), bits(), bits()]),
        subject,
        name: String::new(),
        policy: None,
        policy_arns: Vec::new(),
        tags: Tags::default(),
        transitive: std::collections::BTreeSet::new(),
        source_identity: None,
        issued_at,
        expires_at: Timestamp::from_millis(expires_secs.saturating_mul(1000)),
    }
}

/// Keeps a session, and clears some away that have ended: those come first in the table.
pub(super) fn keep(state: &State, session: Session) -> Result<Changes, Refusal> {
    let now = session.issued_at;
    let ended = state.sessions.values().take(CLEARED).filter(|session| session.is_over(now));
    let changes = ended
        .map(|session| session.access_key_id.clone())
        .fold(Changes::none(), Changes::delete::<Session>);
    if state.sessions.size() >= SESSIONS_MAX {
        return Err(Refusal::TooManySessions);
    }
    Ok(changes.put(session))
}

/// What the caller is told of a session, once.
pub(super) fn credentials(session: &Session) -> Credentials {
    Credentials {
        access_key_id: session.access_key_id.clone(),
        secret_access_key: session.secret.clone(),
        session_token: session.token.clone(),
        expiration: wire::Timestamp(session.expires_at.as_millis()),
    }
}
