//! `AssumeRole`: a session of a role, for whom its trust policy admits.

use std::collections::BTreeSet;
use std::time::Duration;

use auth::policy::{Document, Kind, SESSION_MAX};
use domain::iam::{Role, Session, Subject, tagged};
use domain::tag::Tags;
use store::State;
use wire::sts::{AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser};

use super::issue;
use crate::authorize::{Denied, Need, Permit};
use crate::iam::Refusal;
use crate::{Context, Error};

/// What a session lasts that does not say, and one that is assumed with a role's session at most.
const DEFAULT_SECS: u32 = 3_600;

/// Managed policies that one session may be given.
const POLICY_ARNS_MAX: usize = 10;

/// Room for session policies, their ARNs and session tags: what `PackedPolicySize` is a share of. AWS packs them in a
/// way of its own; here characters count.
const PACKED_CHARACTERS_MAX: usize = 10_240;

pub(super) async fn assume_role(
    cx: &Context,
    input: AssumeRoleRequest,
) -> Result<AssumeRoleResponse, Error> {
    if cx.caller.arn == cx.scope.root() {
        return Err(Refusal::RootAssumes.into());
    }
    if input.serial_number.is_some() || input.token_code.is_some() {
        return Err(Refusal::MultiFactor.into());
    }
    if input.provided_contexts.as_ref().is_some_and(|contexts| !contexts.is_empty()) {
        return Err(Refusal::Unsupported("ProvidedContexts").into());
    }
    if let Some(policy) = &input.policy {
        if policy.chars().count() > SESSION_MAX {
            return Err(Refusal::SessionPolicyTooLong.into());
        }
        Document::parse(policy, Kind::Session)?;
    }
    let permit = Permit::of(cx, &cx.store.state())?;
    let own = cx.clone();
    cx.decide(move |state| {
        // Asked in the image that the session is kept in: no change of policies comes between.
        let permit = permit.within(state)?;
        let role = admitted(&own, state, &permit, &input)?;
        let before = state.sessions.get(&own.asked.access_key_id);
        let lasting = lasting(role, before.is_some_and(|session| is_of_role(session)), &input)?;
        let subject = Subject::Role { name: role.key(), id: role.id.clone() };
        let session = issue::session(&own, subject, lasting);
        let session = limited(&own, state, session, before.map(|session| &**session), &input)?;
        let output = answer(&own, role, &session)?;
        Ok((issue::keep(state, session)?, output))
    })
    .await
}

fn is_of_role(session: &Session) -> bool {
    matches!(session.subject, Subject::Role { .. })
}

/// The role, if its trust policy and the caller's own policies admit it. Who may not, is not told whether it exists.
fn admitted<'a>(
    cx: &Context,
    state: &'a State,
    permit: &Permit,
    input: &AssumeRoleRequest,
) -> Result<&'a Role, Error> {
    let actions = [
        Some("AssumeRole"),
        input.tags.as_ref().filter(|tags| !tags.is_empty()).map(|_| "TagSession"),
        input.source_identity.as_ref().map(|_| "SetSourceIdentity"),
    ];
    let Some(role) = state.role_of(&cx.scope, &input.role_arn) else {
        let (caller, arn) = (&cx.caller.arn, &input.role_arn);
        return Err(Denied::Policy(format!(
            "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn} because no role trust \
             policy allows the sts:AssumeRole action"
        ))
        .into());
    };
    for action in actions.into_iter().flatten() {
        permit.check_trust(state, &role.trust, &need(action, input))?;
    }
    Ok(role)
}

/// What must be allowed, with the keys that policies may ask for.
fn need(action: &'static str, input: &AssumeRoleRequest) -> Need {
    let tags = input.tags.iter().flatten();
    let tags: Vec<_> = tags.map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    Need::on("sts", action, input.role_arn.clone())
        .with("sts:externalid", input.external_id.clone())
        .with("sts:rolesessionname", [input.role_session_name.clone()])
        .with("sts:sourceidentity", input.source_identity.clone())
        .with("sts:transitivetagkeys", input.transitive_tag_keys.clone().unwrap_or_default())
        .with_tags(&tags)
}

