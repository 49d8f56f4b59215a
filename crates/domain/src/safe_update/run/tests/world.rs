//! A server in little: one endpoint, its targets and the user's alarms. It carries out orders as the services do
//! (`reference/autoscaling-and-cloudwatch.md`, sections 1.4 to 1.6; `reference/sagemaker-hosting.md`, section 3).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::name::{EndpointConfigName, VariantName};
use crate::safe_update::facts::{Config, Facts, Running, Scaled, Variant};
use crate::safe_update::{
    Order, Saved, SavedAction, SavedAlarm, SavedPolicy, SavedTarget, Seen, SeenEndpoint, bound,
};
use crate::scaling::DIMENSION;
use crate::time::Timestamp;

/// Looks that a change of the endpoint takes.
const LOOKS: u32 = 2;

pub(super) fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(super) fn variant(text: &str, kind: &str, count: u32) -> Variant {
    Variant {
        name: name(text),
        instance_type: Some(kind.to_owned()),
        model: Some("m".to_owned()),
        initial_count: Some(count),
        initial_weight: 1.0,
    }
}

pub(super) fn config(text: &str, variants: Vec<Variant>) -> Config {
    Config { name: name(text), variants }
}

/// A code and a message.
pub(super) type Answer = Result<(), (&'static str, String)>;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct World {
    pub(super) config: EndpointConfigName,
    pub(super) pending: Option<EndpointConfigName>,
    /// Looks until it is at rest; 0 at rest.
    pub(super) moving: u32,
    pub(super) failure_reason: Option<String>,
    pub(super) running: BTreeMap<VariantName, (u32, u32, f64)>,
    pub(super) configs: Vec<Config>,
    pub(super) targets: Vec<SavedTarget>,
    pub(super) alarms: BTreeMap<String, Value>,
    pub(super) now: Timestamp,
    /// Updates fail and are rolled back.
    pub(super) updates_fail: bool,
    /// More instances than this are refused, together.
    pub(super) instances_max: u32,
    registrations: u32,
    retained: bool,
}

impl World {
    /// An endpoint in service on the first config.
    pub(super) fn new(configs: Vec<Config>) -> Self {
        let first = configs.first().unwrap();
        let running = first.variants.iter().map(|one| {
            let count = one.initial_count.unwrap();
            (one.name.clone(), (count, count, one.initial_weight))
        });
        Self {
            config: first.name.clone(),
            pending: None,
            moving: 0,
            failure_reason: None,
            running: running.collect(),
            targets: Vec::new(),
            alarms: BTreeMap::new(),
            now: Timestamp::from_millis(1_780_000_000_000),
            updates_fail: false,
            instances_max: u32::MAX,
            registrations: 0,
            retained: true,
            configs,
        }
    }

    /// Registers a variant, with policies, a scheduled action and an alarm for each policy.
    pub(super) fn scale(&mut self, variant: &str, (min, max): (u32, u32), policies: usize) {
        let resource = resource(variant);
        let of = |mut members: Value| {
            members["ServiceNamespace"] = "sagemaker".into();
            members["ResourceId"] = resource.as_str().into();
            members["ScalableDimension"] = DIMENSION.into();
            members
        };
        let suspended = json!({"DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": false,
                               "ScheduledScalingSuspended": false});
        let target =
            of(json!({"MinCapacity": min, "MaxCapacity": max, "SuspendedState": suspended}));
        self.apply(&Order::Register(target)).unwrap();
        let arn = self.targets.last().unwrap().arn.clone().unwrap();
        let tags = BTreeMap::from([("team".to_owned(), "tide".to_owned())]);
        self.apply(&Order::Tag { arn, tags }).unwrap();
        for index in 0..policies {
            let plan = json!({"TargetValue": 70, "PredefinedMetricSpecification":
                              {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}});
            let policy = of(
                json!({"PolicyName": format!("p{index}"), "PolicyType": "TargetTrackingScaling",
                                   "TargetTrackingScalingPolicyConfiguration": plan}),
            );
            self.apply(&Order::PutPolicy(policy)).unwrap();
            let arn = self.targets.last().unwrap().policies[index].arn.clone();
            let alarm = json!({"AlarmName": format!("{variant}-{index}"), "AlarmActions": [arn, "arn:aws:sns:topic"]});
            self.apply(&Order::PutAlarm(alarm)).unwrap();
        }
        let action =
            of(json!({"ScheduledActionName": "night", "Schedule": "cron(0 3 ? * SUN 2099)",
                               "ScalableTargetAction": {"MinCapacity": 1}}));
        self.apply(&Order::PutScheduledAction(action)).unwrap();
    }

