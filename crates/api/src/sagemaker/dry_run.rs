//! What a dry run adds to the answer of the call: the plan, made by the planner of safe updates.
//!
//! By then the operation itself has accepted the call, in the image that is looked at here.

use std::collections::BTreeSet;

use ::safe_update::shown;
use domain::arn::Scope;
use domain::endpoint::Endpoint;
use domain::name::{EndpointConfigName, EndpointKey, EndpointName};
use domain::safe_update::{DeletionFacts, Facts, Given, Request, Running, Scaled, deletion, plan};
use domain::scaling::{ActionRef, DIMENSION, Target, TargetKey};
use store::State;
use wire::sagemaker::{DeleteEndpointInput, UpdateEndpointInput, UpdateEndpointOutput};
use wire::tidegate::{DeleteEndpointDryRun, UpdateEndpointDryRun};
use wire::{Call, Document, Value};

use super::{lookup, update_endpoint};
use crate::Error;
use crate::context::{Context, name};

pub(crate) fn update(
    cx: &Context,
    call: &Call,
    output: &Document,
) -> Result<UpdateEndpointDryRun, Error> {
    let input: UpdateEndpointInput = call.input()?;
    let UpdateEndpointOutput { endpoint_arn } = UpdateEndpointOutput::from_document(output)?;
    let endpoint: EndpointName = name("endpointName", &input.endpoint_name)?;
    let config: EndpointConfigName = name("endpointConfigName", &input.endpoint_config_name)?;
    let state = cx.store.state();
    let endpoint = lookup::endpoint(&state, &cx.scope, &endpoint)?;
    let config = lookup::config(&state, &cx.scope, &config)?;
    let scaled = scaled(&state, &cx.scope, endpoint);
    let facts = Facts::of(endpoint, endpoint_arn.clone(), config, scaled);
    let retain = update_endpoint::retain(&input);
    let request =
        Request { keep_counts: retain.counts, keep_weights: retain.weights, ..Request::default() };
    let tidegate_plan = shown::plan(&facts, &request, &plan(&facts, &request));
    Ok(UpdateEndpointDryRun { endpoint_arn, tidegate_plan })
}

/// The call was accepted, so that its caller has every permission that it needs.
pub(crate) fn delete(cx: &Context, call: &Call) -> Result<DeleteEndpointDryRun, Error> {
    let input: DeleteEndpointInput = call.input()?;
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let state = cx.store.state();
    let endpoint = lookup::endpoint(&state, &cx.scope, &name)?;
    let scaled = scaled(&state, &cx.scope, endpoint);
    let facts = DeletionFacts {
        endpoint: endpoint.name.clone(),
        arn: cx.endpoint_arn(&endpoint.name),
        status: endpoint.stage.status().to_owned(),
        config: endpoint.config_name.clone(),
        running: Running::of(endpoint),
        scaled,
    };
    let plan = deletion(&facts).judged(|_| Given::Allowed);
    Ok(DeleteEndpointDryRun { tidegate_plan: shown::deletion(&plan) })
}

/// What scales an endpoint.
fn scaled(state: &State, scope: &Scope, endpoint: &Endpoint) -> Vec<Scaled> {
    let key = EndpointKey::from(&endpoint.name);
    let targets = state.targets_of(&key);
    targets.map(|target| of_target(state, scope, target)).collect()
}

fn of_target(state: &State, scope: &Scope, target: &Target) -> Scaled {
    let key = TargetKey::from(&target.resource);
    let policies = || state.policies_of(&key);
    let made: BTreeSet<_> = policies().flat_map(|policy| &policy.alarms).collect();
    let calls = |action: &String| {
        ActionRef::read(scope, action)
            .is_some_and(|action| action.target == key && action.target_id == target.id)
    };
    let users = state.alarms.values().filter(|alarm| {
        let config = &alarm.config;
        let lists = [&config.ok_actions, &config.alarm_actions, &config.insufficient_data_actions];
        !made.contains(&alarm.name) && lists.into_iter().flatten().any(calls)
    });
    let actions = state.scheduled_actions_of(&key);
    Scaled {
        variant: target.resource.variant.clone(),
        dimension: DIMENSION.to_owned(),
        tagged: state.tagged.get(&target.arn(scope)).is_some_and(|kept| !kept.tags.0.is_empty()),
        arn: Some(target.arn(scope)),
        min: target.min,
        max: target.max,
        scale_in_suspended: target.suspended.dynamic_in,
        policies: policies().map(|policy| policy.name.clone()).collect(),
        policy_alarms: made.iter().map(ToString::to_string).collect(),
        scheduled_actions: actions.map(|action| action.name.clone()).collect(),
        alarms: users.map(|alarm| alarm.name.to_string()).collect(),
    }
}
