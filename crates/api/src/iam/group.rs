//! Groups, and who is in them.

use domain::iam::{ENTITIES_MAX, Group, Holder, NameKey, Refusal, User};
use store::Changes;
use wire::iam::{
    AddUserToGroupRequest, CreateGroupRequest, CreateGroupResponse, DeleteGroupRequest,
    GetGroupRequest, GetGroupResponse, ListGroupsForUserRequest, ListGroupsForUserResponse,
    ListGroupsRequest, ListGroupsResponse, RemoveUserFromGroupRequest, UpdateGroupRequest,
};

use super::page::Page;
use super::{holder, shown};
use crate::{Context, Error};

pub(super) async fn create_group(
    cx: &Context,
    input: CreateGroupRequest,
) -> Result<CreateGroupResponse, Error> {
    let (scope, now, entropy) = (cx.scope.clone(), cx.clock.now(), (cx.entropy)());
    cx.decide(move |state| {
        if let Some(there) = state.groups.get(&NameKey::new(&input.group_name)) {
            let name = there.name.clone();
            return Err(Refusal::HolderExists { holder: Holder::Group, name }.into());
        }
        if state.groups.size() >= ENTITIES_MAX {
            return Err(Refusal::quota("GroupsPerAccount", ENTITIES_MAX).into());
        }
        let path = input.path.unwrap_or_else(|| "/".to_owned());
        let group = Group::new(input.group_name, path, entropy, now);
        let output = CreateGroupResponse { group: shown::group(&scope, &group) };
        Ok((Changes::none().put(group), output))
    })
    .await
}

/// The group and its users.
pub(super) fn get_group(cx: &Context, input: &GetGroupRequest) -> Result<GetGroupResponse, Error> {
    let state = cx.store.state();
    let group = holder::group(&state, &input.group_name)?;
    let page = Page::read("group-users", input.max_items, input.marker.as_deref())?;
    let key = group.key();
    let users = state.users_in(&key);
    let page =
        page.of(users.map(|user| (user.key().to_string(), shown::user_in_list(&cx.scope, user))));
    Ok(GetGroupResponse {
        group: shown::group(&cx.scope, group),
        users: page.records,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

pub(super) fn list_groups(
    cx: &Context,
    input: &ListGroupsRequest,
) -> Result<ListGroupsResponse, Error> {
    let state = cx.store.state();
    let page = Page::read("groups", input.max_items, input.marker.as_deref())?;
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let found = page.rest(&state.groups).filter(|(_, group)| group.path.starts_with(prefix));
    let page = page.of(found.map(|(key, group)| (key.to_string(), shown::group(&cx.scope, group))));
    Ok(ListGroupsResponse {
        groups: page.records,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

pub(super) fn list_groups_for_user(
    cx: &Context,
    input: &ListGroupsForUserRequest,
) -> Result<ListGroupsForUserResponse, Error> {
    let state = cx.store.state();
    let user = holder::user(&state, &input.user_name)?;
    let page = Page::read("user-groups", input.max_items, input.marker.as_deref())?;
    let groups = state.groups_of(user);
    let page =
        page.of(groups.map(|group| (group.key().to_string(), shown::group(&cx.scope, group))));
    Ok(ListGroupsForUserResponse {
        groups: page.records,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// Renames or moves a group; its users stay in it.
pub(super) async fn update_group(cx: &Context, input: UpdateGroupRequest) -> Result<(), Error> {
    cx.decide(move |state| {
        let before = holder::group(state, &input.group_name)?;
        let mut group = (**before).clone();
        group.path = input.new_path.unwrap_or(group.path);
        group.name = input.new_group_name.unwrap_or(group.name);
        let (old, new) = (before.key(), group.key());
        if let Some(there) = state.groups.get(&new).filter(|_| new != old) {
            let name = there.name.clone();
            return Err(Refusal::HolderExists { holder: Holder::Group, name }.into());
        }
        let mut changes = Changes::none();
        if new != old {
            for user in state.users_in(&old) {
                changes = changes.put(user.leave(&old).join(new.clone())?);
            }
            changes = changes.delete::<Group>(old);
        }
        Ok((changes.put(group), ()))
    })
    .await
}

pub(super) async fn delete_group(cx: &Context, input: DeleteGroupRequest) -> Result<(), Error> {
    cx.decide(move |state| {
        let group = holder::group(state, &input.group_name)?;
        if state.users_in(&group.key()).next().is_some() {
            return Err(Refusal::InGroups.into());
        }
        group.grants.admit_deletion()?;
        Ok((Changes::none().delete::<Group>(group.key()), ()))
    })
    .await
}

/// A user who is in the group already stays in it.
pub(super) async fn add_user_to_group(
    cx: &Context,
    input: AddUserToGroupRequest,
) -> Result<(), Error> {
    cx.decide(move |state| {
        let group = holder::group(state, &input.group_name)?;
        let user = holder::user(state, &input.user_name)?;
        Ok((Changes::none().put(user.join(group.key())?), ()))
    })
    .await
}

/// A user who is not in the group is no error.
pub(super) async fn remove_user_from_group(
    cx: &Context,
    input: RemoveUserFromGroupRequest,
) -> Result<(), Error> {
    cx.decide(move |state| {
        let group = holder::group(state, &input.group_name)?;
        let user: &User = holder::user(state, &input.user_name)?;
        Ok((Changes::none().put(user.leave(&group.key())), ()))
    })
    .await
}
