//! What is scaled, and the names under which the outside knows it: resource ids and ARNs
//! (`reference/autoscaling-and-cloudwatch.md`, section 1.3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Policy, Refusal, Target};
use crate::arn::Scope;
use crate::name::{EndpointKey, EndpointName, VariantName};
use crate::uuid::Uuid;

/// The service namespace whose resources Tidegate scales.
pub const NAMESPACE: &str = "sagemaker";

/// The scalable dimension that Tidegate has.
pub const DIMENSION: &str = "sagemaker:variant:DesiredInstanceCount";

/// What a target's ARN puts before the digits of its id: AWS's prefix for variants of SageMaker endpoints.
const TARGET_PREFIX: &str = "056m";

/// What is scaled: `endpoint/NAME/variant/NAME` in the dimension `sagemaker:variant:DesiredInstanceCount`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ResourceId {
    /// As it was spelled.
    pub endpoint: EndpointName,
    pub variant: VariantName,
}

impl fmt::Display for ResourceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "endpoint/{}/variant/{}", self.endpoint, self.variant)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a resource id has the form endpoint/NAME/variant/NAME")]
pub struct NotResourceId;

impl FromStr for ResourceId {
    type Err = NotResourceId;

    fn from_str(raw: &str) -> Result<Self, NotResourceId> {
        let rest = raw.strip_prefix("endpoint/").ok_or(NotResourceId)?;
        let (endpoint, variant) = rest.split_once("/variant/").ok_or(NotResourceId)?;
        Ok(Self {
            endpoint: endpoint.parse().map_err(|_| NotResourceId)?,
            variant: variant.parse().map_err(|_| NotResourceId)?,
        })
    }
}

impl ResourceId {
    /// Reads the three parts by which every operation names a target.
    pub fn read(namespace: &str, resource: &str, dimension: &str) -> Result<Self, Refusal> {
        check_dimension(namespace, dimension)?;
        resource.parse().map_err(|_| Refusal::Unsupported)
    }
}

/// Whether a namespace and a dimension are the ones that Tidegate has. A dimension of another namespace is AWS's own case.
pub fn check_dimension(namespace: &str, dimension: &str) -> Result<(), Refusal> {
    if dimension.split(':').next() != Some(namespace) {
        return Err(Refusal::NotAuthorized);
    }
    if namespace != NAMESPACE || dimension != DIMENSION {
        return Err(Refusal::Unsupported);
    }
    Ok(())
}

/// A target's identity: endpoints differ by more than case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetKey {
    pub endpoint: EndpointKey,
    pub variant: VariantName,
}

impl From<&ResourceId> for TargetKey {
    fn from(id: &ResourceId) -> Self {
        Self { endpoint: EndpointKey::from(&id.endpoint), variant: id.variant.clone() }
    }
}

impl fmt::Display for TargetKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "endpoint/{}/variant/{}", self.endpoint.as_str(), self.variant)
    }
}

impl Target {
    /// `ScalableTargetARN`.
    pub fn arn(&self, scope: &Scope) -> String {
        let Scope { region, account } = scope;
        let tail = self.id.simple();
        format!(
            "arn:aws:application-autoscaling:{region}:{account}:scalable-target/{TARGET_PREFIX}{tail}"
        )
    }

    /// The ARN of a policy of this target. It names the namespace and the resource, and no dimension.
    pub fn policy_arn(&self, scope: &Scope, policy: &str) -> String {
        let Scope { region, account } = scope;
        let Self { id, resource, .. } = self;
        format!(
            "arn:aws:autoscaling:{region}:{account}:scalingPolicy:{id}:resource/{NAMESPACE}/{resource}:policyName/{policy}"
        )
    }

    /// The ARN of a scheduled action of this target.
    pub fn scheduled_action_arn(&self, scope: &Scope, action: &str) -> String {
        let Scope { region, account } = scope;
        let Self { id, resource, .. } = self;
        format!(
            "arn:aws:autoscaling:{region}:{account}:scheduledAction:{id}:resource/{NAMESPACE}/{resource}\
             :scheduledActionName/{action}"
        )
    }

    /// What the alarms of a target tracking policy have as their action: the policy's ARN, and who made the alarm.
    pub fn alarm_action(&self, scope: &Scope, policy: &Policy) -> String {
        format!("{}:createdBy/{}", self.policy_arn(scope, &policy.name), policy.created_by)
    }
}

/// What an alarm's action names: a scaling policy of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRef {
    pub target: TargetKey,
    /// The id of the target as it was registered then; another one means that the policy is gone.
    pub target_id: Uuid,
    pub policy: String,
    /// Present where Application Auto Scaling made the alarm.
    pub created_by: Option<Uuid>,
}

impl ActionRef {
    /// Reads an alarm's action; nothing where it is none of Application Auto Scaling's on this server.
    pub fn read(scope: &Scope, action: &str) -> Option<Self> {
        let rest = action.strip_prefix("arn:aws:autoscaling:")?;
        let rest = rest.strip_prefix(scope.region.as_str())?.strip_prefix(':')?;
        let rest = rest.strip_prefix(scope.account.as_str())?.strip_prefix(":scalingPolicy:")?;
        let (id, rest) = rest.split_once(':')?;
        let rest = rest.strip_prefix("resource/")?.strip_prefix(NAMESPACE)?.strip_prefix('/')?;
        let (resource, name) = rest.split_once(":policyName/")?;
        let resource: ResourceId = resource.parse().ok()?;
        // A policy's name may hold colons and slashes, so that only a UUID at the end tells who made the alarm.
        let made = name
            .rsplit_once(":createdBy/")
            .and_then(|(name, by)| Some((name, by.parse::<Uuid>().ok()?)));
        let (policy, created_by) = made.map_or((name, None), |(name, by)| (name, Some(by)));
        Some(Self {
            target: TargetKey::from(&resource),
            target_id: id.parse().ok()?,
            policy: policy.to_owned(),
            created_by,
        })
    }
}

/// Whether an ARN has the form that the tag operations ask for; its 32 digits are the target's id.
pub fn target_id_of_arn(scope: &Scope, arn: &str) -> Option<Uuid> {
    let Scope { region, account } = scope;
    let prefix = format!(
        "arn:aws:application-autoscaling:{region}:{account}:scalable-target/{TARGET_PREFIX}"
    );
    arn.strip_prefix(prefix.as_str())?.parse().ok()
}
