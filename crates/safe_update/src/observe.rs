//! What is there now, by AWS's own calls: the endpoint, its scalable targets and all that hangs on them.

use std::collections::{BTreeMap, BTreeSet};

use domain::name::{EndpointConfigName, EndpointKey, EndpointName, VariantName};
use domain::safe_update::{
    Run, Running, Saved, SavedAction, SavedAlarm, SavedPolicy, SavedTarget, Scaled, Seen,
    SeenEndpoint, is_users_own,
};
use domain::scaling::ResourceId;
use domain::time::Timestamp;
use serde_json::{Value, json};
use wire::{application_autoscaling as autoscaling, cloudwatch, sagemaker};

use crate::ask::{all, as_input, ask};
use crate::{Fault, Remote, wants};

/// The namespace of SageMaker's targets.
pub(crate) const NAMESPACE: &str = "sagemaker";

/// Resources that one `DescribeScalableTargets` may ask for (`reference/autoscaling-and-cloudwatch.md`, section 1.2).
const RESOURCES_MAX: usize = 50;

/// What a policy's ARN puts before its name: all policies of one target have the same up to here.
const BEFORE_THE_NAME: &str = ":policyName/";

/// Codes by which a server says that it does not have an operation, or what it is asked about.
const UNSERVED: [&str; 6] = [
    "InvalidAction",
    "NotImplemented",
    "ResourceNotFoundException",
    "UnknownOperation",
    "UnknownOperationException",
    "UnsupportedOperation",
];

/// An endpoint as `DescribeEndpoint` shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Described {
    /// As the server spells it.
    pub(crate) name: EndpointName,
    pub(crate) arn: String,
    pub(crate) seen: SeenEndpoint,
}

/// Targets with what a plan asks of them, in the same order as what is saved of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Scaling {
    pub(crate) saved: Saved,
    pub(crate) scaled: Vec<Scaled>,
}

/// Looks at everything that the next decision may need.
pub(crate) async fn observe(remote: &impl Remote, run: &Run) -> Result<Seen, Fault> {
    let endpoint = endpoint(remote, &run.facts.endpoint).await?;
    let now = remote.now().await;
    let mut seen = Seen {
        endpoint: endpoint.seen,
        scaling: Saved::default(),
        readings: BTreeMap::new(),
        aim_gone: false,
        now,
    };
    if seen.endpoint.is_moving() {
        return Ok(seen);
    }
    let configs = [&run.facts.in_use, &run.facts.wanted];
    let variants: BTreeSet<&VariantName> =
        configs.into_iter().flat_map(|config| &config.variants).map(|one| &one.name).collect();
    seen.scaling = scaling(remote, &run.facts.endpoint, variants, now).await?.saved;
    if run.needs_readings() {
        seen.readings = wants::readings(remote, &seen.scaling, now).await;
    }
    let aim = &run.aim().name;
    seen.aim_gone = seen.endpoint.config != *aim && is_gone(remote, aim).await;
    Ok(seen)
}

/// Whether a config cannot be found. One that may not be read may be there.
async fn is_gone(remote: &impl Remote, config: &EndpointConfigName) -> bool {
    let fault = self::config(remote, config).await.err();
    fault.is_some_and(|fault| {
        fault.refused().is_some_and(|refused| {
            refused.message.contains("Could not find") || refused.code.contains("NotFound")
        })
    })
}

/// `DescribeEndpointConfig`.
pub(crate) async fn config(
    remote: &impl Remote,
    name: &EndpointConfigName,
) -> Result<Value, Fault> {
    let input = json!({"EndpointConfigName": name});
    ask(remote, &sagemaker::SERVICE, "DescribeEndpointConfig", &input).await
}

/// `DescribeEndpoint`.
pub(crate) async fn endpoint(
    remote: &impl Remote,
    name: &EndpointName,
) -> Result<Described, Fault> {
    const OPERATION: &str = "DescribeEndpoint";
    let answer =
        ask(remote, &sagemaker::SERVICE, OPERATION, &json!({"EndpointName": name})).await?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let missing = |member: &str| unreadable(OPERATION, member);
    let variants = ["ProductionVariants", "ShadowProductionVariants"]
        .into_iter()
        .filter_map(|list| answer.get(list)?.as_array());
    let pending = answer.pointer("/PendingDeploymentSummary/EndpointConfigName");
    let config = text("EndpointConfigName").and_then(|name| name.parse().ok());
    Ok(Described {
        name: text("EndpointName").and_then(|it| it.parse().ok()).unwrap_or_else(|| name.clone()),
        arn: text("EndpointArn").unwrap_or_default(),
        seen: SeenEndpoint {
            status: text("EndpointStatus").ok_or_else(|| missing("EndpointStatus"))?,
            failure_reason: text("FailureReason"),
            config: config.ok_or_else(|| missing("EndpointConfigName"))?,
            pending: pending.and_then(Value::as_str).and_then(|name| name.parse().ok()),
            running: variants.flatten().filter_map(running).collect(),
        },
    })
}

