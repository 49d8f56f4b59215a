//! Who there is: users, groups, roles, keys, sessions and policies, and what becomes of them when they are changed.
//!
//! Facts and texts: `reference/autoscaling-and-cloudwatch.md`, sections 1.9 and 8.5. A policy is text here: what it
//! means is for `auth::policy` to say, and whether it is well formed was asked before.

mod access_key;
mod aws_managed;
mod entropy;
mod grants;
mod group;
mod managed_policy;
mod name;
mod refusal;
mod role;
mod service_linked;
mod session;
mod tags;
#[cfg(test)]
mod tests;
mod user;

pub use access_key::{ACCESS_KEYS_MAX, AccessKey, LastUsed, Owner, Status};
pub use aws_managed::{aws_managed, aws_managed_policies};
pub use entropy::{access_key_id, secret, session_key_id, session_token, unique_id};
pub use grants::{ATTACHED_MAX, Grants, Holder};
pub use group::Group;
pub use managed_policy::{MANAGED_POLICY_CHARACTERS_MAX, ManagedPolicy, VERSIONS_MAX, Version};
pub use name::{Astray, NameKey, PolicyArn, arn, characters};
pub use refusal::{Refusal, RefusalKind};
pub use role::{Role, SESSION_SECS, TRUST_CHARACTERS_MAX};
pub use service_linked::{
    AUTOSCALING_SERVICE, DeletionTask, SERVICE_ROLE_PATH, scaling_role_name, service_linked_role,
};
pub use session::{Session, Subject};
pub use tags::{tagged, untagged};
pub use user::{GROUPS_MAX, User};

/// Users, groups, roles and policies of each kind that one server keeps. AWS's quotas begin at 5,000, 300, 1,000 and
/// 1,500 and may be raised; all of them lie in memory here, and 50,000 of some kilobytes still do so easily.
pub const ENTITIES_MAX: usize = 50_000;
