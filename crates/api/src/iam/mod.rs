//! IAM: users, groups, roles, access keys and policies.
//!
//! Its operations are many and small, and most come in threes, for users, groups and roles. So there is a file per
//! thing that is kept, not per operation. What becomes of a record is decided in `domain::iam`, what is a policy in
//! `auth::policy`, and who may call in `authorize`.

mod access_key;
mod account;
mod attached_policy;
mod boundary;
mod caller;
mod document;
mod group;
mod holder;
mod inline_policy;
mod page;
mod policy;
mod policy_version;
mod refusal;
mod role;
mod service_linked;
mod shown;
mod simulate;
mod tagging;
#[cfg(test)]
pub(crate) mod tests;
mod trust;
mod usage;
mod user;
mod uses;

use domain::iam::Subject;
use wire::iam::Operation;
use wire::{Call, Document, Value};

use crate::{Context, Error};

pub use refusal::Refusal;
pub(crate) use service_linked::ensure_scaling_role;
pub(crate) use uses::{PRECISION, note_soon, note_use};

#[expect(clippy::too_many_lines, reason = "a line per operation")]
pub(crate) async fn serve(cx: &Context, call: &Call) -> Result<Document, Error> {
    let unserved = Error::Unserved { service: call.service.id, operation: call.operation.name };
    let operation: Operation = call.operation.name.parse().map_err(|_| unserved)?;
    refuse_sessions_of_users(cx)?;
    match operation {
        Operation::AddUserToGroup => done(group::add_user_to_group(cx, call.input()?).await),
        Operation::AttachGroupPolicy => {
            done(attached_policy::attach_group_policy(cx, call.input()?).await)
        }
        Operation::AttachRolePolicy => {
            done(attached_policy::attach_role_policy(cx, call.input()?).await)
        }
        Operation::AttachUserPolicy => {
            done(attached_policy::attach_user_policy(cx, call.input()?).await)
        }
        Operation::CreateAccessKey => {
            shown_as(access_key::create_access_key(cx, call.input()?).await)
        }
        Operation::CreateGroup => shown_as(group::create_group(cx, call.input()?).await),
        Operation::CreatePolicy => shown_as(policy::create_policy(cx, call.input()?).await),
        Operation::CreatePolicyVersion => {
            shown_as(policy_version::create_policy_version(cx, call.input()?).await)
        }
        Operation::CreateRole => shown_as(role::create_role(cx, call.input()?).await),
        Operation::CreateServiceLinkedRole => {
            shown_as(service_linked::create_service_linked_role(cx, call.input()?).await)
        }
        Operation::CreateUser => shown_as(user::create_user(cx, call.input()?).await),
        Operation::DeleteAccessKey => done(access_key::delete_access_key(cx, call.input()?).await),
        Operation::DeleteGroup => done(group::delete_group(cx, call.input()?).await),
        Operation::DeleteGroupPolicy => {
            done(inline_policy::delete_group_policy(cx, call.input()?).await)
        }
        Operation::DeletePolicy => done(policy::delete_policy(cx, call.input()?).await),
        Operation::DeletePolicyVersion => {
            done(policy_version::delete_policy_version(cx, call.input()?).await)
        }
        Operation::DeleteRole => done(role::delete_role(cx, call.input()?).await),
        Operation::DeleteRolePermissionsBoundary => {
            done(boundary::delete_role_permissions_boundary(cx, call.input()?).await)
        }
        Operation::DeleteRolePolicy => {
            done(inline_policy::delete_role_policy(cx, call.input()?).await)
        }
        Operation::DeleteServiceLinkedRole => {
            shown_as(service_linked::delete_service_linked_role(cx, call.input()?).await)
        }
        Operation::DeleteUser => done(user::delete_user(cx, call.input()?).await),
        Operation::DeleteUserPermissionsBoundary => {
            done(boundary::delete_user_permissions_boundary(cx, call.input()?).await)
        }
        Operation::DeleteUserPolicy => {
            done(inline_policy::delete_user_policy(cx, call.input()?).await)
        }
        Operation::DetachGroupPolicy => {
            done(attached_policy::detach_group_policy(cx, call.input()?).await)
        }
        Operation::DetachRolePolicy => {
            done(attached_policy::detach_role_policy(cx, call.input()?).await)
        }
        Operation::DetachUserPolicy => {
            done(attached_policy::detach_user_policy(cx, call.input()?).await)
        }
        Operation::GetAccessKeyLastUsed => {
            shown_as(access_key::get_access_key_last_used(cx, &call.input()?))
        }
        Operation::GetAccountAuthorizationDetails => {
            shown_as(account::get_account_authorization_details(cx, &call.input()?))
        }
        Operation::GetAccountSummary => shown_as(Ok(account::get_account_summary(cx))),
        Operation::GetGroup => shown_as(group::get_group(cx, &call.input()?)),
        Operation::GetGroupPolicy => shown_as(inline_policy::get_group_policy(cx, call.input()?)),
        Operation::GetPolicy => shown_as(policy::get_policy(cx, &call.input()?)),
        Operation::GetPolicyVersion => {
            shown_as(policy_version::get_policy_version(cx, &call.input()?))
        }
        Operation::GetRole => shown_as(role::get_role(cx, &call.input()?)),
        Operation::GetRolePolicy => shown_as(inline_policy::get_role_policy(cx, call.input()?)),
        Operation::GetServiceLinkedRoleDeletionStatus => {
            shown_as(service_linked::get_service_linked_role_deletion_status(cx, &call.input()?))
        }
        Operation::GetUser => shown_as(user::get_user(cx, &call.input()?)),
        Operation::GetUserPolicy => shown_as(inline_policy::get_user_policy(cx, call.input()?)),
        Operation::ListAccessKeys => shown_as(access_key::list_access_keys(cx, &call.input()?)),
        Operation::ListAttachedGroupPolicies => {
            shown_as(attached_policy::list_attached_group_policies(cx, call.input()?))
        }
        Operation::ListAttachedRolePolicies => {
            shown_as(attached_policy::list_attached_role_policies(cx, call.input()?))
        }
        Operation::ListAttachedUserPolicies => {
            shown_as(attached_policy::list_attached_user_policies(cx, call.input()?))
        }
        Operation::ListEntitiesForPolicy => {
            shown_as(policy::list_entities_for_policy(cx, &call.input()?))
        }
        Operation::ListGroupPolicies => {
            shown_as(inline_policy::list_group_policies(cx, call.input()?))
        }
        Operation::ListGroups => shown_as(group::list_groups(cx, &call.input()?)),
        Operation::ListGroupsForUser => shown_as(group::list_groups_for_user(cx, &call.input()?)),
        Operation::ListPolicies => shown_as(policy::list_policies(cx, &call.input()?)),
        Operation::ListPolicyTags => shown_as(tagging::list_policy_tags(cx, &call.input()?)),
        Operation::ListPolicyVersions => {
            shown_as(policy_version::list_policy_versions(cx, &call.input()?))
        }
        Operation::ListRolePolicies => {
            shown_as(inline_policy::list_role_policies(cx, call.input()?))
        }
        Operation::ListRoleTags => shown_as(tagging::list_role_tags(cx, &call.input()?)),
        Operation::ListRoles => shown_as(role::list_roles(cx, &call.input()?)),
        Operation::ListUserPolicies => {
            shown_as(inline_policy::list_user_policies(cx, call.input()?))
        }
        Operation::ListUserTags => shown_as(tagging::list_user_tags(cx, &call.input()?)),
        Operation::ListUsers => shown_as(user::list_users(cx, &call.input()?)),
        Operation::PutGroupPolicy => done(inline_policy::put_group_policy(cx, call.input()?).await),
        Operation::PutRolePermissionsBoundary => {
            done(boundary::put_role_permissions_boundary(cx, call.input()?).await)
        }
        Operation::PutRolePolicy => done(inline_policy::put_role_policy(cx, call.input()?).await),
        Operation::PutUserPermissionsBoundary => {
            done(boundary::put_user_permissions_boundary(cx, call.input()?).await)
        }
        Operation::PutUserPolicy => done(inline_policy::put_user_policy(cx, call.input()?).await),
        Operation::RemoveUserFromGroup => {
            done(group::remove_user_from_group(cx, call.input()?).await)
        }
        Operation::SetDefaultPolicyVersion => {
            done(policy_version::set_default_policy_version(cx, call.input()?).await)
        }
        Operation::SimulateCustomPolicy => {
            shown_as(simulate::simulate_custom_policy(cx, call.input()?))
        }
        Operation::SimulatePrincipalPolicy => {
            shown_as(simulate::simulate_principal_policy(cx, call.input()?))
        }
        Operation::TagPolicy => done(tagging::tag_policy(cx, call.input()?).await),
        Operation::TagRole => done(tagging::tag_role(cx, call.input()?).await),
        Operation::TagUser => done(tagging::tag_user(cx, call.input()?).await),
        Operation::UntagPolicy => done(tagging::untag_policy(cx, call.input()?).await),
        Operation::UntagRole => done(tagging::untag_role(cx, call.input()?).await),
        Operation::UntagUser => done(tagging::untag_user(cx, call.input()?).await),
        Operation::UpdateAccessKey => done(access_key::update_access_key(cx, call.input()?).await),
        Operation::UpdateAssumeRolePolicy => {
            done(role::update_assume_role_policy(cx, call.input()?).await)
        }
        Operation::UpdateGroup => done(group::update_group(cx, call.input()?).await),
        Operation::UpdateRole => shown_as(role::update_role(cx, call.input()?).await),
        Operation::UpdateRoleDescription => {
            shown_as(role::update_role_description(cx, call.input()?).await)
        }
        Operation::UpdateUser => done(user::update_user(cx, call.input()?).await),
    }
}

/// AWS lets the sessions of `GetSessionToken` call IAM only after MFA, which there is not.
fn refuse_sessions_of_users(cx: &Context) -> Result<(), Refusal> {
    let state = cx.store.state();
    match state.sessions.get(&cx.asked.access_key_id).map(|session| &session.subject) {
        Some(Subject::Root | Subject::User { .. }) => Err(Refusal::UserSession),
        Some(Subject::Role { .. }) | None => Ok(()),
    }
}

fn shown_as(output: Result<impl Value, Error>) -> Result<Document, Error> {
    output.map(|output| output.to_document())
}

fn done(output: Result<(), Error>) -> Result<Document, Error> {
    output.map(|()| Document::empty())
}