fn running(variant: &Value) -> Option<Running> {
    let count =
        |name: &str| variant.get(name).and_then(Value::as_u64).and_then(|it| it.try_into().ok());
    let number = |name: &str| variant.get(name).and_then(Value::as_f64);
    Some(Running {
        variant: variant.get("VariantName")?.as_str()?.parse().ok()?,
        current: count("CurrentInstanceCount"),
        desired: count("DesiredInstanceCount"),
        weight: number("DesiredWeight").or_else(|| number("CurrentWeight")).unwrap_or(1.0),
    })
}

/// The targets of an endpoint's variants, with their policies, scheduled actions and tags, and the user's own alarms.
pub(crate) async fn scaling(
    remote: &impl Remote,
    endpoint: &EndpointName,
    variants: BTreeSet<&VariantName>,
    now: Timestamp,
) -> Result<Scaling, Fault> {
    let mut scaling = Scaling::default();
    let names: Vec<String> =
        variants.iter().map(|variant| format!("endpoint/{endpoint}/variant/{variant}")).collect();
    for resources in names.chunks(RESOURCES_MAX) {
        let input = json!({"ServiceNamespace": NAMESPACE, "ResourceIds": resources});
        let service = &autoscaling::SERVICE;
        let targets =
            all(remote, service, "DescribeScalableTargets", input, "ScalableTargets").await?;
        for target in targets {
            let id = text(&target, "ResourceId").and_then(|id| id.parse::<ResourceId>().ok());
            // A server may answer with more than it was asked for.
            let id = id.filter(|id| {
                EndpointKey::from(&id.endpoint) == EndpointKey::from(endpoint)
                    && variants.contains(&id.variant)
            });
            if let Some(id) = id {
                self::target(remote, id.variant, &target, now, &mut scaling).await?;
            }
        }
    }
    let order = |variant: &VariantName, dimension: &str| (variant.clone(), dimension.to_owned());
    scaling.saved.targets.sort_by_key(|one| order(&one.variant, &one.dimension));
    scaling.scaled.sort_by_key(|one| order(&one.variant, &one.dimension));
    Ok(scaling)
}

async fn target(
    remote: &impl Remote,
    variant: VariantName,
    description: &Value,
    now: Timestamp,
    scaling: &mut Scaling,
) -> Result<(), Fault> {
    let mut target = as_input(&autoscaling::SERVICE, "RegisterScalableTarget", description)?;
    if let Some(members) = target.as_object_mut() {
        // SageMaker's targets always have the service-linked role; who names one needs a permission to pass it.
        members.remove("RoleARN");
    }
    let dimension = text(description, "ScalableDimension").unwrap_or_default();
    let of = json!({
        "ServiceNamespace": NAMESPACE,
        "ResourceId": description.get("ResourceId"),
        "ScalableDimension": dimension,
    });
    let (policies, made) = policies(remote, &of).await?;
    let alarms = alarms(remote, &policies, &made).await?;
    let arn = text(description, "ScalableTargetARN");
    let saved = SavedTarget {
        tags: match &arn {
            Some(arn) => tags(remote, arn).await?,
            None => BTreeMap::new(),
        },
        scheduled_actions: scheduled_actions(remote, &of).await?,
        variant,
        dimension,
        arn,
        target,
        policies,
        as_of: now,
    };
    scaling.scaled.push(scaled(&saved, made, &alarms));
    for alarm in alarms {
        if scaling.saved.alarm(&alarm.name).is_none() {
            scaling.saved.alarms.push(alarm);
        }
    }
    scaling.saved.targets.push(saved);
    Ok(())
}

fn scaled(saved: &SavedTarget, made: BTreeSet<String>, alarms: &[SavedAlarm]) -> Scaled {
    let (min, max) = saved.bounds();
    let sorted = |names: BTreeSet<String>| names.into_iter().collect();
    let suspended = saved.target.pointer("/SuspendedState/DynamicScalingInSuspended");
    Scaled {
        variant: saved.variant.clone(),
        dimension: saved.dimension.clone(),
        arn: saved.arn.clone(),
        min,
        max,
        scale_in_suspended: suspended.and_then(Value::as_bool).unwrap_or_default(),
        tagged: !saved.tags.is_empty(),
        policies: sorted(saved.policies.iter().map(|policy| policy.name.clone()).collect()),
        policy_alarms: sorted(made),
        scheduled_actions: saved.scheduled_actions.keys().cloned().collect(),
        alarms: sorted(alarms.iter().map(|alarm| alarm.name.clone()).collect()),
    }
}

