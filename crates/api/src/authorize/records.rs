//! IAM's records as authorization looks at them: what things are called, whose keys are whose, and their tags.

use domain::arn::{Kind, Scope};
use domain::iam::{Owner, PolicyArn, Subject};
use domain::tag::Tags;
use store::State;
use store::record::Tagged;

/// The path of a user; that of one that does not exist is `/`.
pub(super) fn user_path<'a>(state: &'a State, name: &str) -> &'a str {
    state.users.get(&*name.to_ascii_lowercase()).map_or("/", |user| &user.path)
}

pub(super) fn group_path<'a>(state: &'a State, name: &str) -> &'a str {
    state.groups.get(&*name.to_ascii_lowercase()).map_or("/", |group| &group.path)
}

pub(super) fn role_path<'a>(state: &'a State, name: &str) -> &'a str {
    state.roles.get(&*name.to_ascii_lowercase()).map_or("/", |role| &role.path)
}

/// The name of the user who owns an access key.
pub(super) fn owner_of<'a>(state: &'a State, access_key_id: &str) -> Option<&'a str> {
    match &state.access_keys.get(access_key_id)?.owner {
        Owner::User(name) => Some(&state.users.get(name)?.name),
        Owner::Root => None,
    }
}

/// The name of the user whose session this is.
pub(super) fn user_of_session<'a>(state: &'a State, access_key_id: &str) -> Option<&'a str> {
    match &state.sessions.get(access_key_id)?.subject {
        Subject::User { name, id } => {
            state.users.get(name).filter(|user| user.id == *id).map(|user| &*user.name)
        }
        Subject::Root | Subject::Role { .. } => None,
    }
}

/// The tags of the resource behind an ARN.
pub(super) fn tags_of<'a>(state: &'a State, scope: &Scope, arn: &str) -> Option<&'a Tags> {
    if let Some(rest) = arn.strip_prefix("arn:aws:iam::") {
        return tags_of_identity(state, scope, arn, rest.split_once(':')?.1);
    }
    let kept = state.tagged.get(arn).or_else(|| {
        // Endpoints' tags are kept under a spelling of their own.
        state.tagged.get(&Tagged::key_of(Kind::Endpoint, arn))
    });
    kept.map(|tagged| &tagged.tags)
}

fn tags_of_identity<'a>(
    state: &'a State,
    scope: &Scope,
    arn: &str,
    resource: &str,
) -> Option<&'a Tags> {
    let (kind, path) = resource.split_once('/')?;
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    match kind {
        "user" => state.users.get(&*name).map(|user| &user.tags),
        "role" => state.roles.get(&*name).map(|role| &role.tags),
        "policy" if !PolicyArn::parse(scope, arn).ok()?.aws => {
            state.managed_policies.get(&*name).map(|policy| &policy.tags)
        }
        _ => None,
    }
}
