//! Managed policies as they are attached to users, groups and roles.

use domain::arn::Scope;
use domain::iam::{Astray, Holder, ManagedPolicy, PolicyArn, Refusal};
use store::State;
use wire::iam::{
    AttachGroupPolicyRequest, AttachRolePolicyRequest, AttachUserPolicyRequest, AttachedPolicy,
    DetachGroupPolicyRequest, DetachRolePolicyRequest, DetachUserPolicyRequest,
    ListAttachedGroupPoliciesRequest, ListAttachedGroupPoliciesResponse,
    ListAttachedRolePoliciesRequest, ListAttachedRolePoliciesResponse,
    ListAttachedUserPoliciesRequest, ListAttachedUserPoliciesResponse,
};

use super::page::{Page, Shown};
use super::{holder, shown};
use crate::{Context, Error};

/// A policy that may be attached, or be a boundary.
pub(super) fn attachable<'a>(
    state: &'a State,
    scope: &Scope,
    arn: &str,
) -> Result<&'a ManagedPolicy, Refusal> {
    if PolicyArn::parse(scope, arn) == Err(Astray::Malformed) {
        return Err(Refusal::BadArn(arn.to_owned()));
    }
    let policy = state.managed_policy(scope, arn);
    let policy = policy.ok_or_else(|| Refusal::NotAttachable(arn.to_owned()))?;
    if policy.is_for_services() { Err(Refusal::ServiceRolePolicy) } else { Ok(policy) }
}

async fn attach(cx: &Context, holder: Holder, name: String, arn: String) -> Result<(), Error> {
    let scope = cx.scope.clone();
    cx.decide(move |state| {
        holder::grants(state, holder, &name)?;
        attachable(state, &scope, &arn)?;
        let changes = holder::change(state, holder, &name, |_, grants| grants.attach(holder, arn))?;
        Ok((changes, ()))
    })
    .await
}

async fn detach(cx: &Context, holder: Holder, name: String, arn: String) -> Result<(), Error> {
    cx.decide(move |state| {
        let changes = holder::change(state, holder, &name, |_, grants| grants.detach(&arn))?;
        Ok((changes, ()))
    })
    .await
}

fn list(
    cx: &Context,
    (holder, name): (Holder, &str),
    path_prefix: Option<&str>,
    (max_items, marker): (Option<i32>, Option<String>),
) -> Result<Shown<AttachedPolicy>, Error> {
    let state = cx.store.state();
    let (_, grants) = holder::grants(&state, holder, name)?;
    let prefix = path_prefix.unwrap_or("/");
    let attached = shown::attached(&state, &cx.scope, grants, prefix);
    Ok(Page::read("attached", max_items, marker.as_deref())?.of(attached))
}

pub(super) async fn attach_user_policy(
    cx: &Context,
    input: AttachUserPolicyRequest,
) -> Result<(), Error> {
    attach(cx, Holder::User, input.user_name, input.policy_arn).await
}

pub(super) async fn attach_group_policy(
    cx: &Context,
    input: AttachGroupPolicyRequest,
) -> Result<(), Error> {
    attach(cx, Holder::Group, input.group_name, input.policy_arn).await
}

pub(super) async fn attach_role_policy(
    cx: &Context,
    input: AttachRolePolicyRequest,
) -> Result<(), Error> {
    attach(cx, Holder::Role, input.role_name, input.policy_arn).await
}

pub(super) async fn detach_user_policy(
    cx: &Context,
    input: DetachUserPolicyRequest,
) -> Result<(), Error> {
    detach(cx, Holder::User, input.user_name, input.policy_arn).await
}

pub(super) async fn detach_group_policy(
    cx: &Context,
    input: DetachGroupPolicyRequest,
) -> Result<(), Error> {
    detach(cx, Holder::Group, input.group_name, input.policy_arn).await
}

pub(super) async fn detach_role_policy(
    cx: &Context,
    input: DetachRolePolicyRequest,
) -> Result<(), Error> {
    detach(cx, Holder::Role, input.role_name, input.policy_arn).await
}

pub(super) fn list_attached_user_policies(
    cx: &Context,
    input: ListAttachedUserPoliciesRequest,
) -> Result<ListAttachedUserPoliciesResponse, Error> {
    let whose = (Holder::User, &*input.user_name);
    let page = list(cx, whose, input.path_prefix.as_deref(), (input.max_items, input.marker))?;
    let Shown { records, is_truncated, marker } = page;
    Ok(ListAttachedUserPoliciesResponse { attached_policies: Some(records), is_truncated, marker })
}

pub(super) fn list_attached_group_policies(
    cx: &Context,
    input: ListAttachedGroupPoliciesRequest,
) -> Result<ListAttachedGroupPoliciesResponse, Error> {
    let whose = (Holder::Group, &*input.group_name);
    let page = list(cx, whose, input.path_prefix.as_deref(), (input.max_items, input.marker))?;
    let Shown { records, is_truncated, marker } = page;
    Ok(ListAttachedGroupPoliciesResponse { attached_policies: Some(records), is_truncated, marker })
}

pub(super) fn list_attached_role_policies(
    cx: &Context,
    input: ListAttachedRolePoliciesRequest,
) -> Result<ListAttachedRolePoliciesResponse, Error> {
    let whose = (Holder::Role, &*input.role_name);
    let page = list(cx, whose, input.path_prefix.as_deref(), (input.max_items, input.marker))?;
    let Shown { records, is_truncated, marker } = page;
    Ok(ListAttachedRolePoliciesResponse { attached_policies: Some(records), is_truncated, marker })
}
