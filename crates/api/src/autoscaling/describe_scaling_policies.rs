//! `DescribeScalingPolicies`: the newest first, each with the alarms that drive it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::arn::Scope;
use domain::scaling::{Plan, Policy, Target};
use store::State;
use wire::application_autoscaling::{
    Alarm, DescribeScalingPoliciesRequest, DescribeScalingPoliciesResponse, ScalingPolicy,
};

use super::lookup::Asked;
use super::page::{POLICIES_PAGE_MAX, Page};
use super::{remove, shown};
use crate::cloudwatch::alarms;
use crate::{Context, Error};

pub(super) fn describe_scaling_policies(
    cx: &Context,
    input: DescribeScalingPoliciesRequest,
) -> Result<DescribeScalingPoliciesResponse, Error> {
    let names = input.policy_names.unwrap_or_default();
    let asked = Asked::read(input.service_namespace, input.scalable_dimension, &input.resource_id)?;
    let query = ("policies", input.service_namespace.as_str(), &names, &input.resource_id);
    let token = input.next_token.as_deref();
    let page = Page::read(query, POLICIES_PAGE_MAX, input.max_results, token)?;
    let state = cx.store.state();
    let policies: Vec<&Arc<Policy>> = match &asked {
        Asked::All => state.policies.values().collect(),
        Asked::Of(keys) => keys.iter().flat_map(|key| state.policies_of(key)).collect(),
    };
    let places = policies
        .into_iter()
        .filter(|policy| names.is_empty() || names.contains(&policy.name))
        .map(|policy| {
            let newest_first = policy.created_at.as_millis().saturating_neg();
            ((newest_first, policy.target.clone(), policy.name.clone()), policy)
        });
    let (found, next_token) = page.of(places);
    let found = of_targets(&state, found);
    let driving = driving(&state, &found, &cx.scope);
    let policies = found.iter().map(|(target, policy)| {
        let alarms = driving_one(&state, &driving, target, policy, &cx.scope);
        policy_with(target, policy, alarms, &cx.scope)
    });
    Ok(DescribeScalingPoliciesResponse { scaling_policies: Some(policies.collect()), next_token })
}

/// Policies with their targets, without which there are none.
fn of_targets<'a>(
    state: &'a State,
    policies: Vec<&'a Arc<Policy>>,
) -> Vec<(&'a Arc<Target>, &'a Arc<Policy>)> {
    let with = |policy: &'a Arc<Policy>| Some((state.targets.get(&policy.target)?, policy));
    policies.into_iter().filter_map(with).collect()
}

/// Users' alarms by the policy's ARN that they name. All are looked through once for a whole page.
fn driving(
    state: &State,
    policies: &[(&Arc<Target>, &Arc<Policy>)],
    scope: &Scope,
) -> BTreeMap<String, Vec<Alarm>> {
    let actions: BTreeSet<String> = policies
        .iter()
        .filter_map(|(target, policy)| remove::user_action(target, policy, scope))
        .collect();
    let mut found: BTreeMap<String, Vec<Alarm>> = BTreeMap::new();
    for alarm in alarms::naming(state, &actions) {
        let named: BTreeSet<&String> =
            alarms::all_actions(alarm).filter(|action| actions.contains(*action)).collect();
        for action in named {
            found.entry(action.clone()).or_default().push(shown::alarm(alarm, scope));
        }
    }
    found
}

fn driving_one(
    state: &State,
    driving: &BTreeMap<String, Vec<Alarm>>,
    target: &Target,
    policy: &Policy,
    scope: &Scope,
) -> Vec<Alarm> {
    if let Some(action) = remove::user_action(target, policy, scope) {
        return driving.get(&action).cloned().unwrap_or_default();
    }
    let own = policy.alarms.iter().filter_map(|name| state.alarms.get(name));
    own.map(|alarm| shown::alarm(alarm, scope)).collect()
}

fn policy_with(
    target: &Target,
    policy: &Policy,
    alarms: Vec<Alarm>,
    scope: &Scope,
) -> ScalingPolicy {
    let (step, tracking) = match &policy.plan {
        Plan::StepScaling(plan) => (Some(shown::step(plan)), None),
        Plan::TargetTracking(plan) => (None, Some(shown::tracking(plan))),
    };
    ScalingPolicy {
        policy_arn: target.policy_arn(scope, &policy.name),
        policy_name: policy.name.clone(),
        service_namespace: shown::NAMESPACE,
        resource_id: target.resource.to_string(),
        scalable_dimension: shown::DIMENSION,
        policy_type: shown::kind(policy.plan.kind()),
        step_scaling_policy_configuration: step,
        target_tracking_scaling_policy_configuration: tracking,
        predictive_scaling_policy_configuration: None,
        alarms: Some(alarms),
        creation_time: shown::timestamp(policy.created_at),
    }
}
