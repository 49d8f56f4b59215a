//! Tags of users, roles and managed policies.

use domain::iam::{ManagedPolicy, Role, User, tagged, untagged};
use domain::tag::Tags;
use store::Changes;
use wire::iam::{
    ListPolicyTagsRequest, ListPolicyTagsResponse, ListRoleTagsRequest, ListRoleTagsResponse,
    ListUserTagsRequest, ListUserTagsResponse, Tag, TagPolicyRequest, TagRoleRequest,
    TagUserRequest, UntagPolicyRequest, UntagRoleRequest, UntagUserRequest,
};

use super::page::{Page, Shown};
use super::policy::{find, find_own};
use super::{holder, shown};
use crate::{Context, Error};

pub(super) async fn tag_user(cx: &Context, input: TagUserRequest) -> Result<(), Error> {
    cx.decide(move |state| {
        let user = holder::user(state, &input.user_name)?;
        let tags = tagged(&user.tags, shown::pairs(Some(input.tags)), "TagsPerUser")?;
        Ok((Changes::none().put(User { tags, ..(**user).clone() }), ()))
    })
    .await
}

pub(super) async fn untag_user(cx: &Context, input: UntagUserRequest) -> Result<(), Error> {
    cx.decide(move |state| {
        let user = holder::user(state, &input.user_name)?;
        let tags = untagged(&user.tags, &input.tag_keys);
        Ok((Changes::none().put(User { tags, ..(**user).clone() }), ()))
    })
    .await
}

pub(super) async fn tag_role(cx: &Context, input: TagRoleRequest) -> Result<(), Error> {
    cx.decide(move |state| {
        let role = holder::role(state, &input.role_name)?;
        role.admit_change()?;
        let tags = tagged(&role.tags, shown::pairs(Some(input.tags)), "TagsPerRole")?;
        Ok((Changes::none().put(Role { tags, ..(**role).clone() }), ()))
    })
    .await
}

pub(super) async fn untag_role(cx: &Context, input: UntagRoleRequest) -> Result<(), Error> {
    cx.decide(move |state| {
        let role = holder::role(state, &input.role_name)?;
        role.admit_change()?;
        let tags = untagged(&role.tags, &input.tag_keys);
        Ok((Changes::none().put(Role { tags, ..(**role).clone() }), ()))
    })
    .await
}

pub(super) async fn tag_policy(cx: &Context, input: TagPolicyRequest) -> Result<(), Error> {
    let (scope, caller) = (cx.scope.clone(), cx.caller.arn.clone());
    cx.decide(move |state| {
        let policy = find_own(state, &scope, &input.policy_arn, "TagPolicy", &caller)?;
        let tags = tagged(&policy.tags, shown::pairs(Some(input.tags)), "TagsPerPolicy")?;
        Ok((Changes::none().put(ManagedPolicy { tags, ..policy.clone() }), ()))
    })
    .await
}

pub(super) async fn untag_policy(cx: &Context, input: UntagPolicyRequest) -> Result<(), Error> {
    let (scope, caller) = (cx.scope.clone(), cx.caller.arn.clone());
    cx.decide(move |state| {
        let policy = find_own(state, &scope, &input.policy_arn, "UntagPolicy", &caller)?;
        let tags = untagged(&policy.tags, &input.tag_keys);
        Ok((Changes::none().put(ManagedPolicy { tags, ..policy.clone() }), ()))
    })
    .await
}

fn page(tags: &Tags, max_items: Option<i32>, marker: Option<&str>) -> Result<Shown<Tag>, Error> {
    Ok(Page::read("tags", max_items, marker)?.of_places(shown::tag_list(tags)))
}

pub(super) fn list_user_tags(
    cx: &Context,
    input: &ListUserTagsRequest,
) -> Result<ListUserTagsResponse, Error> {
    let state = cx.store.state();
    let user = holder::user(&state, &input.user_name)?;
    let page = page(&user.tags, input.max_items, input.marker.as_deref())?;
    let Shown { records: tags, is_truncated, marker } = page;
    Ok(ListUserTagsResponse { tags, is_truncated, marker })
}

pub(super) fn list_role_tags(
    cx: &Context,
    input: &ListRoleTagsRequest,
) -> Result<ListRoleTagsResponse, Error> {
    let state = cx.store.state();
    let role = holder::role(&state, &input.role_name)?;
    let page = page(&role.tags, input.max_items, input.marker.as_deref())?;
    let Shown { records: tags, is_truncated, marker } = page;
    Ok(ListRoleTagsResponse { tags, is_truncated, marker })
}

pub(super) fn list_policy_tags(
    cx: &Context,
    input: &ListPolicyTagsRequest,
) -> Result<ListPolicyTagsResponse, Error> {
    let state = cx.store.state();
    let policy = find(&state, &cx.scope, &input.policy_arn)?;
    let page = page(&policy.tags, input.max_items, input.marker.as_deref())?;
    let Shown { records: tags, is_truncated, marker } = page;
    Ok(ListPolicyTagsResponse { tags, is_truncated, marker })
}
