//! How many instances there may be: a machine is not a cloud.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Deployment, Endpoint};
use crate::rollout::Rollout;

/// Bounds of the whole fleet, the double of a blue/green deployment included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub instances: u32,
    /// Bounds of single instance types; a type without one is bound by `instances` alone.
    pub by_type: BTreeMap<String, u32>,
}

/// A request that would take the fleet beyond a limit, in AWS's words (`reference/sagemaker-hosting.md`, section 1.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "The account-level service limit '{limit}' is {allowed} Instances, with current utilization of {used} Instances \
     and a request delta of {delta} Instances. Please use AWS Service Quotas to request an increase for this quota. If \
     AWS Service Quotas is not available, contact AWS support to request an increase for this quota. (Here: raise \
     {setting} in the server's configuration file.)"
)]
pub struct Exceeded {
    pub limit: String,
    pub allowed: u32,
    pub used: u32,
    pub delta: u32,
    pub setting: &'static str,
}

/// Instances by type.
type Usage = BTreeMap<String, u32>;

impl Limits {
    /// Whether the fleet may grow by what one endpoint comes to want. `others` are all endpoints but that one.
    pub fn admit<'a>(
        &self,
        others: impl Iterator<Item = &'a Endpoint>,
        before: Option<&'a Endpoint>,
        after: &Endpoint,
    ) -> Result<(), Exceeded> {
        let mut used = Usage::new();
        for endpoint in others.chain(before) {
            add(&mut used, endpoint);
        }
        let (mut own_before, mut own_after) = (Usage::new(), Usage::new());
        if let Some(before) = before {
            add(&mut own_before, before);
        }
        add(&mut own_after, after);
        for (kind, allowed) in &self.by_type {
            let of = |usage: &Usage| usage.get(kind).copied().unwrap_or(0);
            let delta = of(&own_after).saturating_sub(of(&own_before));
            let limit = || format!("{kind} for endpoint usage");
            check(*allowed, of(&used), delta, limit, "instances of its [[instance_type]]")?;
        }
        let total =
            |usage: &Usage| usage.values().fold(0_u32, |sum, count| sum.saturating_add(*count));
        let delta = total(&own_after).saturating_sub(total(&own_before));
        let limit = || "Number of instances across active endpoints".to_owned();
        check(self.instances, total(&used), delta, limit, "instances under [limits]")
    }
}

fn check(
    allowed: u32,
    used: u32,
    delta: u32,
    limit: impl FnOnce() -> String,
    setting: &'static str,
) -> Result<(), Exceeded> {
    // A request that asks for no more than there is must pass, even where the limit was lowered below it.
    if delta == 0 || used.saturating_add(delta) <= allowed {
        return Ok(());
    }
    Err(Exceeded { limit: limit(), allowed, used, delta, setting })
}

fn add(usage: &mut Usage, endpoint: &Endpoint) {
    for deployment in endpoint.deployments() {
        add_deployment(usage, deployment);
    }
    if let Some((kind, spared)) = spared(endpoint) {
        usage.entry(kind).and_modify(|count| *count = count.saturating_sub(spared));
    }
}

/// What an update by batches needs less than two whole fleets, where both are of one instance type. Its way back may need
/// more than its way there, and is never refused.
fn spared(endpoint: &Endpoint) -> Option<(String, u32)> {
    let rollout = endpoint.rollout().filter(Rollout::moves_by_batches)?;
    let totals = endpoint.totals();
    let [(variant, sides)] = &totals[..] else { return None };
    let kind = |deployment: &Option<Arc<Deployment>>| {
        deployment.as_ref()?.config.instance_type(variant).map(str::to_owned)
    };
    let of_both =
        kind(&endpoint.live).filter(|live| kind(&endpoint.pending).as_ref() == Some(live))?;
    let whole = sides.old.total.saturating_add(sides.new.total);
    Some((of_both, whole.saturating_sub(rollout.most(*sides))))
}

fn add_deployment(usage: &mut Usage, deployment: &Deployment) {
    for fleet in &deployment.fleets {
        let kind = deployment.config.instance_type(&fleet.variant).unwrap_or_default();
        let count = usage.entry(kind.to_owned()).or_default();
        *count = count.saturating_add(fleet.desired_count.max(fleet.current_count));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::endpoint::{Capacity, Parts, Retain, Stage, UpdateRequest};
    use crate::endpoint_config::EndpointConfig;
    use crate::instance::DeploymentId;
    use crate::model::Model;
    use crate::time::Timestamp;

    fn parts(kind: &str, count: u32) -> Parts {
        let created_at = Timestamp::default();
        let variant = json!({"VariantName": "a", "ModelName": "m", "InstanceType": kind, "InitialInstanceCount": count});
        let members = serde_json::from_value(json!({"ProductionVariants": [variant]})).unwrap();
        let config = EndpointConfig { name: "c".parse().unwrap(), created_at, members };
        let members = serde_json::from_value(json!({"PrimaryContainer": {"Image": "i"}})).unwrap();
        let model = Model { name: "m".parse().unwrap(), created_at, members };
        Parts { id: DeploymentId(1), config: Arc::new(config), models: vec![Arc::new(model)] }
    }

    fn endpoint(kind: &str, count: u32) -> Endpoint {
        Endpoint::create("e".parse().unwrap(), &parts(kind, count), None, Timestamp::default())
            .unwrap()
    }

    fn limits() -> Limits {
        Limits { instances: 10, by_type: BTreeMap::from([("ml.g5.xlarge".into(), 2)]) }
    }

    #[test]
    fn a_fleet_grows_to_its_limit_and_not_beyond() {
        let other = endpoint("ml.m5.large", 7);
        assert_eq!(limits().admit([&other].into_iter(), None, &endpoint("ml.m5.large", 3)), Ok(()));
        let refused =
            limits().admit([&other].into_iter(), None, &endpoint("ml.m5.large", 4)).unwrap_err();
        assert_eq!((refused.allowed, refused.used, refused.delta), (10, 7, 4));
        let refused =
            limits().admit([].into_iter(), None, &endpoint("ml.g5.xlarge", 3)).unwrap_err();
        assert!(refused.to_string().starts_with(
            "The account-level service limit 'ml.g5.xlarge for endpoint usage' is 2 Instances, with current utilization \
             of 0 Instances and a request delta of 3 Instances. Please use AWS Service Quotas"
        ));
    }

    #[test]
    fn an_update_counts_both_fleets_and_a_smaller_one_always_passes() {
        let mut live = endpoint("ml.m5.large", 6);
        live.live = live.pending.take();
        live.stage = Stage::InService;
        let request = UpdateRequest {
            parts: parts("ml.m5.large", 6),
            retain: Retain::default(),
            deployment_config: None,
            retain_deployment_config: false,
            registered: Vec::new(),
        };
        let updating = live.request_update(&request, Timestamp::default()).unwrap();
        assert_eq!(limits().admit([].into_iter(), Some(&live), &updating).unwrap_err().delta, 6);
        let fewer = Capacity { variant: "a".parse().unwrap(), weight: None, count: Some(5) };
        let shrinking = live.request_capacity(&[fewer], Timestamp::default()).unwrap();
        let tight = Limits { instances: 3, by_type: BTreeMap::new() };
        assert_eq!(tight.admit([].into_iter(), Some(&live), &shrinking), Ok(()));
    }
}
