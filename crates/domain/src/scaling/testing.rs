//! Scenes for tests: targets, policies, endpoints and alarms that call.

use std::sync::Arc;

use serde_json::json;

use super::{
    AdjustmentType, Decision, Facts, Memory, Outcome, Plan, Policy, Resource, ResourceId, Side,
    Step, StepScaling, Suspended, Target, TargetKey, TargetTracking, TrackedMetric, Trigger,
    Watched, decide,
};
use crate::alarm::{AlarmName, StateValue};
use crate::arn::Scope;
use crate::endpoint::{Endpoint, Event, Parts, Stage};
use crate::endpoint_config::EndpointConfig;
use crate::instance::DeploymentId;
use crate::model::Model;
use crate::time::Timestamp;
use crate::uuid::Uuid;

/// Noon: far enough from the epoch for a past.
pub(super) const NOON: i64 = 43_200;

pub(super) fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis((NOON + secs) * 1000)
}

pub(super) fn scope() -> Scope {
    Scope { region: "us-east-1".into(), account: "111122223333".into() }
}

pub(super) fn uuid(number: u128) -> Uuid {
    Uuid::from_entropy(number)
}

pub(super) fn resource() -> ResourceId {
    "endpoint/my-ep/variant/AllTraffic".parse().unwrap()
}

pub(super) fn target(min: u32, max: u32) -> Target {
    Target {
        resource: resource(),
        id: uuid(1),
        min,
        max,
        suspended: Suspended::default(),
        created_at: at(0),
        memory: Memory::default(),
    }
}

pub(super) fn tracking(target_value: f64) -> TargetTracking {
    TargetTracking {
        target_value,
        metric: TrackedMetric::InvocationsPerInstance,
        scale_out_cooldown_secs: None,
        scale_in_cooldown_secs: None,
        disable_scale_in: None,
    }
}

pub(super) fn steps(
    adjustment: AdjustmentType,
    steps: &[(Option<f64>, Option<f64>, i32)],
) -> StepScaling {
    let step = |&(lower, upper, adjustment)| Step { lower, upper, adjustment };
    StepScaling {
        adjustment,
        steps: steps.iter().map(step).collect(),
        min_magnitude: None,
        cooldown_secs: None,
        aggregation: None,
    }
}

pub(super) fn policy(name: &str, plan: Plan) -> Policy {
    let alarms = match &plan {
        Plan::TargetTracking(_) => {
            ["High", "Low"].map(|side| AlarmName::from(format!("{name}-{side}").as_str())).into()
        }
        Plan::StepScaling(_) => Vec::new(),
    };
    let target = TargetKey::from(&resource());
    Policy { target, name: name.into(), plan, created_at: at(0), created_by: uuid(2), alarms }
}

fn parts(instance_type: &str, count: u32) -> Parts {
    let variant = json!({"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": instance_type,
                         "InitialInstanceCount": count});
    let members = serde_json::from_value(json!({"ProductionVariants": [variant]})).unwrap();
    let config = EndpointConfig { name: "c".parse().unwrap(), created_at: at(0), members };
    let members = serde_json::from_value(json!({"PrimaryContainer": {"Image": "i"}})).unwrap();
    let model = Model { name: "m".parse().unwrap(), created_at: at(0), members };
    Parts { id: DeploymentId(1), config: Arc::new(config), models: vec![Arc::new(model)] }
}

/// An endpoint that is being created.
pub(super) fn creating(instance_type: &str, count: u32) -> Endpoint {
    Endpoint::create("my-ep".parse().unwrap(), &parts(instance_type, count), None, at(0)).unwrap()
}

/// An endpoint that is in service.
pub(super) fn endpoint(count: u32) -> Endpoint {
    creating("ml.m5.large", count).after(Event::Deployed, at(0)).unwrap()
}

/// A target with policies and alarms, and a capacity.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) target: Target,
    pub(super) policies: Vec<PolicyScene>,
    pub(super) resource: Option<Resource>,
    pub(super) calls: Vec<Call>,
    pub(super) now: Timestamp,
}