    pub(super) fn facts(&self, wanted: &str) -> Facts {
        let of = |wanted: &EndpointConfigName| {
            self.configs.iter().find(|config| config.name == *wanted).unwrap().clone()
        };
        let seen = self.seen();
        let scaled = self.targets.iter().map(|target| Scaled {
            variant: target.variant.clone(),
            dimension: target.dimension.clone(),
            arn: target.arn.clone(),
            min: target.bounds().0,
            max: target.bounds().1,
            scale_in_suspended: false,
            tagged: true,
            policies: target.policies.iter().map(|policy| policy.name.clone()).collect(),
            policy_alarms: Vec::new(),
            scheduled_actions: target.scheduled_actions.keys().cloned().collect(),
            alarms: Vec::new(),
        });
        Facts {
            endpoint: name("e"),
            arn: "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e".to_owned(),
            status: seen.endpoint.status,
            in_use: of(&self.config),
            wanted: of(&name(wanted)),
            running: seen.endpoint.running,
            scaled: scaled.collect(),
        }
    }

    pub(super) fn saved(&self) -> Saved {
        let targets: Vec<SavedTarget> =
            self.targets.iter().map(|one| SavedTarget { as_of: self.now, ..one.clone() }).collect();
        // Only alarms that call a policy that is there can be found.
        let arns: Vec<&str> = targets
            .iter()
            .flat_map(|target| &target.policies)
            .map(|policy| policy.arn.as_str())
            .collect();
        let calls = |alarm: &Value| {
            let actions = alarm["AlarmActions"].as_array().unwrap();
            actions.iter().any(|action| arns.contains(&action.as_str().unwrap()))
        };
        let alarms = self.alarms.iter().filter(|(_, alarm)| calls(alarm));
        let alarms =
            alarms.map(|(name, alarm)| SavedAlarm { name: name.clone(), alarm: alarm.clone() });
        Saved { alarms: alarms.collect(), targets }
    }

    pub(super) fn seen(&self) -> Seen {
        let running = self.running.iter().map(|(variant, (current, desired, weight))| Running {
            variant: variant.clone(),
            current: Some(*current),
            desired: Some(*desired),
            weight: *weight,
        });
        Seen {
            endpoint: SeenEndpoint {
                status: if self.moving > 0 { "Updating" } else { "InService" }.to_owned(),
                failure_reason: self.failure_reason.clone(),
                config: self.config.clone(),
                pending: self.pending.clone(),
                running: running.collect(),
            },
            scaling: self.saved(),
            readings: BTreeMap::new(),
            aim_gone: false,
            now: self.now,
        }
    }

    /// A little later.
    pub(super) fn pass(&mut self) {
        self.now = self.now.plus(Duration::from_secs(5));
        self.moving = self.moving.saturating_sub(1);
        if self.moving > 0 {
            return;
        }
        if let Some(config) = self.pending.take() {
            if self.updates_fail {
                self.failure_reason = Some("the new model server is not healthy".to_owned());
                return;
            }
            let to = self.configs.iter().find(|one| one.name == config).unwrap();
            let fleet = to.variants.iter().map(|one| {
                let initial = (one.initial_count.unwrap(), one.initial_weight);
                let kept = self.running.get(&one.name).filter(|_| self.retained);
                let (count, weight) =
                    kept.map_or(initial, |(_, desired, weight)| (*desired, *weight));
                (one.name.clone(), (count, count, weight))
            });
            self.running = fleet.collect();
            self.config = config;
        }
        for (current, desired, _) in self.running.values_mut() {
            *current = *desired;
        }
    }

    pub(super) fn apply(&mut self, order: &Order) -> Answer {
        match order {
            Order::DeletePolicy { variant, name, .. } => {
                let target = self.target(variant)?;
                let at = target.policies.iter().position(|policy| policy.name == *name);
                let at = at.ok_or_else(|| absent("No scaling policy found"))?;
                let arn = target.policies.remove(at).arn;
                self.detach(&[arn]);
            }
            Order::Deregister { variant, .. } => {
                let arns: Vec<String> = self
                    .target(variant)?
                    .policies
                    .iter()
                    .map(|policy| policy.arn.clone())
                    .collect();
                self.detach(&arns);
                self.targets.retain(|target| target.variant != *variant);
            }
            Order::SetCapacity(changes) => return self.set_capacity(changes),
            Order::UpdateEndpoint { config, keep_counts, .. } => {
                return self.update(config, *keep_counts);
            }
            Order::Register(input) => self.register(input),
            Order::Tag { arn, tags } => {
                let target = self.targets.iter_mut().find(|one| one.arn.as_ref() == Some(arn));
                let target = target.ok_or_else(|| absent("Scalable Target not found"))?;
                target.tags.extend(tags.clone());
            }
            Order::PutPolicy(input) => self.put_policy(input)?,
            Order::PutScheduledAction(input) => {
                let (variant, created_at) = (of(input), self.now);
                let name = input["ScheduledActionName"].as_str().unwrap().to_owned();
                let action = SavedAction { created_at, action: input.clone() };
                self.target(&variant)?.scheduled_actions.insert(name, action);
            }
            Order::PutAlarm(input) => {
                let name = input["AlarmName"].as_str().unwrap().to_owned();
                self.alarms.insert(name, input.clone());
            }
        }
        Ok(())
    }

