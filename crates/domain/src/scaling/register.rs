//! `RegisterScalableTarget`: merge rules, bounds, and the correction of a capacity that lies outside them
//! (`reference/autoscaling-and-cloudwatch.md`, sections 1.5 and 1.6).

use super::{Cause, Change, Refusal, Resource, ResourceId, Suspended, Target};
use crate::arn::{Kind, Scope};
use crate::endpoint::{Deployment, Endpoint, Stage};
use crate::time::Timestamp;
use crate::uuid::Uuid;

/// Instance types that SageMaker does not scale.
const BURSTABLE: &str = "ml.t2.";

/// Whether SageMaker does not scale an instance type.
pub fn is_burstable(kind: &str) -> bool {
    kind.starts_with(BURSTABLE)
}

/// What a request asks for. What is absent stays as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    pub resource: ResourceId,
    pub min: Option<i32>,
    pub max: Option<i32>,
    pub suspended: SuspendedChange,
    /// Only its form counts: SageMaker's targets always use the service-linked role (section 1.9).
    pub role_arn: Option<String>,
    /// Whether the request carries tags, which only a new target takes.
    pub tagged: bool,
}

/// `SuspendedState` of a request: it merges flag by flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SuspendedChange {
    pub dynamic_in: Option<bool>,
    pub dynamic_out: Option<bool>,
    pub scheduled: Option<bool>,
}

/// What is there when the request comes.
#[derive(Debug, Clone, Copy)]
pub struct Registry<'a> {
    pub scope: &'a Scope,
    /// The target of this key, if it is registered. What it has in flight has been looked at by [`super::finish`].
    pub existing: Option<&'a Target>,
    pub endpoint: Option<&'a Endpoint>,
    /// How many targets there are.
    pub targets: usize,
    /// How many there may be; see [`super::TARGETS_MAX`].
    pub targets_max: usize,
}

/// A registered target, and what its bounds make of the capacity that is there: hand it to [`super::begin`].
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    pub target: Target,
    pub correction: Option<Change>,
}

/// Registers a target, or updates one. `id` is used for a new one.
pub fn register(
    registry: &Registry<'_>,
    request: &Registration,
    id: Uuid,
    now: Timestamp,
) -> Result<Registered, Refusal> {
    let existing = registry.existing;
    let (min, max) = bounds(existing, request)?;
    if let Some(role) = request.role_arn.as_ref().filter(|role| !is_arn(role)) {
        return Err(Refusal::RoleNotArn(role.clone()));
    }
    if existing.is_some() && request.tagged {
        return Err(Refusal::TagsOnExisting);
    }
    if existing.is_none() && registry.targets >= registry.targets_max {
        return Err(Refusal::TooManyTargets(registry.targets_max));
    }
    check_resource(registry, &request.resource)?;
    let mut target = existing.cloned().unwrap_or_else(|| Target {
        resource: request.resource.clone(),
        id,
        min,
        max,
        suspended: Suspended::default(),
        created_at: now,
        memory: super::Memory::default(),
    });
    (target.min, target.max) = (min, max);
    target.suspended = merged(target.suspended, request.suspended);
    // An update of the target lets the same reason be recorded once more (section 5.3).
    target.memory.not_scaled = None;
    let correction = registry
        .endpoint
        .and_then(|endpoint| Resource::of(endpoint, &target.resource.variant))
        .filter(|resource| resource.is_scalable() && target.memory.in_flight.is_none())
        .and_then(|resource| correction(&target, resource.desired));
    Ok(Registered { target, correction })
}

/// The change that brings a capacity within a target's bounds.
///
/// A resource that is busy is not corrected at registration; a scheduled action's correction is then refused by
/// [`super::begin`], and its activity says so (section 2.7).
pub fn correction(target: &Target, desired: u32) -> Option<Change> {
    let bounds = target.bounds();
    let (to, cause) = if desired < bounds.min {
        (bounds.min, Cause::MinimumSet(target.min))
    } else if desired > bounds.max {
        (bounds.max, Cause::MaximumSet(target.max))
    } else {
        return None;
    };
    Some(Change { from: desired, to, cause, cooldown_secs: None })
}

fn bounds(existing: Option<&Target>, request: &Registration) -> Result<(u32, u32), Refusal> {
    let or = |given: Option<i32>, kept: Option<u32>, missing, negative| match (given, kept) {
        (Some(given), _) => u32::try_from(given).map_err(|_| negative),
        (None, Some(kept)) => Ok(kept),
        (None, None) => Err(missing),
    };
    // Both are asked for before either is looked at.
    if existing.is_none() && request.min.is_none() {
        return Err(Refusal::MinimumMissing);
    }
    if existing.is_none() && request.max.is_none() {
        return Err(Refusal::MaximumMissing);
    }
    let kept_min = existing.map(|target| target.min);
    let kept_max = existing.map(|target| target.max);
    let min = or(request.min, kept_min, Refusal::MinimumMissing, Refusal::MinimumNegative)?;
    // A maximum below zero is below any minimum.
    let max = or(request.max, kept_max, Refusal::MaximumMissing, Refusal::MaximumBelowMinimum)?;
    if max < min { Err(Refusal::MaximumBelowMinimum) } else { Ok((min, max)) }
}

fn merged(kept: Suspended, change: SuspendedChange) -> Suspended {
    Suspended {
        dynamic_in: change.dynamic_in.unwrap_or(kept.dynamic_in),
        dynamic_out: change.dynamic_out.unwrap_or(kept.dynamic_out),
        scheduled: change.scheduled.unwrap_or(kept.scheduled),
    }
}

fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    parts.len() == 6 && parts[0] == "arn" && !parts[1].is_empty() && !parts[2].is_empty()
}

/// Whether the variant is there, and stays: in every fleet that the endpoint has or is getting. So a registration
/// cannot slip in behind an update that takes its variant away.
fn check_resource(registry: &Registry<'_>, resource: &ResourceId) -> Result<(), Refusal> {
    let missing =
        || Refusal::NoEndpoint(registry.scope.sagemaker(Kind::Endpoint, &resource.endpoint));
    let endpoint = registry.endpoint.filter(|endpoint| endpoint.stage != Stage::Deleting);
    let endpoint = endpoint.ok_or_else(missing)?;
    for deployment in deployments(endpoint) {
        if deployment.fleet(&resource.variant).is_none() {
            return Err(Refusal::NoVariant(resource.clone()));
        }
        let kind = deployment.config.instance_type(&resource.variant).unwrap_or_default();
        if is_burstable(kind) {
            return Err(Refusal::Burstable(kind.to_owned()));
        }
    }
    Ok(())
}

/// The fleet that serves, and the one that is being built.
fn deployments(endpoint: &Endpoint) -> impl Iterator<Item = &Deployment> {
    endpoint.live.as_deref().into_iter().chain(endpoint.pending.as_deref())
}
