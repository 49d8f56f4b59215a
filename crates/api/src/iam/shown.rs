//! Records as IAM shows them.

use domain::arn::Scope;
use domain::iam::{AccessKey, Grants, ManagedPolicy, Owner, Status, Version};
use domain::tag::Tags;
use domain::time::Timestamp;
use store::State;
use wire::iam::{
    AccessKeyMetadata, AttachedPermissionsBoundary, AttachedPolicy, Group,
    PermissionsBoundaryAttachmentType, Policy, PolicyVersion, Role, RoleLastUsed, StatusType, Tag,
    User,
};

use super::document::encoded;
use super::usage::Usage;

/// What stands for the name of the account's root user, who has none.
pub(super) const ROOT_NAME: &str = "root";

pub(super) fn time(at: Timestamp) -> wire::Timestamp {
    wire::Timestamp(at.as_millis())
}

/// None rather than an empty list: the lists of users and roles never have tags, the single ones may.
pub(super) fn tags(tags: &Tags) -> Option<Vec<Tag>> {
    (!tags.0.is_empty()).then(|| tag_list(tags))
}

pub(super) fn tag_list(tags: &Tags) -> Vec<Tag> {
    let pairs = tags.0.iter();
    pairs.map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

pub(super) fn pairs(tags: Option<Vec<Tag>>) -> impl Iterator<Item = (String, String)> {
    tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))
}

pub(super) fn boundary(arn: Option<&String>) -> Option<AttachedPermissionsBoundary> {
    arn.map(|arn| AttachedPermissionsBoundary {
        permissions_boundary_type: Some(
            PermissionsBoundaryAttachmentType::PermissionsBoundaryPolicy,
        ),
        permissions_boundary_arn: Some(arn.clone()),
    })
}

pub(super) fn user(scope: &Scope, user: &domain::iam::User) -> User {
    User {
        path: user.path.clone(),
        user_name: user.name.clone(),
        user_id: user.id.clone(),
        arn: user.arn(scope),
        create_date: time(user.created_at),
        password_last_used: None,
        permissions_boundary: boundary(user.boundary.as_ref()),
        tags: tags(&user.tags),
    }
}

/// As lists show it.
pub(super) fn user_in_list(scope: &Scope, one: &domain::iam::User) -> User {
    User { tags: None, permissions_boundary: None, ..user(scope, one) }
}

pub(super) fn group(scope: &Scope, group: &domain::iam::Group) -> Group {
    Group {
        path: group.path.clone(),
        group_name: group.name.clone(),
        group_id: group.id.clone(),
        arn: group.arn(scope),
        create_date: time(group.created_at),
    }
}

pub(super) fn role(state: &State, scope: &Scope, one: &domain::iam::Role) -> Role {
    let used = state.last_used.get(&one.id).map(|used| RoleLastUsed {
        last_used_date: Some(time(used.at)),
        region: Some(used.region.clone()),
    });
    Role {
        permissions_boundary: boundary(one.boundary.as_ref()),
        tags: tags(&one.tags),
        // A role that was never used has the element, and nothing in it.
        role_last_used: Some(used.unwrap_or_default()),
        ..role_in_list(scope, one)
    }
}

/// As lists show it.
pub(super) fn role_in_list(scope: &Scope, role: &domain::iam::Role) -> Role {
    Role {
        path: role.path.clone(),
        role_name: role.name.clone(),
        role_id: role.id.clone(),
        arn: role.arn(scope),
        create_date: time(role.created_at),
        assume_role_policy_document: Some(encoded(&role.trust)),
        description: role.description.clone(),
        max_session_duration: i32::try_from(role.max_session_secs).ok(),
        permissions_boundary: None,
        tags: None,
        role_last_used: None,
        source_role_template: None,
    }
}

pub(super) fn policy(scope: &Scope, policy: &ManagedPolicy, usage: Usage) -> Policy {
    Policy {
        description: policy.description.clone(),
        tags: tags(&policy.tags),
        ..policy_in_list(scope, policy, usage)
    }
}

/// As lists show it.
pub(super) fn policy_in_list(scope: &Scope, policy: &ManagedPolicy, usage: Usage) -> Policy {
    Policy {
        policy_name: Some(policy.name.clone()),
        policy_id: Some(policy.id.clone()),
        arn: Some(policy.arn(scope)),
        path: Some(policy.path.clone()),
        default_version_id: Some(version_id(policy.default)),
        attachment_count: Some(usage.attached),
        permissions_boundary_usage_count: Some(usage.boundaries),
        is_attachable: Some(true),
        description: None,
        create_date: Some(time(policy.created_at)),
        update_date: Some(time(policy.updated_at)),
        tags: None,
    }
}

pub(super) fn version_id(number: u32) -> String {
    format!("v{number}")
}

/// A version without its text.
pub(super) fn version(policy: &ManagedPolicy, number: u32, version: &Version) -> PolicyVersion {
    PolicyVersion {
        document: None,
        version_id: Some(version_id(number)),
        is_default_version: Some(number == policy.default),
        create_date: Some(time(version.created_at)),
    }
}

/// The managed policies of a holder with their names, which order them.
pub(super) fn attached(
    state: &State,
    scope: &Scope,
    grants: &Grants,
    path_prefix: &str,
) -> Vec<(String, AttachedPolicy)> {
    let found = grants.attached.iter().filter_map(|arn| {
        let policy = state.managed_policy(scope, arn)?;
        let shown = AttachedPolicy {
            policy_name: Some(policy.name.clone()),
            policy_arn: Some(arn.clone()),
        };
        // Names order them; the ARN tells two of one name apart, the account's and AWS's.
        let key = format!("{}\n{}", policy.key(), if policy.aws { "aws" } else { "own" });
        policy.path.starts_with(path_prefix).then_some((key, shown))
    });
    let mut found: Vec<_> = found.collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

pub(super) const fn status(status: Status) -> StatusType {
    match status {
        Status::Active => StatusType::Active,
        Status::Inactive => StatusType::Inactive,
    }
}

pub(super) fn owner(state: &State, owner: &Owner) -> String {
    match owner {
        Owner::Root => ROOT_NAME.to_owned(),
        Owner::User(name) => {
            state.users.get(name).map_or_else(|| name.to_string(), |user| user.name.clone())
        }
    }
}

/// A key without its secret.
pub(super) fn access_key(state: &State, key: &AccessKey) -> AccessKeyMetadata {
    AccessKeyMetadata {
        user_name: Some(owner(state, &key.owner)),
        access_key_id: Some(key.id.clone()),
        status: Some(status(key.status)),
        create_date: Some(time(key.created_at)),
    }
}