fn lasting(role: &Role, chained: bool, input: &AssumeRoleRequest) -> Result<Duration, Refusal> {
    // The model admits 900 seconds to twelve hours.
    let asked = input.duration_seconds.and_then(|seconds| u32::try_from(seconds).ok());
    let secs = asked.unwrap_or(DEFAULT_SECS);
    if chained && secs > DEFAULT_SECS {
        return Err(Refusal::ChainTooLong);
    }
    if secs > role.max_session_secs {
        return Err(Refusal::TooLong);
    }
    Ok(Duration::from_secs(secs.into()))
}

/// The session with its policies, its tags and what it takes over from the session before.
fn limited(
    cx: &Context,
    state: &State,
    session: Session,
    before: Option<&Session>,
    input: &AssumeRoleRequest,
) -> Result<Session, Error> {
    let arns = input.policy_arns.iter().flatten().filter_map(|one| one.arn.clone());
    let policy_arns: Vec<String> = arns.collect();
    if policy_arns.len() > POLICY_ARNS_MAX {
        return Err(Refusal::TooManySessionPolicies { max: POLICY_ARNS_MAX }.into());
    }
    for arn in &policy_arns {
        if state.managed_policy(&cx.scope, arn).is_none() {
            return Err(domain::iam::Refusal::NotAttachable(arn.clone()).into());
        }
    }
    let (inherited, mut transitive) = inherited(before);
    let given = input.tags.iter().flatten();
    let given: Vec<_> = given.map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    for (key, _) in &given {
        if inherited.0.keys().any(|known| known.eq_ignore_ascii_case(key)) {
            return Err(Refusal::TagHandedOn(key.clone()).into());
        }
    }
    transitive.extend(input.transitive_tag_keys.iter().flatten().cloned());
    let tags = tagged(&inherited, given, "TagsPerSession")?;
    let fixed = before.and_then(|session| session.source_identity.clone());
    let source_identity = match (fixed, input.source_identity.clone()) {
        (Some(fixed), Some(given)) if fixed != given => {
            return Err(Refusal::SourceIdentityFixed(fixed).into());
        }
        (fixed, given) => fixed.or(given),
    };
    let name = input.role_session_name.clone();
    let policy = input.policy.clone();
    Ok(Session { name, policy, policy_arns, tags, transitive, source_identity, ..session })
}

/// The tags that the session before hands on, and their keys.
fn inherited(before: Option<&Session>) -> (Tags, BTreeSet<String>) {
    let Some(before) = before else { return (Tags::default(), BTreeSet::new()) };
    let is_handed_on =
        |key: &String| before.transitive.iter().any(|known| known.eq_ignore_ascii_case(key));
    let mut tags = before.tags.clone();
    tags.0.retain(|key, _| is_handed_on(key));
    (tags, before.transitive.clone())
}

fn answer(cx: &Context, role: &Role, session: &Session) -> Result<AssumeRoleResponse, Refusal> {
    let policy = session.policy.iter().chain(&session.policy_arns);
    let tags = session.tags.0.iter().map(|(key, value)| key.len() + value.len());
    let packed: usize = policy.map(String::len).chain(tags).sum();
    let percent = (packed * 100).div_ceil(PACKED_CHARACTERS_MAX);
    if percent > 100 {
        return Err(Refusal::Packed { percent });
    }
    Ok(AssumeRoleResponse {
        credentials: Some(issue::credentials(session)),
        assumed_role_user: Some(AssumedRoleUser {
            assumed_role_id: format!("{}:{}", role.id, session.name),
            arn: role.session_arn(&cx.scope, &session.name),
        }),
        packed_policy_size: (percent > 0).then_some(i32::try_from(percent).unwrap_or(i32::MAX)),
        source_identity: session.source_identity.clone(),
        session_token_utilization: None,
        session_token_size: None,
    })
}