#[derive(Debug, Clone)]
pub(super) struct PolicyScene {
    pub(super) policy: Policy,
    pub(super) low: Option<StateValue>,
    pub(super) low_mean: Option<f64>,
}

#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) policy: String,
    pub(super) alarm: AlarmName,
    pub(super) side: Side,
    pub(super) recent: Vec<f64>,
    pub(super) threshold: f64,
}

impl Scene {
    pub(super) fn new(min: u32, max: u32, desired: u32) -> Self {
        Self {
            target: target(min, max),
            policies: Vec::new(),
            resource: Some(Resource { stage: Stage::InService, desired, current: desired }),
            calls: Vec::new(),
            now: at(0),
        }
    }

    /// A policy that tracks a target; its low alarm is OK.
    pub(super) fn tracks(self, name: &str, target_value: f64) -> Self {
        self.has(name, Plan::TargetTracking(tracking(target_value)))
    }

    pub(super) fn has(mut self, name: &str, plan: Plan) -> Self {
        let low = matches!(plan, Plan::TargetTracking(_)).then_some(StateValue::Ok);
        self.policies.push(PolicyScene { policy: policy(name, plan), low, low_mean: None });
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn target_value(&self, name: &str) -> f64 {
        let found = self.policies.iter().find(|one| one.policy.name == name).unwrap();
        match &found.policy.plan {
            Plan::TargetTracking(plan) => plan.target_value,
            Plan::StepScaling(_) => panic!("{name} tracks nothing"),
        }
    }

    /// The policy's high alarm calls.
    pub(super) fn high(self, name: &str, recent: &[f64]) -> Self {
        let threshold = self.target_value(name);
        self.calls(name, Side::High, recent, threshold)
    }

    /// The policy's low alarm is in ALARM and calls.
    pub(super) fn low(mut self, name: &str, recent: &[f64]) -> Self {
        let threshold = 0.9 * self.target_value(name);
        for one in self.policies.iter_mut().filter(|one| one.policy.name == name) {
            one.low = Some(StateValue::Alarm);
        }
        self.calls(name, Side::Low, recent, threshold)
    }

    /// A user's alarm calls a step policy.
    pub(super) fn step(self, name: &str, recent: &[f64], threshold: f64) -> Self {
        self.calls(name, Side::Step, recent, threshold)
    }

    fn calls(mut self, name: &str, side: Side, recent: &[f64], threshold: f64) -> Self {
        let alarm = AlarmName::from(format!("{name}-{}", side.as_str()).as_str());
        let recent = recent.to_vec();
        self.calls.push(Call { policy: name.to_owned(), alarm, side, recent, threshold });
        self
    }

    pub(super) fn facts<T>(&self, read: impl FnOnce(&Facts<'_>) -> T) -> T {
        let policies: Vec<Watched<'_>> = self
            .policies
            .iter()
            .map(|one| Watched { policy: &one.policy, low: one.low, low_mean: one.low_mean })
            .collect();
        let triggers: Vec<Trigger<'_>> = self
            .calls
            .iter()
            .map(|call| Trigger {
                policy: &call.policy,
                alarm: &call.alarm,
                side: call.side,
                recent: &call.recent,
                threshold: call.threshold,
            })
            .collect();
        let Self { target, resource, now, .. } = self;
        read(&Facts {
            target,
            policies: &policies,
            resource: *resource,
            triggers: &triggers,
            now: *now,
        })
    }

    pub(super) fn decide(&self) -> Decision {
        self.facts(decide)
    }
}

/// A decision in a few words: `2 -> 4 by p`, `p: AlreadyAtMaxCapacity { max: 4 }`, `FromZero`, `nothing`.
pub(super) fn words(decision: &Decision) -> String {
    match &decision.outcome {
        Outcome::ScaleTo { change, .. } => {
            let policy = decision.leading().map(|one| one.policy.clone()).unwrap_or_default();
            format!("{} -> {} by {policy}", change.from, change.to)
        }
        Outcome::NotScaled { policy, why, .. } => format!("{policy}: {why:?}"),
        Outcome::Held(hold) => format!("{hold:?}"),
        Outcome::Nothing => "nothing".to_owned(),
    }
}
