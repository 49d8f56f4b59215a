//! The account as a whole: everything that is authorized, and how much there is of each kind.

use std::collections::BTreeMap;

use domain::iam::{
    ACCESS_KEYS_MAX, ATTACHED_MAX, ENTITIES_MAX, GROUPS_MAX, Grants, Holder,
    MANAGED_POLICY_CHARACTERS_MAX, ManagedPolicy, Owner, TRUST_CHARACTERS_MAX, VERSIONS_MAX,
    aws_managed_policies,
};
use store::State;
use wire::iam::{
    EntityType, GetAccountAuthorizationDetailsRequest, GetAccountAuthorizationDetailsResponse,
    GetAccountSummaryResponse, GroupDetail, ManagedPolicyDetail, PolicyDetail, PolicyVersion,
    RoleDetail, SummaryKeyType, UserDetail,
};

use super::page::Page;
use super::usage::{self, Usage};
use super::{document, shown};
use crate::{Context, Error};

/// One entry of any kind. Their order is that of the kinds, then of the names.
enum Entry<'a> {
    User(&'a domain::iam::User),
    Group(&'a domain::iam::Group),
    Role(&'a domain::iam::Role),
    Policy(&'a ManagedPolicy),
}

pub(super) fn get_account_authorization_details(
    cx: &Context,
    input: &GetAccountAuthorizationDetailsRequest,
) -> Result<GetAccountAuthorizationDetailsResponse, Error> {
    let state = cx.store.state();
    let page = Page::read("details", input.max_items, input.marker.as_deref())?;
    let in_use = usage::of_all(&state);
    let filter = input.filter.as_deref().unwrap_or_default();
    let page = page.of(entries(cx, &state, filter, &in_use));
    let mut output = GetAccountAuthorizationDetailsResponse {
        user_detail_list: Some(Vec::new()),
        group_detail_list: Some(Vec::new()),
        role_detail_list: Some(Vec::new()),
        policies: Some(Vec::new()),
        is_truncated: page.is_truncated,
        marker: page.marker,
    };
    for entry in page.records {
        match entry {
            Entry::User(one) => {
                output.user_detail_list.get_or_insert_default().push(user(cx, &state, one));
            }
            Entry::Group(one) => {
                output.group_detail_list.get_or_insert_default().push(group(cx, &state, one));
            }
            Entry::Role(one) => {
                output.role_detail_list.get_or_insert_default().push(role(cx, &state, one));
            }
            Entry::Policy(one) => {
                let usage = in_use.get(&*one.arn(&cx.scope)).copied().unwrap_or_default();
                output.policies.get_or_insert_default().push(policy(cx, one, usage));
            }
        }
    }
    Ok(output)
}

/// Everything that the filter admits, in order. Of AWS's policies, those that are in use.
fn entries<'a>(
    cx: &Context,
    state: &'a State,
    filter: &'a [EntityType],
    in_use: &BTreeMap<&str, Usage>,
) -> impl Iterator<Item = (String, Entry<'a>)> + use<'a> {
    let wanted = move |kind| filter.is_empty() || filter.contains(&kind);
    let users = state.users.iter().filter(move |_| wanted(EntityType::User));
    let groups = state.groups.iter().filter(move |_| wanted(EntityType::Group));
    let roles = state.roles.iter().filter(move |_| wanted(EntityType::Role));
    let own = state.managed_policies.iter();
    let own = own.filter(move |_| wanted(EntityType::LocalManagedPolicy));
    let aws = aws_managed_policies().iter().filter(|policy| {
        wanted(EntityType::AWSManagedPolicy) && in_use.contains_key(&*policy.arn(&cx.scope))
    });
    let mut aws: Vec<_> = aws.map(|one| (format!("5/{}", one.key()), Entry::Policy(one))).collect();
    aws.sort_by(|(a, _), (b, _)| a.cmp(b));
    users
        .map(|(key, one)| (format!("1/{key}"), Entry::User(one)))
        .chain(groups.map(|(key, one)| (format!("2/{key}"), Entry::Group(one))))
        .chain(roles.map(|(key, one)| (format!("3/{key}"), Entry::Role(one))))
        .chain(own.map(|(key, one)| (format!("4/{key}"), Entry::Policy(one))))
        .chain(aws)
}

fn inline(grants: &Grants) -> Vec<PolicyDetail> {
    let details = grants.inline.iter().map(|(name, text)| PolicyDetail {
        policy_name: Some(name.clone()),
        policy_document: Some(document::encoded(text)),
    });
    details.collect()
}

fn attached(cx: &Context, state: &State, grants: &Grants) -> Vec<wire::iam::AttachedPolicy> {
    let attached = shown::attached(state, &cx.scope, grants, "/");
    attached.into_iter().map(|(_, policy)| policy).collect()
}

fn user(cx: &Context, state: &State, user: &domain::iam::User) -> UserDetail {
    UserDetail {
        path: Some(user.path.clone()),
        user_name: Some(user.name.clone()),
        user_id: Some(user.id.clone()),
        arn: Some(user.arn(&cx.scope)),
        create_date: Some(shown::time(user.created_at)),
        user_policy_list: Some(inline(&user.grants)),
        group_list: Some(state.groups_of(user).map(|group| group.name.clone()).collect()),
        attached_managed_policies: Some(attached(cx, state, &user.grants)),
        permissions_boundary: shown::boundary(user.boundary.as_ref()),
        tags: Some(shown::tag_list(&user.tags)),
    }
}

fn group(cx: &Context, state: &State, group: &domain::iam::Group) -> GroupDetail {
    GroupDetail {
        path: Some(group.path.clone()),
        group_name: Some(group.name.clone()),
        group_id: Some(group.id.clone()),
        arn: Some(group.arn(&cx.scope)),
        create_date: Some(shown::time(group.created_at)),
        group_policy_list: Some(inline(&group.grants)),
        attached_managed_policies: Some(attached(cx, state, &group.grants)),
    }
}

fn role(cx: &Context, state: &State, role: &domain::iam::Role) -> RoleDetail {
    let whole = shown::role(state, &cx.scope, role);
    RoleDetail {
        path: Some(whole.path),
        role_name: Some(whole.role_name),
        role_id: Some(whole.role_id),
        arn: Some(whole.arn),
        create_date: Some(whole.create_date),
        assume_role_policy_document: whole.assume_role_policy_document,
        instance_profile_list: Some(Vec::new()),
        role_policy_list: Some(inline(&role.grants)),
        attached_managed_policies: Some(attached(cx, state, &role.grants)),
        permissions_boundary: whole.permissions_boundary,
        tags: Some(shown::tag_list(&role.tags)),
        role_last_used: whole.role_last_used,
    }
}

fn policy(cx: &Context, policy: &ManagedPolicy, usage: Usage) -> ManagedPolicyDetail {
    let versions = policy.versions.iter().rev().map(|(number, version)| PolicyVersion {
        document: Some(document::encoded(&version.document)),
        ..shown::version(policy, *number, version)
    });
    let whole = shown::policy(&cx.scope, policy, usage);
    ManagedPolicyDetail {
        policy_name: whole.policy_name,
        policy_id: whole.policy_id,
        arn: whole.arn,
        path: whole.path,
        default_version_id: whole.default_version_id,
        attachment_count: whole.attachment_count,
        permissions_boundary_usage_count: whole.permissions_boundary_usage_count,
        is_attachable: whole.is_attachable,
        description: whole.description,
        create_date: whole.create_date,
        update_date: whole.update_date,
        policy_version_list: Some(versions.collect()),
    }
}

/// Of what does not exist here (certificates, MFA devices, instance profiles), there is none.
pub(super) fn get_account_summary(cx: &Context) -> GetAccountSummaryResponse {
    let state = cx.store.state();
    let root_keys = state.access_keys.values().filter(|key| key.owner == Owner::Root).count();
    let versions = state.managed_policies.values().map(|policy| policy.versions.len()).sum();
    let count = |key: SummaryKeyType| match key {
        SummaryKeyType::Users => state.users.size(),
        SummaryKeyType::Groups => state.groups.size(),
        SummaryKeyType::Roles => state.roles.size(),
        SummaryKeyType::Policies => state.managed_policies.size(),
        SummaryKeyType::UsersQuota
        | SummaryKeyType::GroupsQuota
        | SummaryKeyType::RolesQuota
        | SummaryKeyType::PoliciesQuota => ENTITIES_MAX,
        SummaryKeyType::UserPolicySizeQuota => Holder::User.inline_characters_max(),
        SummaryKeyType::GroupPolicySizeQuota => Holder::Group.inline_characters_max(),
        SummaryKeyType::RolePolicySizeQuota => Holder::Role.inline_characters_max(),
        SummaryKeyType::GroupsPerUserQuota => GROUPS_MAX,
        SummaryKeyType::AccessKeysPerUserQuota => ACCESS_KEYS_MAX,
        // The key of the credentials file is the root user's too.
        SummaryKeyType::AccountAccessKeysPresent => 1 + root_keys,
        SummaryKeyType::AttachedPoliciesPerGroupQuota
        | SummaryKeyType::AttachedPoliciesPerRoleQuota
        | SummaryKeyType::AttachedPoliciesPerUserQuota => ATTACHED_MAX,
        SummaryKeyType::PolicySizeQuota => MANAGED_POLICY_CHARACTERS_MAX,
        SummaryKeyType::PolicyVersionsInUse => versions,
        SummaryKeyType::PolicyVersionsInUseQuota => ENTITIES_MAX * VERSIONS_MAX,
        SummaryKeyType::VersionsPerPolicyQuota => VERSIONS_MAX,
        SummaryKeyType::GlobalEndpointTokenVersion => 2,
        SummaryKeyType::AssumeRolePolicySizeQuota => TRUST_CHARACTERS_MAX,
        SummaryKeyType::ServerCertificates
        | SummaryKeyType::ServerCertificatesQuota
        | SummaryKeyType::SigningCertificatesPerUserQuota
        | SummaryKeyType::MFADevices
        | SummaryKeyType::MFADevicesInUse
        | SummaryKeyType::AccountMFAEnabled
        | SummaryKeyType::AccountPasswordPresent
        | SummaryKeyType::AccountSigningCertificatesPresent
        | SummaryKeyType::InstanceProfiles
        | SummaryKeyType::InstanceProfilesQuota
        | SummaryKeyType::Providers => 0,
    };
    let all = SummaryKeyType::ALL
        .iter()
        .map(|key| (key.as_str().to_owned(), i32::try_from(count(*key)).unwrap_or(i32::MAX)));
    GetAccountSummaryResponse { summary_map: Some(all.collect()) }
}
