//! The seed's seven steps, as they apply to one update.

use super::changes::Changes;
use super::words::{kind, list};
use super::{Planned, Step, verdict};
use crate::endpoint::Refusal;
use crate::safe_update::Why;
use crate::safe_update::facts::Scaled;
use crate::safe_update::resource_id;

const SAGEMAKER: &str = "sagemaker";
const AUTOSCALING: &str = "application-autoscaling";
const CLOUDWATCH: &str = "cloudwatch";

/// The seed's words on step 6.
const KEEPS_COUNTS: &str = "RetainAllVariantProperties keeps the counts of variants that keep their names, whatever \
     InitialInstanceCount says.";

pub(super) fn all(changes: &Changes<'_>) -> Vec<Step> {
    vec![
        deregister(changes),
        raise(changes),
        wait(changes),
        look(changes),
        create(changes),
        update(changes),
        register(changes),
    ]
}

fn step(number: u8, title: &str, why: String, calls: Vec<Planned>) -> Step {
    Step { number, title: title.to_owned(), needed: !calls.is_empty(), why, calls }
}

fn call(service: &str, operation: &str, on: String) -> Planned {
    Planned { service: service.to_owned(), operation: operation.to_owned(), on }
}

fn of_target(changes: &Changes<'_>, one: &Scaled) -> String {
    resource_id(&changes.facts.endpoint, &one.variant)
}

/// A wait for an endpoint that is moving.
fn until_in_service(changes: &Changes<'_>) -> Planned {
    call(SAGEMAKER, "DescribeEndpoint", format!("{} until it is InService", changes.facts.endpoint))
}

/// What one call of `UpdateEndpointWeightsAndCapacities` sets.
fn set_counts(changes: &Changes<'_>, counts: &[String]) -> Planned {
    let on = format!("{}: {}", changes.facts.endpoint, counts.join(", "));
    call(SAGEMAKER, "UpdateEndpointWeightsAndCapacities", on)
}

fn deregister(changes: &Changes<'_>) -> Step {
    let title = "Deregister variants from automatic scaling";
    let mut calls = Vec::new();
    for one in changes.deregistered() {
        let target = of_target(changes, one);
        let policies = one.policies.iter();
        calls.extend(
            policies.map(|name| {
                call(AUTOSCALING, "DeleteScalingPolicy", format!("{name} of {target}"))
            }),
        );
        calls.push(call(AUTOSCALING, "DeregisterScalableTarget", target));
    }
    let why = match verdict::by_scaling(changes) {
        Some(words) => {
            format!("{} Without this step UpdateEndpoint is refused: {words}", bound(changes))
        }
        None if changes.facts.scaled.is_empty() => {
            "Not needed: no variant has automatic scaling.".to_owned()
        }
        None => "Not needed: no variant that has automatic scaling is removed or changes its instance type.".to_owned(),
    };
    step(1, title, why, calls)
}

/// What the update would do to the bound variants.
fn bound(changes: &Changes<'_>) -> String {
    let said = changes.bound.iter().map(|one| match &one.why {
        Why::Removed => format!("{} is removed.", one.variant),
        Why::TypeChanges { from, to } => {
            let (from, to) = (kind(from.as_deref()), kind(to.as_deref()));
            format!("{} changes its instance type from {from} to {to}.", one.variant)
        }
    });
    said.collect::<Vec<_>>().join(" ")
}

fn raise(changes: &Changes<'_>) -> Step {
    let blocked = "Automatic scaling is blocked while the update is in progress";
    let counts: Vec<String> = changes
        .raised()
        .map(|one| format!("{} from {} to {}", one.variant, one.before, one.raised))
        .collect();
    let mut calls: Vec<Planned> = changes
        .held()
        .map(|one| {
            let on = format!("{}, with scale-in suspended", of_target(changes, one));
            call(AUTOSCALING, "RegisterScalableTarget", on)
        })
        .collect();
    let why = if counts.is_empty() && changes.request.headroom_percent == 0 {
        format!(
            "Not asked for. {blocked}: more instances are a precaution against load that grows meanwhile."
        )
    } else if counts.is_empty() {
        "Not needed: no variant has a number of instances.".to_owned()
    } else {
        calls.push(set_counts(changes, &counts));
        let held = if calls.len() > 1 {
            " Scale-in is suspended first, or it could take them away again."
        } else {
            ""
        };
        format!(
            "{blocked}: {}% more instances serve meanwhile.{held}",
            changes.request.headroom_percent
        )
    };
    step(2, "Increase the number of instances", why, calls)
}

fn wait(changes: &Changes<'_>) -> Step {
    let facts = changes.facts;
    let (why, calls) = if changes.raised().next().is_some() {
        let refusal = Refusal::InProgress(facts.endpoint.clone()).in_words(&facts.arn);
        let why = format!("UpdateEndpoint is refused until the new instances are there: {refusal}");
        (why, vec![until_in_service(changes)])
    } else {
        ("Not needed: step 2 changes nothing.".to_owned(), Vec::new())
    };
    step(3, "Wait until the endpoint is InService", why, calls)
}

