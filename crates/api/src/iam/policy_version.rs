//! Versions of managed policies.

use auth::policy::Kind;
use store::Changes;
use wire::iam::{
    CreatePolicyVersionRequest, CreatePolicyVersionResponse, DeletePolicyVersionRequest,
    GetPolicyVersionRequest, GetPolicyVersionResponse, ListPolicyVersionsRequest,
    ListPolicyVersionsResponse, PolicyVersion, SetDefaultPolicyVersionRequest,
};

use super::page::Page;
use super::policy::{find, find_own};
use super::{document, shown};
use crate::{Context, Error};

pub(super) async fn create_policy_version(
    cx: &Context,
    input: CreatePolicyVersionRequest,
) -> Result<CreatePolicyVersionResponse, Error> {
    let (scope, caller, now) = (cx.scope.clone(), cx.caller.arn.clone(), cx.clock.now());
    document::check(&input.policy_document, Kind::Managed)?;
    cx.decide(move |state| {
        let policy = find_own(state, &scope, &input.policy_arn, "CreatePolicyVersion", &caller)?;
        let default = input.set_as_default.unwrap_or(false);
        let (policy, number) = policy.with_version(input.policy_document, default, now)?;
        let (number, made) = policy.version(&scope, &shown::version_id(number))?;
        let version = shown::version(&policy, number, made);
        let output = CreatePolicyVersionResponse { policy_version: Some(version) };
        Ok((Changes::none().put(policy), output))
    })
    .await
}

pub(super) fn get_policy_version(
    cx: &Context,
    input: &GetPolicyVersionRequest,
) -> Result<GetPolicyVersionResponse, Error> {
    let state = cx.store.state();
    let policy = find(&state, &cx.scope, &input.policy_arn)?;
    let (number, version) = policy.version(&cx.scope, &input.version_id)?;
    let shown = PolicyVersion {
        document: Some(document::encoded(&version.document)),
        ..shown::version(policy, number, version)
    };
    Ok(GetPolicyVersionResponse { policy_version: Some(shown) })
}

/// The newest first.
pub(super) fn list_policy_versions(
    cx: &Context,
    input: &ListPolicyVersionsRequest,
) -> Result<ListPolicyVersionsResponse, Error> {
    let state = cx.store.state();
    let policy = find(&state, &cx.scope, &input.policy_arn)?;
    let page = Page::read("versions", input.max_items, input.marker.as_deref())?;
    let versions = policy.versions.iter().rev();
    let page = page.of_places(versions.map(|(number, one)| shown::version(policy, *number, one)));
    Ok(ListPolicyVersionsResponse {
        versions: Some(page.records),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

pub(super) async fn set_default_policy_version(
    cx: &Context,
    input: SetDefaultPolicyVersionRequest,
) -> Result<(), Error> {
    let (scope, caller, now) = (cx.scope.clone(), cx.caller.arn.clone(), cx.clock.now());
    cx.decide(move |state| {
        let action = "SetDefaultPolicyVersion";
        let policy = find_own(state, &scope, &input.policy_arn, action, &caller)?;
        Ok((Changes::none().put(policy.with_default(&scope, &input.version_id, now)?), ()))
    })
    .await
}

pub(super) async fn delete_policy_version(
    cx: &Context,
    input: DeletePolicyVersionRequest,
) -> Result<(), Error> {
    let (scope, caller, now) = (cx.scope.clone(), cx.caller.arn.clone(), cx.clock.now());
    cx.decide(move |state| {
        let policy = find_own(state, &scope, &input.policy_arn, "DeletePolicyVersion", &caller)?;
        Ok((Changes::none().put(policy.without_version(&scope, &input.version_id, now)?), ()))
    })
    .await
}
