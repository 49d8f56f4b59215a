//! `ExplainScaling`: what decides about a variant's count now, and what has been decided lately.

use domain::endpoint::{Endpoint, Fleet};
use domain::name::{EndpointName, VariantName};
use domain::scaling::schedule::Schedule;
use domain::scaling::{
    self, Facts, Plan, Policy, Resource, ScheduledAction, Target, TargetKey, Watched,
};
use domain::time::Timestamp;
use store::State;
use wire::tidegate::{
    ExplainScalingInput, ExplainScalingOutput, ExplainedPolicy, ExplainedScheduledAction,
};

use super::{alarm, lookup, shown};
use crate::Error;
use crate::context::{Context, name};

/// Datapoints of long ago lie on the disk: reading them must not hold up other requests.
pub(super) async fn explain_scaling(
    cx: &Context,
    input: ExplainScalingInput,
) -> Result<ExplainScalingOutput, Error> {
    let cx = cx.clone();
    let explained = tokio::task::spawn_blocking(move || explain(&cx, &input));
    explained.await.map_err(|why| Error::Internal(why.to_string()))?
}

fn explain(cx: &Context, input: &ExplainScalingInput) -> Result<ExplainScalingOutput, Error> {
    let endpoint: EndpointName = name("endpointName", &input.endpoint_name)?;
    let variant: VariantName = name("variantName", &input.variant_name)?;
    let state = cx.store.state();
    let now = cx.clock.now();
    let endpoint = lookup::endpoint(&state, &endpoint)?;
    let fleet = lookup::fleet(endpoint, &variant)?;
    let key = TargetKey { endpoint: (&endpoint.name).into(), variant };
    let bare = bare(endpoint, fleet, now);
    let Some(target) = state.targets.get(&key) else {
        return Ok(ExplainScalingOutput { summary: unregistered(fleet), ..bare });
    };
    let policies: Vec<_> = state.policies_of(&key).collect();
    let low = |policy: &Policy| {
        let alarm = policy.alarms.get(1).and_then(|name| state.alarms.get(name));
        alarm.map(|alarm| alarm.state.value)
    };
    let watched: Vec<Watched<'_>> = policies
        .iter()
        .map(|policy| Watched { policy, low: low(policy), low_mean: None })
        .collect();
    let facts = Facts {
        target,
        policies: &watched,
        resource: Resource::of(endpoint, &key.variant),
        triggers: &[],
        now,
    };
    let explained = policies.iter().map(|policy| policy_of(cx, &state, target, policy, now));
    Ok(ExplainScalingOutput {
        target: Some(shown::target(target)),
        summary: scaling::explain::summary(&facts),
        policies: explained.collect::<Result<_, _>>()?,
        cooldowns: shown::cooldowns(&target.memory, now),
        scheduled_actions: scheduled(&state, &key, now),
        decisions: cx.live.decisions(&key).iter().map(shown::decision).collect(),
        ..bare
    })
}

/// What can be said of a variant that is not registered.
fn bare(endpoint: &Endpoint, fleet: &Fleet, now: Timestamp) -> ExplainScalingOutput {
    ExplainScalingOutput {
        resource_id: format!("endpoint/{}/variant/{}", endpoint.name, fleet.variant),
        now: shown::timestamp(now),
        endpoint_status: endpoint.stage.status().to_owned(),
        current_instance_count: shown::count(fleet.current_count),
        desired_instance_count: shown::count(fleet.desired_count),
        ..ExplainScalingOutput::default()
    }
}

fn unregistered(fleet: &Fleet) -> String {
    let (count, them) = match fleet.desired_count {
        1 => ("1 instance".to_owned(), "it"),
        count => (format!("{count} instances"), "them"),
    };
    format!(
        "The variant is not registered as a scalable target, so that nothing scales it: it keeps its {count} until \
         UpdateEndpoint or UpdateEndpointWeightsAndCapacities changes {them}."
    )
}

fn policy_of(
    cx: &Context,
    state: &State,
    target: &Target,
    policy: &Policy,
    now: Timestamp,
) -> Result<ExplainedPolicy, Error> {
    let alarms = alarm::of(state, &cx.scope, target, policy);
    let alarms = alarms.iter().map(|alarm| alarm::explained(cx, policy, alarm, now));
    // A step policy without alarms and a tracking policy that has lost its own never do anything.
    let mut summary = scaling::explain::policy(policy);
    let lost = match &policy.plan {
        Plan::StepScaling(_) => alarms.len() == 0,
        Plan::TargetTracking(_) => alarms.len() < policy.alarms.len(),
    };
    if lost {
        summary.push_str(match &policy.plan {
            Plan::StepScaling(_) => " No alarm calls it, so that it never does.",
            Plan::TargetTracking(_) => {
                " An alarm of its own was deleted: put the policy again to get a new one."
            }
        });
    }
    Ok(ExplainedPolicy {
        policy_name: policy.name.clone(),
        policy_type: policy.plan.kind().as_str().to_owned(),
        summary,
        alarms: alarms.collect::<Result<_, _>>()?,
        scale_in_cooldown: Some(shown::count(policy.plan.scale_in_cooldown_secs())),
        scale_out_cooldown: Some(shown::count(policy.plan.scale_out_cooldown_secs())),
    })
}

/// The next one first, those that never run again last.
fn scheduled(state: &State, key: &TargetKey, now: Timestamp) -> Vec<ExplainedScheduledAction> {
    let next = |action: &ScheduledAction| {
        let schedule = Schedule::parse(&action.schedule, action.timezone.as_deref()).ok()?;
        schedule.next_of(action)
    };
    let mut actions: Vec<_> =
        state.scheduled_actions_of(key).map(|action| (next(action), action)).collect();
    actions.sort_by_key(|(next, _)| (next.is_none(), *next));
    let explained = actions.into_iter().map(|(next, action)| ExplainedScheduledAction {
        name: action.name.clone(),
        schedule: action.schedule.clone(),
        next_run: next.map(shown::timestamp),
        summary: scaling::explain::scheduled_action(action, next, now),
    });
    explained.collect()
}