fn look(changes: &Changes<'_>) -> Step {
    let (in_use, wanted) = (&changes.facts.in_use.name, &changes.facts.wanted.name);
    let why =
        "Variants are matched by their names: the two configs show which ones stay, come and go.";
    let names = if in_use == wanted { vec![in_use] } else { vec![in_use, wanted] };
    let calls = names
        .into_iter()
        .map(|name| call(SAGEMAKER, "DescribeEndpointConfig", name.to_string()))
        .collect();
    step(4, "Look at the endpoint config in use", why.to_owned(), calls)
}

fn create(changes: &Changes<'_>) -> Step {
    let why = format!("Not needed: {} is there.", changes.facts.wanted.name);
    step(5, "Create a new endpoint config", why, Vec::new())
}

fn update(changes: &Changes<'_>) -> Step {
    let facts = changes.facts;
    let mut on =
        format!("{} to {}, RetainAllVariantProperties=true", facts.endpoint, facts.wanted.name);
    let mut why = KEEPS_COUNTS.to_owned();
    let falls: Vec<String> = changes.counts().iter().filter_map(verdict::fall).collect();
    if changes.request.keep_counts && !falls.is_empty() {
        why = format!("{why} Without it, {}.", list(falls));
    }
    if !changes.request.keep_counts {
        why += " InitialInstanceCount is set afterwards, so that there are never fewer instances meanwhile.";
    }
    if !changes.request.keep_weights {
        on += ", ExcludeRetainedVariantProperties=DesiredWeight";
        why += " Weights become those of the new config.";
    }
    if let Some(strategy) = strategy(changes) {
        on = format!("{on}, {strategy}");
        why += " Traffic goes over as the DeploymentConfig says. If an alarm or a limit of it takes the update back, scaling is put back as it was.";
    }
    let calls = vec![call(SAGEMAKER, "UpdateEndpoint", on), until_in_service(changes)];
    step(6, "Update the endpoint", why, calls)
}

/// How traffic goes over, where that is chosen.
fn strategy(changes: &Changes<'_>) -> Option<String> {
    let request = changes.request;
    if request.retain_deployment_config {
        return Some("RetainDeploymentConfig=true".to_owned());
    }
    let config = request.deployment_config.as_ref()?;
    let routing = ["BlueGreenUpdatePolicy", "TrafficRoutingConfiguration", "Type"];
    let kind = match config.at(&["RollingUpdatePolicy"]) {
        Some(_) => "rolling",
        None => config.text(&routing).unwrap_or("ALL_AT_ONCE"),
    };
    Some(format!("DeploymentConfig ({})", kind.to_lowercase()))
}

fn register(changes: &Changes<'_>) -> Step {
    let mut calls: Vec<Planned> =
        changes.registered_again().flat_map(|one| register_again(changes, one)).collect();
    let mut alarms: Vec<&String> = changes.registered_again().flat_map(|one| &one.alarms).collect();
    alarms.sort();
    alarms.dedup();
    calls.extend(alarms.into_iter().map(|name| {
        call(CLOUDWATCH, "PutMetricAlarm", format!("{name}, with the policy's new ARN"))
    }));
    let settled: Vec<String> = changes
        .settled()
        .map(|one| format!("{} from {} to {}", one.variant, one.updated, one.after))
        .collect();
    if !settled.is_empty() {
        calls.push(set_counts(changes, &settled));
        calls.push(until_in_service(changes));
    }
    calls.extend(changes.held().map(|one| {
        let on = format!("{}, with scale-in as it was", of_target(changes, one));
        call(AUTOSCALING, "RegisterScalableTarget", on)
    }));
    step(
        7,
        "Register variants for automatic scaling again",
        why_register(changes, !calls.is_empty()),
        calls,
    )
}

/// The calls that put back one target with all that hangs on it.
fn register_again(changes: &Changes<'_>, one: &Scaled) -> Vec<Planned> {
    let target = of_target(changes, one);
    let bounds = format!("{target}, MinCapacity {}, MaxCapacity {}", one.min, one.max);
    let mut calls = vec![call(AUTOSCALING, "RegisterScalableTarget", bounds)];
    if one.tagged {
        calls.push(call(AUTOSCALING, "TagResource", target.clone()));
    }
    let each = |operation: &'static str, names: &[String]| -> Vec<Planned> {
        let of = |name: &String| call(AUTOSCALING, operation, format!("{name} of {target}"));
        names.iter().map(of).collect()
    };
    calls.extend(each("PutScalingPolicy", &one.policies));
    calls.extend(each("PutScheduledAction", &one.scheduled_actions));
    calls
}

fn why_register(changes: &Changes<'_>, anything: bool) -> String {
    let again: Vec<_> = changes.registered_again().map(|one| &one.variant).collect();
    let mut why = Vec::new();
    if !again.is_empty() {
        why.push(format!(
            "Without it nothing scales {} any more: step 1 took away targets, policies and scheduled actions.",
            list(again)
        ));
    }
    if !changes.request.keep_counts && changes.settled().next().is_some() {
        why.push("The counts are set to InitialInstanceCount.".to_owned());
    } else if changes.raised().next().is_some() {
        why.push(
            "The counts return to what they were, or to what the policies want by then if that is more."
                .to_owned(),
        );
    }
    if !anything && changes.bound.is_empty() {
        why.push("Not needed: step 1 deregisters nothing.".to_owned());
    } else if !anything {
        why.push("Not possible: what step 1 deregisters has nothing to scale any more.".to_owned());
    }
    why.join(" ")
}
