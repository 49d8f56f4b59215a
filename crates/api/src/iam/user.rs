//! Users: made, shown, renamed, deleted.

use std::collections::BTreeSet;

use domain::iam::{
    AccessKey, ENTITIES_MAX, Holder, NameKey, Owner, Refusal, Session, Subject as Of, User, tagged,
};
use domain::tag::Tags;
use store::{Changes, State};
use wire::iam::{
    CreateUserRequest, CreateUserResponse, DeleteUserRequest, GetUserRequest, GetUserResponse,
    ListUsersRequest, ListUsersResponse, UpdateUserRequest,
};

use super::caller::{Subject, subject};
use super::page::Page;
use super::{boundary, holder, shown, trust};
use crate::{Context, Error};

pub(super) async fn create_user(
    cx: &Context,
    input: CreateUserRequest,
) -> Result<CreateUserResponse, Error> {
    let (scope, now, entropy) = (cx.scope.clone(), cx.clock.now(), (cx.entropy)());
    cx.decide(move |state| {
        let key = NameKey::new(&input.user_name);
        if let Some(there) = state.users.get(&key) {
            let name = there.name.clone();
            return Err(Refusal::HolderExists { holder: Holder::User, name }.into());
        }
        if state.users.size() >= ENTITIES_MAX {
            return Err(Refusal::quota("UsersPerAccount", ENTITIES_MAX).into());
        }
        let path = input.path.unwrap_or_else(|| "/".to_owned());
        let mut user = User::new(input.user_name, path, entropy, now);
        user.tags = tagged(&Tags::default(), shown::pairs(input.tags), "TagsPerUser")?;
        user.boundary = boundary::given(state, &scope, input.permissions_boundary)?;
        let output = CreateUserResponse { user: Some(shown::user(&scope, &user)) };
        Ok((Changes::none().put(user), output))
    })
    .await
}

pub(super) fn get_user(cx: &Context, input: &GetUserRequest) -> Result<GetUserResponse, Error> {
    let state = cx.store.state();
    let user = match subject(cx, &state, input.user_name.as_ref())? {
        Subject::User(user) => shown::user(&cx.scope, &user),
        Subject::Root => wire::iam::User {
            path: "/".to_owned(),
            user_name: shown::ROOT_NAME.to_owned(),
            user_id: cx.scope.account.clone(),
            arn: cx.scope.root(),
            // The account is as old as the server's time, of which no record tells.
            create_date: wire::Timestamp(0),
            password_last_used: None,
            permissions_boundary: None,
            tags: None,
        },
    };
    Ok(GetUserResponse { user })
}

pub(super) fn list_users(
    cx: &Context,
    input: &ListUsersRequest,
) -> Result<ListUsersResponse, Error> {
    let state = cx.store.state();
    let page = Page::read("users", input.max_items, input.marker.as_deref())?;
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let found = page.rest(&state.users).filter(|(_, user)| user.path.starts_with(prefix));
    let page =
        page.of(found.map(|(key, user)| (key.to_string(), shown::user_in_list(&cx.scope, user))));
    Ok(ListUsersResponse {
        users: page.records,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// Renames or moves a user. Everything that speaks of the user follows: keys, sessions, and roles that trust it.
pub(super) async fn update_user(cx: &Context, input: UpdateUserRequest) -> Result<(), Error> {
    let scope = cx.scope.clone();
    cx.decide(move |state| {
        let before = holder::user(state, &input.user_name)?;
        let mut user = (**before).clone();
        user.path = input.new_path.unwrap_or(user.path);
        user.name = input.new_user_name.unwrap_or(user.name);
        let (old, new) = (before.key(), user.key());
        if let Some(there) = state.users.get(&new).filter(|_| new != old) {
            let name = there.name.clone();
            return Err(Refusal::HolderExists { holder: Holder::User, name }.into());
        }
        let mut changes =
            trust::renamed(Changes::none(), state, &before.arn(&scope), &user.arn(&scope));
        if new != old {
            changes = handed_over(changes.delete::<User>(old), state, &user, &new);
        }
        Ok((changes.put(user), ()))
    })
    .await
}

/// Keys and sessions of a user under its new name.
fn handed_over(changes: Changes, state: &State, user: &User, name: &NameKey) -> Changes {
    let keys = user.access_keys.iter().filter_map(|id| state.access_keys.get(id));
    let changes = keys.fold(changes, |changes, key| {
        changes.put(AccessKey { owner: Owner::User(name.clone()), ..(**key).clone() })
    });
    let is_own =
        |session: &Session| matches!(&session.subject, Of::User { id, .. } if *id == user.id);
    let sessions = state.sessions.values().filter(|session| is_own(session));
    sessions.fold(changes, |changes, session| {
        let subject = Of::User { name: name.clone(), id: user.id.clone() };
        changes.put(Session { subject, ..(**session).clone() })
    })
}

pub(super) async fn delete_user(cx: &Context, input: DeleteUserRequest) -> Result<(), Error> {
    let scope = cx.scope.clone();
    cx.decide(move |state| {
        let user = holder::user(state, &input.user_name)?;
        user.admit_deletion()?;
        let changes = Changes::none().delete::<User>(user.key());
        let changes =
            trust::forgotten(changes, state, &BTreeSet::new(), &user.arn(&scope), &user.id);
        Ok((changes, ()))
    })
    .await
}
