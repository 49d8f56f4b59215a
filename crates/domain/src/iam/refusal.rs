//! Why a request is refused, in AWS's words where they are known
//! (`reference/autoscaling-and-cloudwatch.md`, section 8.5). Nothing changes then.

use super::Holder;

/// The error of AWS's model that a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalKind {
    NoSuchEntity,
    EntityAlreadyExists,
    DeleteConflict,
    LimitExceeded,
    InvalidInput,
    UnmodifiableEntity,
    PolicyNotAttachable,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("The {} with name {name} cannot be found.", holder.noun())]
    NoHolder { holder: Holder, name: String },
    #[error("The {} policy with name {name} cannot be found.", holder.noun())]
    NoInlinePolicy { holder: Holder, name: String },
    #[error("Policy {0} was not found.")]
    NoPolicy(String),
    #[error("Policy {0} does not exist or is not attachable.")]
    NotAttachable(String),
    #[error("Policy {arn} version {version} does not exist or is not attachable.")]
    NoVersion { arn: String, version: String },
    #[error("The Access Key with id {0} cannot be found")]
    NoAccessKey(String),
    #[error("Deletion Task Id: {0} cannot be found.")]
    NoDeletionTask(String),

    #[error("{} with name {name} already exists.", holder.capitalized())]
    HolderExists { holder: Holder, name: String },
    #[error("A policy called {0} already exists. Duplicate names are not allowed.")]
    PolicyExists(String),

    #[error("Cannot delete entity, must detach all policies first.")]
    PoliciesAttached,
    #[error("Cannot delete entity, must delete policies first.")]
    PoliciesInline,
    #[error("Cannot delete entity, must delete access keys first.")]
    HasAccessKeys,
    /// Of a user that is in groups, and of a group that has users.
    #[error("Cannot delete entity, must remove users from group first.")]
    InGroups,
    #[error("Cannot delete a policy attached to entities.")]
    PolicyInUse,
    #[error(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
         The default version is deleted with the policy."
    )]
    HasVersions,
    #[error("Cannot delete the default version of a policy.")]
    DefaultVersion,

    #[error("Cannot exceed quota for {quota}: {max}")]
    Quota { quota: &'static str, max: usize },
    #[error("Maximum policy size of {max} bytes exceeded for {} {name}", holder.noun())]
    InlineTooLong { holder: Holder, name: String, max: usize },
    #[error(
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing \
         version."
    )]
    TooManyVersions,

    #[error("ARN {0} is not valid.")]
    BadArn(String),
    #[error("Duplicate tag keys found. Please note that Tag keys are case insensitive.")]
    DuplicateTag,
    #[error("Tag keys that begin with aws: are reserved.")]
    ReservedTag,
    #[error("Service role name {0} has been taken in this account, please try a different suffix.")]
    ServiceRoleTaken(String),
    #[error("Custom suffix is not allowed for {0}")]
    SuffixNotAllowed(String),
    #[error("Service {0} does not exist or has no service-linked role on this server.")]
    NoService(String),
    #[error("Role {0} is not a service-linked role.")]
    NotServiceLinked(String),

    #[error(
        "Cannot perform the operation on the protected role '{0}' - this role is only modifiable by AWS"
    )]
    Protected(String),
    #[error("Cannot attach a Service Role Policy to a Customer Role.")]
    ServiceRolePolicy,
}

impl Refusal {
    /// A limit by AWS's name for it.
    pub const fn quota(quota: &'static str, max: usize) -> Self {
        Self::Quota { quota, max }
    }

    pub const fn kind(&self) -> RefusalKind {
        match self {
            Self::NoHolder { .. }
            | Self::NoInlinePolicy { .. }
            | Self::NoPolicy(_)
            | Self::NotAttachable(_)
            | Self::NoVersion { .. }
            | Self::NoAccessKey(_)
            | Self::NoDeletionTask(_) => RefusalKind::NoSuchEntity,
            Self::HolderExists { .. } | Self::PolicyExists(_) => RefusalKind::EntityAlreadyExists,
            Self::PoliciesAttached
            | Self::PoliciesInline
            | Self::HasAccessKeys
            | Self::InGroups
            | Self::PolicyInUse
            | Self::HasVersions
            | Self::DefaultVersion => RefusalKind::DeleteConflict,
            Self::Quota { .. } | Self::InlineTooLong { .. } | Self::TooManyVersions => {
                RefusalKind::LimitExceeded
            }
            Self::BadArn(_)
            | Self::DuplicateTag
            | Self::ReservedTag
            | Self::ServiceRoleTaken(_)
            | Self::SuffixNotAllowed(_)
            | Self::NoService(_)
            | Self::NotServiceLinked(_) => RefusalKind::InvalidInput,
            Self::Protected(_) => RefusalKind::UnmodifiableEntity,
            Self::ServiceRolePolicy => RefusalKind::PolicyNotAttachable,
        }
    }
}