    fn target(
        &mut self,
        variant: &VariantName,
    ) -> Result<&mut SavedTarget, (&'static str, String)> {
        let target = self.targets.iter_mut().find(|target| target.variant == *variant);
        target.ok_or_else(|| absent("No scalable target found"))
    }

    fn detach(&mut self, arns: &[String]) {
        for alarm in self.alarms.values_mut() {
            let actions = alarm["AlarmActions"].as_array_mut().unwrap();
            actions.retain(|action| !arns.iter().any(|arn| action.as_str() == Some(arn)));
        }
    }

    fn set_capacity(
        &mut self,
        changes: &BTreeMap<VariantName, (Option<u32>, Option<f64>)>,
    ) -> Answer {
        self.refuse_while_moving()?;
        let mut running = self.running.clone();
        for (variant, (count, weight)) in changes {
            let one = running.get_mut(variant).ok_or_else(|| refused("is/are not present"))?;
            one.1 = count.unwrap_or(one.1);
            one.2 = weight.unwrap_or(one.2);
        }
        let total = |running: &BTreeMap<VariantName, (u32, u32, f64)>| -> u32 {
            running.values().map(|one| one.1).sum()
        };
        let wanted = total(&running);
        if wanted > self.instances_max && wanted > total(&self.running) {
            return Err(("ResourceLimitExceeded", "The account-level service limit".to_owned()));
        }
        self.running = running;
        self.moving = LOOKS;
        Ok(())
    }

    fn update(&mut self, config: &EndpointConfigName, keep_counts: bool) -> Answer {
        self.refuse_while_moving()?;
        let of = |wanted: &EndpointConfigName| {
            self.configs.iter().find(|one| one.name == *wanted).cloned()
        };
        let to = of(config).ok_or_else(|| refused("Could not find endpoint configuration"))?;
        let registered = self.targets.iter().map(|target| &target.variant);
        if !bound(registered, &of(&self.config).unwrap(), &to).is_empty() {
            return Err(refused("must be deregistered as scalable targets"));
        }
        self.pending = Some(config.clone());
        self.retained = keep_counts;
        self.failure_reason = None;
        self.moving = LOOKS;
        Ok(())
    }

    fn register(&mut self, input: &Value) {
        let variant = of(input);
        let (now, next) = (self.now, self.registrations + 1);
        if self.target(&variant).is_err() {
            self.registrations = next;
            self.targets.push(SavedTarget {
                variant: variant.clone(),
                dimension: DIMENSION.to_owned(),
                arn: Some(format!(
                    "arn:aws:application-autoscaling:us-east-1:0:scalable-target/{next}"
                )),
                target: json!({}),
                tags: BTreeMap::new(),
                policies: Vec::new(),
                scheduled_actions: BTreeMap::new(),
                as_of: now,
            });
            self.targets.sort_by_key(|target| target.variant.clone());
        }
        let target = self.target(&variant).unwrap();
        merge(&mut target.target, input);
        let (min, max) = target.bounds();
        let moving = self.moving > 0;
        if let Some(running) = self.running.get_mut(&variant).filter(|_| !moving) {
            let within = running.1.clamp(min.max(1), max);
            if within != running.1 {
                running.1 = within;
                self.moving = LOOKS;
            }
        }
    }

    fn put_policy(&mut self, input: &Value) -> Answer {
        let name = input["PolicyName"].as_str().unwrap().to_owned();
        let variant = of(input);
        let target = self.target(&variant)?;
        let id = target.arn.clone().unwrap();
        let id = id.rsplit_once('/').unwrap().1.to_owned();
        let resource = resource(variant.as_str());
        let policy = SavedPolicy {
            arn: format!(
                "arn:aws:autoscaling:us-east-1:0:scalingPolicy:{id}:resource/sagemaker/{resource}:policyName/{name}"
            ),
            policy: input.clone(),
            name,
        };
        target.policies.retain(|one| one.name != policy.name);
        target.policies.push(policy);
        target.policies.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(())
    }

    fn refuse_while_moving(&self) -> Answer {
        if self.moving > 0 { Err(refused("Cannot update in-progress endpoint")) } else { Ok(()) }
    }
}

fn merge(into: &mut Value, from: &Value) {
    match (into.as_object_mut(), from.as_object()) {
        (Some(members), Some(given)) => {
            for (name, value) in given {
                merge(members.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        _ => *into = from.clone(),
    }
}

fn of(input: &Value) -> VariantName {
    name(input["ResourceId"].as_str().unwrap().rsplit_once('/').unwrap().1)
}

fn resource(variant: &str) -> String {
    format!("endpoint/e/variant/{variant}")
}

fn refused(message: &str) -> (&'static str, String) {
    ("ValidationException", message.to_owned())
}

fn absent(message: &str) -> (&'static str, String) {
    ("ObjectNotFoundException", message.to_owned())
}
