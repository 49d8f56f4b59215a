//! `GetSessionToken`: a temporary key of the caller itself.

use std::time::Duration;

use domain::iam::Subject;
use wire::sts::{GetSessionTokenRequest, GetSessionTokenResponse};

use super::issue;
use crate::iam::Refusal;
use crate::{Context, Error};

/// What a user's session lasts that does not say.
const USER_SECS: u64 = 43_200;
/// What the root user's session lasts, at most and by default.
const ROOT_SECS: u64 = 3_600;

pub(super) async fn get_session_token(
    cx: &Context,
    input: &GetSessionTokenRequest,
) -> Result<GetSessionTokenResponse, Error> {
    if input.serial_number.is_some() || input.token_code.is_some() {
        return Err(Refusal::MultiFactor.into());
    }
    let own = cx.clone();
    // The model admits 900 seconds to 36 hours.
    let asked = input.duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    cx.decide(move |state| {
        if state.sessions.contains_key(&own.asked.access_key_id) {
            return Err(Refusal::SessionAsksForSession.into());
        }
        let (subject, secs) = if own.caller.arn == own.scope.root() {
            (Subject::Root, asked.unwrap_or(ROOT_SECS).min(ROOT_SECS))
        } else {
            let user = state.user_of(&own.scope, &own.caller.arn);
            let user = user.ok_or(Refusal::SessionAsksForSession)?;
            let subject = Subject::User { name: user.key(), id: user.id.clone() };
            (subject, asked.unwrap_or(USER_SECS))
        };
        let session = issue::session(&own, subject, Duration::from_secs(secs));
        let credentials = Some(issue::credentials(&session));
        let output = GetSessionTokenResponse { credentials, ..GetSessionTokenResponse::default() };
        Ok((issue::keep(state, session)?, output))
    })
    .await
}