/// A target's policies by name, and the names of the alarms that they made for themselves.
async fn policies(
    remote: &impl Remote,
    of: &Value,
) -> Result<(Vec<SavedPolicy>, BTreeSet<String>), Fault> {
    let service = &autoscaling::SERVICE;
    let found =
        all(remote, service, "DescribeScalingPolicies", of.clone(), "ScalingPolicies").await?;
    let mut policies = Vec::new();
    let mut made = BTreeSet::new();
    for policy in &found {
        let missing = |member: &str| unreadable("DescribeScalingPolicies", member);
        // A step policy makes none: those that it lists are the users' own.
        let makes = text(policy, "PolicyType").as_deref() != Some("StepScaling");
        let alarms = policy.get("Alarms").and_then(Value::as_array).filter(|_| makes);
        made.extend(alarms.into_iter().flatten().filter_map(|alarm| text(alarm, "AlarmName")));
        policies.push(SavedPolicy {
            name: text(policy, "PolicyName").ok_or_else(|| missing("PolicyName"))?,
            arn: text(policy, "PolicyARN").ok_or_else(|| missing("PolicyARN"))?,
            policy: as_input(service, "PutScalingPolicy", policy)?,
        });
    }
    policies.sort_by(|one, other| one.name.cmp(&other.name));
    Ok((policies, made))
}

async fn scheduled_actions(
    remote: &impl Remote,
    of: &Value,
) -> Result<BTreeMap<String, SavedAction>, Fault> {
    let service = &autoscaling::SERVICE;
    let found =
        all(remote, service, "DescribeScheduledActions", of.clone(), "ScheduledActions").await?;
    let read = |action: &Value| {
        let name = text(action, "ScheduledActionName");
        let missing = || unreadable("DescribeScheduledActions", "ScheduledActionName");
        let created_at = action.get("CreationTime").map(instant).unwrap_or_default();
        let action = as_input(service, "PutScheduledAction", action)?;
        Ok((name.ok_or_else(missing)?, SavedAction { created_at, action }))
    };
    found.iter().map(read).collect()
}

/// The tags of a target. A server that cannot list them has none, and so has a target that has just gone.
async fn tags(remote: &impl Remote, arn: &str) -> Result<BTreeMap<String, String>, Fault> {
    let input = json!({"ResourceARN": arn});
    let answer = match ask(remote, &autoscaling::SERVICE, "ListTagsForResource", &input).await {
        Err(fault) if is_unserved(&fault) => return Ok(BTreeMap::new()),
        answer => answer?,
    };
    let tags = answer.get("Tags").and_then(Value::as_object).into_iter().flatten();
    Ok(tags.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect())
}

fn is_unserved(fault: &Fault) -> bool {
    fault.refused().is_some_and(|refused| {
        UNSERVED.contains(&refused.code) || [404, 405, 501].contains(&refused.status)
    })
}

/// The user's own alarms that call one of a target's policies.
async fn alarms(
    remote: &impl Remote,
    policies: &[SavedPolicy],
    made: &BTreeSet<String>,
) -> Result<Vec<SavedAlarm>, Fault> {
    let prefix =
        |arn: &str| arn.find(BEFORE_THE_NAME).map_or(arn.len(), |at| at + BEFORE_THE_NAME.len());
    let prefixes: BTreeSet<&str> =
        policies.iter().map(|policy| &policy.arn[..prefix(&policy.arn)]).collect();
    let mut own = BTreeMap::new();
    for prefix in prefixes {
        let input = json!({"ActionPrefix": prefix});
        let found =
            all(remote, &cloudwatch::SERVICE, "DescribeAlarms", input, "MetricAlarms").await?;
        let arns = || policies.iter().map(|policy| policy.arn.as_str());
        for alarm in found.iter().filter(|alarm| is_users_own(alarm, arns(), made)) {
            if let Some(name) = text(alarm, "AlarmName") {
                let mut alarm = as_input(&cloudwatch::SERVICE, "PutMetricAlarm", alarm)?;
                if let Some(members) = alarm.as_object_mut() {
                    // Descriptions show lists that were not given, also ones that do not go with what was.
                    members.retain(|_, member| member.as_array().is_none_or(|it| !it.is_empty()));
                }
                own.insert(name.clone(), SavedAlarm { name, alarm });
            }
        }
    }
    Ok(own.into_values().collect())
}

pub(crate) fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Seconds since the epoch, with a fraction of milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "a cast saturates at both ends")]
fn instant(seconds: &Value) -> Timestamp {
    Timestamp::from_millis((seconds.as_f64().unwrap_or_default() * 1000.0).round() as i64)
}

fn unreadable(operation: &str, member: &str) -> Fault {
    Fault::Lost(format!("the answer to {operation} has no {member} that can be read"))
}
