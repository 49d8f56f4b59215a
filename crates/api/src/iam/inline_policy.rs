//! Inline policies of users, groups and roles.

use auth::policy::Kind;
use domain::iam::Holder;
use wire::iam::{
    DeleteGroupPolicyRequest, DeleteRolePolicyRequest, DeleteUserPolicyRequest,
    GetGroupPolicyRequest, GetGroupPolicyResponse, GetRolePolicyRequest, GetRolePolicyResponse,
    GetUserPolicyRequest, GetUserPolicyResponse, ListGroupPoliciesRequest,
    ListGroupPoliciesResponse, ListRolePoliciesRequest, ListRolePoliciesResponse,
    ListUserPoliciesRequest, ListUserPoliciesResponse, PutGroupPolicyRequest, PutRolePolicyRequest,
    PutUserPolicyRequest,
};

use super::page::{Page, Shown};
use super::{document, holder};
use crate::{Context, Error};

async fn put(
    cx: &Context,
    (holder, name): (Holder, String),
    policy: String,
    text: String,
) -> Result<(), Error> {
    // Outside of the decision, which all others wait for.
    document::check(&text, Kind::Inline)?;
    cx.decide(move |state| {
        let changes = holder::change(state, holder, &name, |name, grants| {
            grants.put(holder, name, policy, text)
        })?;
        Ok((changes, ()))
    })
    .await
}

async fn delete(cx: &Context, holder: Holder, name: String, policy: String) -> Result<(), Error> {
    cx.decide(move |state| {
        let changes =
            holder::change(state, holder, &name, |_, grants| grants.delete(holder, &policy))?;
        Ok((changes, ()))
    })
    .await
}

/// The holder's name as it is spelled, and the text.
fn get(cx: &Context, holder: Holder, name: &str, policy: &str) -> Result<(String, String), Error> {
    let state = cx.store.state();
    let (name, grants) = holder::grants(&state, holder, name)?;
    Ok((name.to_owned(), document::encoded(grants.inline(holder, policy)?)))
}

fn list(
    cx: &Context,
    holder: Holder,
    name: &str,
    (max_items, marker): (Option<i32>, Option<String>),
) -> Result<Shown<String>, Error> {
    let state = cx.store.state();
    let (_, grants) = holder::grants(&state, holder, name)?;
    let page = Page::read("inline", max_items, marker.as_deref())?;
    Ok(page.of(grants.inline.keys().map(|name| (name.clone(), name.clone()))))
}

pub(super) async fn put_user_policy(
    cx: &Context,
    input: PutUserPolicyRequest,
) -> Result<(), Error> {
    put(cx, (Holder::User, input.user_name), input.policy_name, input.policy_document).await
}

pub(super) async fn put_group_policy(
    cx: &Context,
    input: PutGroupPolicyRequest,
) -> Result<(), Error> {
    put(cx, (Holder::Group, input.group_name), input.policy_name, input.policy_document).await
}

pub(super) async fn put_role_policy(
    cx: &Context,
    input: PutRolePolicyRequest,
) -> Result<(), Error> {
    put(cx, (Holder::Role, input.role_name), input.policy_name, input.policy_document).await
}

pub(super) async fn delete_user_policy(
    cx: &Context,
    input: DeleteUserPolicyRequest,
) -> Result<(), Error> {
    delete(cx, Holder::User, input.user_name, input.policy_name).await
}

pub(super) async fn delete_group_policy(
    cx: &Context,
    input: DeleteGroupPolicyRequest,
) -> Result<(), Error> {
    delete(cx, Holder::Group, input.group_name, input.policy_name).await
}

pub(super) async fn delete_role_policy(
    cx: &Context,
    input: DeleteRolePolicyRequest,
) -> Result<(), Error> {
    delete(cx, Holder::Role, input.role_name, input.policy_name).await
}

pub(super) fn get_user_policy(
    cx: &Context,
    input: GetUserPolicyRequest,
) -> Result<GetUserPolicyResponse, Error> {
    let (user_name, policy_document) = get(cx, Holder::User, &input.user_name, &input.policy_name)?;
    Ok(GetUserPolicyResponse { user_name, policy_name: input.policy_name, policy_document })
}

pub(super) fn get_group_policy(
    cx: &Context,
    input: GetGroupPolicyRequest,
) -> Result<GetGroupPolicyResponse, Error> {
    let (group_name, policy_document) =
        get(cx, Holder::Group, &input.group_name, &input.policy_name)?;
    Ok(GetGroupPolicyResponse { group_name, policy_name: input.policy_name, policy_document })
}

pub(super) fn get_role_policy(
    cx: &Context,
    input: GetRolePolicyRequest,
) -> Result<GetRolePolicyResponse, Error> {
    let (role_name, policy_document) = get(cx, Holder::Role, &input.role_name, &input.policy_name)?;
    Ok(GetRolePolicyResponse { role_name, policy_name: input.policy_name, policy_document })
}

pub(super) fn list_user_policies(
    cx: &Context,
    input: ListUserPoliciesRequest,
) -> Result<ListUserPoliciesResponse, Error> {
    let page = list(cx, Holder::User, &input.user_name, (input.max_items, input.marker))?;
    let Shown { records, is_truncated, marker } = page;
    Ok(ListUserPoliciesResponse { policy_names: records, is_truncated, marker })
}

pub(super) fn list_group_policies(
    cx: &Context,
    input: ListGroupPoliciesRequest,
) -> Result<ListGroupPoliciesResponse, Error> {
    let page = list(cx, Holder::Group, &input.group_name, (input.max_items, input.marker))?;
    let Shown { records, is_truncated, marker } = page;
    Ok(ListGroupPoliciesResponse { policy_names: records, is_truncated, marker })
}

pub(super) fn list_role_policies(
    cx: &Context,
    input: ListRolePoliciesRequest,
) -> Result<ListRolePoliciesResponse, Error> {
    let page = list(cx, Holder::Role, &input.role_name, (input.max_items, input.marker))?;
    let Shown { records, is_truncated, marker } = page;
    Ok(ListRolePoliciesResponse { policy_names: records, is_truncated, marker })
}
