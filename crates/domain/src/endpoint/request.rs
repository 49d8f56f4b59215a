//! Requests that change what is wanted of an endpoint. Each is one decision: the whole new record, or a refusal.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::{Deployment, Endpoint, Fleet, LastUpdate, Stage, rollout};
use crate::endpoint_config::EndpointConfig;
use crate::instance::DeploymentId;
use crate::members::Members;
use crate::model::Model;
use crate::name::{EndpointName, ModelName, VariantName};
use crate::rollout::Rollout;
use crate::safe_update::{Bound, Config, bound};
use crate::scaling::ResourceId;
use crate::time::Timestamp;

/// What a deployment is made of, as found when the request came.
#[derive(Debug, Clone)]
pub struct Parts {
    /// A number that no deployment had before.
    pub id: DeploymentId,
    pub config: Arc<EndpointConfig>,
    /// The models that exist, of those that the config names.
    pub models: Vec<Arc<Model>>,
}

/// `RetainAllVariantProperties` and `ExcludeRetainedVariantProperties` (`reference/sagemaker-hosting.md`, section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retain {
    pub counts: bool,
    pub weights: bool,
}

#[derive(Debug, Clone)]
pub struct UpdateRequest {
    pub parts: Parts,
    pub retain: Retain,
    pub deployment_config: Option<Members>,
    /// `RetainDeploymentConfig`: go by the config of the update before.
    pub retain_deployment_config: bool,
    /// The endpoint's variants that are registered as scalable targets.
    pub registered: Vec<ResourceId>,
}

/// One element of `DesiredWeightsAndCapacities`.
#[derive(Debug, Clone, PartialEq)]
pub struct Capacity {
    pub variant: VariantName,
    pub weight: Option<f64>,
    pub count: Option<u32>,
}

/// Why a request is refused. Nothing changes then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `reference/sagemaker-hosting.md`, section 1.1.
    #[error("{}", in_progress(.0))]
    InProgress(EndpointName),
    #[error("{}", failed(.0))]
    Failed(EndpointName),
    /// It serves with what there is of two deployments; an update heals it.
    #[error("{}", not_rolled_back(.0))]
    NotRolledBack(EndpointName),
    #[error("Could not find model \"{0}\".")]
    NoSuchModel(ModelName),
    #[error("Tidegate does not support {} yet.", .0.join(", "))]
    Lacking(Vec<String>),
    #[error(
        "The variant name(s) \"{0}\" is/are not present within endpoint configuration \"{1}\"."
    )]
    NoSuchVariant(String, String),
    #[error("The variant name \"{0}\" was non-unique within the request.")]
    DuplicateVariant(String),
    #[error("DesiredInstanceCount of the variant \"{0}\" must be at least 1.")]
    NoInstances(String),
    #[error("DesiredWeight of the variant \"{0}\" must be a finite number.")]
    WeightNotFinite(String),
    #[error("Specify either DeploymentConfig or RetainDeploymentConfig, not both.")]
    TwoDeploymentConfigs,
    #[error(transparent)]
    Guardrails(#[from] crate::rollout::Refusal),
    #[error(
        "The alarm(s) \"[{}]\" of DeploymentConfig.AutoRollbackConfiguration do not exist.",
        .0.join(", ")
    )]
    NoSuchAlarms(Vec<String>),
    #[error("There is no update of endpoint \"{0}\" that could be rolled back.")]
    NothingToRollBack(EndpointName),
    /// Promises S1 and S2. The first sentence is AWS's, as it is remembered (`reference/autoscaling-and-cloudwatch.md`,
    /// section 1.10); the second says what to do.
    #[error(
        "The variant(s) \"[{}]\" must be deregistered as scalable targets with AWS Auto Scaling before they can be \
         removed or have their instance type modified. Call DeleteScalingPolicy and DeregisterScalableTarget for {} first.",
        joined(.0.iter().map(|one| one.variant.to_string())),
        joined(.0.iter().map(ToString::to_string))
    )]
    Registered(Vec<ResourceId>),
}

