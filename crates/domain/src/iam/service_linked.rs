//! Service-linked roles: the one that Application Auto Scaling uses for endpoints
//! (`reference/autoscaling-and-cloudwatch.md`, section 1.9).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{NameKey, Refusal, Role, arn};
use crate::time::Timestamp;
use crate::uuid::Uuid;

/// Paths of service-linked roles and of their policies begin so.
pub const SERVICE_ROLE_PATH: &str = "/aws-service-role/";

/// The service whose role this is.
pub const AUTOSCALING_SERVICE: &str = "sagemaker.application-autoscaling.amazonaws.com";

const ROLE_NAME: &str = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint";
pub(super) const POLICY_NAME: &str = "AWSApplicationAutoscalingSageMakerEndpointPolicy";

/// Under which key the role is kept: it exists, or the first `RegisterScalableTarget` makes it.
pub fn scaling_role_name() -> NameKey {
    NameKey::new(ROLE_NAME)
}

/// The role of a service, as the service makes it.
pub fn service_linked_role(
    service: &str,
    suffix: Option<&str>,
    description: Option<String>,
    entropy: u128,
    now: Timestamp,
) -> Result<Role, Refusal> {
    if service != AUTOSCALING_SERVICE {
        return Err(Refusal::NoService(service.to_owned()));
    }
    if suffix.is_some() {
        return Err(Refusal::SuffixNotAllowed(service.to_owned()));
    }
    let trust = format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\
         \"{service}\"}},\"Action\":\"sts:AssumeRole\"}}]}}"
    );
    let path = format!("{SERVICE_ROLE_PATH}{service}/");
    let mut role = Role::new(ROLE_NAME.to_owned(), path, trust, entropy, now);
    role.description = description;
    role.grants.attached.insert(arn("aws", "policy", SERVICE_ROLE_PATH, POLICY_NAME));
    Ok(role)
}

/// The deletion of a service-linked role, which is asked for and then asked after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionTask {
    pub id: Uuid,
    /// The path and the name of the role.
    pub path: String,
    pub role: String,
    /// Server time.
    pub asked_at: Timestamp,
    /// ARNs of what used the role, so that it stayed. None: it was deleted.
    pub used_by: Vec<String>,
}

impl DeletionTask {
    /// Reads a task's id out of what [`fmt::Display`] writes.
    pub fn id_of(text: &str) -> Option<Uuid> {
        text.strip_prefix("task")?.rsplit_once('/')?.1.parse().ok()
    }
}

/// `task/aws-service-role/{service}/{role}/{uuid}`.
impl fmt::Display for DeletionTask {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "task{}{}/{}", self.path, self.role, self.id)
    }
}
