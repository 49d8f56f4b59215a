//! What is known when a safe update is planned, of any server that speaks SageMaker's API.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::endpoint::{Endpoint, Fleet};
use crate::endpoint_config::EndpointConfig;
use crate::members::Members;
use crate::name::{EndpointConfigName, EndpointName, VariantName};
use crate::scaling::{Bounds, CAPACITY_FLOOR, DIMENSION};

/// `InitialVariantWeight` of a variant that does not say (`reference/sagemaker-hosting.md`, section 1).
const INITIAL_WEIGHT: f64 = 1.0;

/// An endpoint, the config it uses, the config it is to use, and what scales it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub endpoint: EndpointName,
    /// `EndpointArn`: what SageMaker's texts name the endpoint by.
    pub arn: String,
    /// `EndpointStatus`.
    pub status: String,
    pub in_use: Config,
    pub wanted: Config,
    /// The variants that run, in the config's order, its shadow last.
    pub running: Vec<Running>,
    /// The endpoint's scalable targets, by variant and dimension.
    pub scaled: Vec<Scaled>,
}

/// An endpoint config, as far as an update turns on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub name: EndpointConfigName,
    pub variants: Vec<Variant>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    pub name: VariantName,
    /// None for a variant without instances (serverless). The types of instance pools are sorted and joined by commas:
    /// a pool of other types is another type, the same ones in another order of priority are not.
    pub instance_type: Option<String>,
    pub model: Option<String>,
    /// `InitialInstanceCount`.
    pub initial_count: Option<u32>,
    /// `InitialVariantWeight`.
    pub initial_weight: f64,
}

/// A variant as `DescribeEndpoint` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Running {
    pub variant: VariantName,
    /// `CurrentInstanceCount` and `DesiredInstanceCount`; none for serverless variants.
    pub current: Option<u32>,
    pub desired: Option<u32>,
    /// `DesiredWeight`.
    pub weight: f64,
}

/// A scalable target and what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scaled {
    pub variant: VariantName,
    /// `ScalableDimension`.
    pub dimension: String,
    /// `ScalableTargetARN`; targets from before there were such ARNs have none.
    pub arn: Option<String>,
    pub min: u32,
    pub max: u32,
    /// `SuspendedState.DynamicScalingInSuspended`.
    pub scale_in_suspended: bool,
    /// Whether it has tags.
    pub tagged: bool,
    /// Names of its policies, sorted.
    pub policies: Vec<String>,
    /// Names of the alarms that its policies made for themselves, sorted.
    pub policy_alarms: Vec<String>,
    /// Names of its scheduled actions, sorted.
    pub scheduled_actions: Vec<String>,
    /// Names of the user's own alarms that call one of its policies, sorted.
    pub alarms: Vec<String>,
}

/// How the update is to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Variants of the same name keep their `DesiredInstanceCount`. False: they end with `InitialInstanceCount`.
    pub keep_counts: bool,
    /// Variants of the same name keep their `DesiredWeight`. False: they get `InitialVariantWeight`.
    pub keep_weights: bool,
    /// How many more instances serve while the update runs, in percent of each variant's count, rounded up. 0 to 900.
    pub headroom_percent: u32,
    /// `DeploymentConfig` of the `UpdateEndpoint`, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_config: Option<Members>,
    /// `RetainDeploymentConfig`: the endpoint's own is used again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retain_deployment_config: bool,
}

impl Request {
    /// A count with the headroom.
    pub fn raised(&self, count: u32) -> u32 {
        let more = (u64::from(count) * u64::from(self.headroom_percent)).div_ceil(100);
        count.saturating_add(u32::try_from(more).unwrap_or(u32::MAX))
    }

    /// Whether it says how traffic goes over.
    pub const fn is_guarded(&self) -> bool {
        self.deployment_config.is_some() || self.retain_deployment_config
    }
}

impl Default for Request {
    fn default() -> Self {
        Self {
            keep_counts: true,
            keep_weights: true,
            headroom_percent: 0,
            deployment_config: None,
            retain_deployment_config: false,
        }
    }
}

impl Facts {
    /// The facts of an endpoint of this server.
    pub fn of(
        endpoint: &Endpoint,
        arn: String,
        wanted: &EndpointConfig,
        scaled: Vec<Scaled>,
    ) -> Self {
        let deployment = endpoint.live.as_deref().or(endpoint.pending.as_deref());
        let in_use = deployment.map_or_else(
            || Config { name: endpoint.config_name.clone(), variants: Vec::new() },
            |deployment| Config::of(&deployment.config),
        );
        Self {
            endpoint: endpoint.name.clone(),
            arn,
            status: endpoint.stage.status().to_owned(),
            in_use,
            wanted: Config::of(wanted),
            running: Running::of(endpoint),
            scaled,
        }
    }

    pub fn running(&self, variant: &VariantName) -> Option<&Running> {
        self.running.iter().find(|one| one.variant == *variant)
    }
}

impl Scaled {
    /// Whether it scales a count of instances.
    pub fn counts_instances(&self) -> bool {
        self.dimension == DIMENSION
    }

    /// What registering makes of a count: it is moved within the bounds
    /// (`reference/autoscaling-and-cloudwatch.md`, section 1.6).
    pub fn corrected(&self, count: u32) -> u32 {
        let min = self.min.max(CAPACITY_FLOOR);
        Bounds { min, max: self.max.max(min) }.clamp(count)
    }
}

impl Config {
    pub fn of(config: &EndpointConfig) -> Self {
        Self::read(config.name.clone(), &config.members)
    }

    /// Reads what `DescribeEndpointConfig` answers. A variant whose name is none, which no service gives, is left out.
    pub fn read(name: EndpointConfigName, members: &Members) -> Self {
        Self { name, variants: EndpointConfig::listed(members).filter_map(Variant::read).collect() }
    }

    pub fn variant(&self, name: &VariantName) -> Option<&Variant> {
        self.variants.iter().find(|one| one.name == *name)
    }
}

impl Variant {
    fn read(variant: &Value) -> Option<Self> {
        let text = |name: &str| variant.get(name).and_then(Value::as_str).map(str::to_owned);
        let count = variant.get("InitialInstanceCount").and_then(Value::as_u64);
        let weight = variant.get("InitialVariantWeight").and_then(Value::as_f64);
        Some(Self {
            name: text("VariantName")?.parse().ok()?,
            instance_type: text("InstanceType").or_else(|| pooled(variant)),
            model: text("ModelName"),
            initial_count: count.map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
            initial_weight: weight.unwrap_or(INITIAL_WEIGHT),
        })
    }
}

fn pooled(variant: &Value) -> Option<String> {
    let pools = variant.get("InstancePools")?.as_array()?;
    let types = pools.iter().filter_map(|pool| pool.get("InstanceType")?.as_str());
    let types: BTreeSet<&str> = types.collect();
    (!types.is_empty()).then(|| types.into_iter().collect::<Vec<_>>().join(", "))
}

impl Running {
    /// The variants of an endpoint of this server that serve.
    pub fn of(endpoint: &Endpoint) -> Vec<Self> {
        let of = |fleet: &Fleet| Self {
            variant: fleet.variant.clone(),
            current: Some(fleet.current_count),
            desired: Some(fleet.desired_count),
            weight: fleet.desired_weight,
        };
        endpoint.live.iter().flat_map(|live| &live.fleets).map(of).collect()
    }
}