impl Refusal {
    /// The refusal as SageMaker words it: it names an endpoint by its ARN.
    pub fn in_words(&self, endpoint_arn: &str) -> String {
        match self {
            Self::InProgress(_) => in_progress(&endpoint_arn),
            Self::Failed(_) => failed(&endpoint_arn),
            Self::NotRolledBack(_) => not_rolled_back(&endpoint_arn),
            _ => self.to_string(),
        }
    }
}

fn in_progress(endpoint: &impl fmt::Display) -> String {
    format!("Cannot update in-progress endpoint \"{endpoint}\".")
}

fn failed(endpoint: &impl fmt::Display) -> String {
    format!(
        "Cannot update endpoint \"{endpoint}\" because its creation failed. Delete it and create it again."
    )
}

fn not_rolled_back(endpoint: &impl fmt::Display) -> String {
    format!(
        "Cannot change the capacity of endpoint \"{endpoint}\" because its last update could not be rolled back. Update \
         it to an endpoint configuration that works."
    )
}

fn joined(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

impl Endpoint {
    /// `CreateEndpoint`. Its `DeploymentConfig` is only kept for a later update that retains it.
    pub fn create(
        name: EndpointName,
        parts: &Parts,
        deployment_config: Option<Members>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        rollout::check(deployment_config.as_ref())?;
        let pending = deployment(parts, None, Retain::default(), now)?;
        Ok(Self {
            name,
            created_at: now,
            modified_at: now,
            stage: Stage::Creating,
            config_name: parts.config.name.clone(),
            failure_reason: None,
            live: None,
            pending: Some(Arc::new(pending)),
            deployment_config,
            last_update: None,
            rollout: None,
            stranded: Vec::new(),
        })
    }

    /// `UpdateEndpoint`: a new fleet beside the old one, whose place it takes as the `DeploymentConfig` says.
    pub fn request_update(&self, request: &UpdateRequest, now: Timestamp) -> Result<Self, Refusal> {
        // An update is what heals an endpoint whose last one could not be rolled back (section 2).
        if self.stage != Stage::UpdateRollbackFailed {
            self.refuse_unless_in_service()?;
        }
        let given = request.deployment_config.as_ref();
        if given.is_some() && request.retain_deployment_config {
            return Err(Refusal::TwoDeploymentConfigs);
        }
        let retained = self.deployment_config.as_ref().filter(|_| request.retain_deployment_config);
        self.refuse_if_bound(&request.parts.config, &request.registered)?;
        let pending = deployment(&request.parts, self.live.as_deref(), request.retain, now)?;
        let guardrails = self.guardrails(given.or(retained), &pending)?;
        Ok(Self {
            modified_at: now,
            stage: Stage::Deploying,
            pending: Some(Arc::new(pending)),
            deployment_config: given.cloned().or_else(|| self.deployment_config.clone()),
            last_update: Some(LastUpdate::asked(self, &request.parts.config.name, now)),
            rollout: Some(Rollout::begin(guardrails, now)),
            ..self.clone()
        })
    }

    /// Promises S1 to S3. What is registered for a variant that does not run binds nothing.
    fn refuse_if_bound(
        &self,
        wanted: &EndpointConfig,
        registered: &[ResourceId],
    ) -> Result<(), Refusal> {
        let Some(live) = &self.live else { return Ok(()) };
        let (in_use, wanted) = (Config::of(&live.config), Config::of(wanted));
        let bound = bound(registered.iter().map(|one| &one.variant), &in_use, &wanted);
        if bound.is_empty() {
            return Ok(());
        }
        let resource =
            |one: Bound| ResourceId { endpoint: self.name.clone(), variant: one.variant };
        Err(Refusal::Registered(bound.into_iter().map(resource).collect()))
    }

    /// `UpdateEndpointWeightsAndCapacities` (promise S8).
    pub fn request_capacity(&self, changes: &[Capacity], now: Timestamp) -> Result<Self, Refusal> {
        self.refuse_unless_in_service()?;
        let Some(live) = &self.live else { return Err(Refusal::InProgress(self.name.clone())) };
        let mut live = Deployment::clone(live);
        let mut seen = BTreeSet::new();
        let unknown: Vec<&str> = changes
            .iter()
            .filter(|change| live.fleet(&change.variant).is_none())
            .map(|change| change.variant.as_str())
            .collect();
        if !unknown.is_empty() {
            return Err(Refusal::NoSuchVariant(unknown.join(", "), live.config.name.to_string()));
        }
        for change in changes {
            if !seen.insert(&change.variant) {
                return Err(Refusal::DuplicateVariant(change.variant.to_string()));
            }
            if change.weight.is_some_and(|weight| !weight.is_finite()) {
                return Err(Refusal::WeightNotFinite(change.variant.to_string()));
            }
            if change.count == Some(0) {
                return Err(Refusal::NoInstances(change.variant.to_string()));
            }
            for fleet in live.fleets.iter_mut().filter(|fleet| fleet.variant == change.variant) {
                fleet.desired_count = change.count.unwrap_or(fleet.desired_count);
                fleet.desired_weight = change.weight.unwrap_or(fleet.desired_weight);
            }
        }
        Ok(Self {
            modified_at: now,
            stage: Stage::Resizing,
            live: Some(Arc::new(live)),
            ..self.clone()
        })
    }

    /// `DeleteEndpoint`. Refused while anything is in progress (`reference/sagemaker-hosting.md`, section 1.1).
    pub fn request_delete(&self, now: Timestamp) -> Result<Self, Refusal> {
        match self.stage {
            Stage::InService | Stage::UpdateRollbackFailed | Stage::Failed => {
                Ok(Self { modified_at: now, stage: Stage::Deleting, ..self.clone() })
            }
            _ => Err(Refusal::InProgress(self.name.clone())),
        }
    }

    fn refuse_unless_in_service(&self) -> Result<(), Refusal> {
        match self.stage {
            Stage::InService => Ok(()),
            Stage::Failed => Err(Refusal::Failed(self.name.clone())),
            Stage::UpdateRollbackFailed => Err(Refusal::NotRolledBack(self.name.clone())),
            _ => Err(Refusal::InProgress(self.name.clone())),
        }
    }
}

/// Makes the record of a new deployment: counts and weights from the config, or, where retained, from the fleet of the
/// same name that serves now (promise S6).
fn deployment(
    parts: &Parts,
    live: Option<&Deployment>,
    retain: Retain,
    now: Timestamp,
) -> Result<Deployment, Refusal> {
    let mut lacking = Vec::new();
    let mut fleets = Vec::new();
    for variant in parts.config.variants().map_err(Refusal::Lacking)? {
        let named = parts.models.iter().find(|model| model.name == variant.model);
        let model = named.ok_or_else(|| Refusal::NoSuchModel(variant.model.clone()))?;
        lacking.extend(model.container().err().unwrap_or_default());
        let before = live.and_then(|live| live.fleet(&variant.name));
        let count = before.filter(|_| retain.counts).map(|fleet| fleet.desired_count);
        let weight = before.filter(|_| retain.weights).map(|fleet| fleet.desired_weight);
        fleets.push(Fleet {
            variant: variant.name,
            shadow: variant.shadow,
            model: Arc::clone(model),
            current_count: 0,
            settled_count: 0,
            desired_count: count.unwrap_or(variant.initial_instance_count),
            current_weight: 0.0,
            desired_weight: weight.unwrap_or(variant.initial_weight),
        });
    }
    if !lacking.is_empty() {
        return Err(Refusal::Lacking(lacking));
    }
    Ok(Deployment { id: parts.id, started_at: now, config: Arc::clone(&parts.config), fleets })
}
