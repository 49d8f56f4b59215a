//! What must hold in every state that is ever kept, whatever has led to it.

use std::fmt::Debug;

use domain::arn::Kind;
use domain::endpoint::Stage;
use domain::scaling::{ActivityStatus, Target, TargetKey};
use store::State;
use store::record::{ActivityKey, Tagged};

/// Something of scaling that belongs to nothing: a target without its endpoint; a policy, an alarm, a scheduled action,
/// tags or an activity in flight without their target.
pub fn orphan(state: &State, scope: &domain::arn::Scope) -> Option<String> {
    let there = |target: &TargetKey| state.targets.contains_key(target);
    let found = |what: &str, record: &dyn Debug| Some(format!("an orphaned {what}: {record:?}"));
    if let Some(target) = state.targets.values().find(|target| !is_based(state, target)) {
        return found("target", target);
    }
    if let Some(policy) = state.policies.values().find(|policy| !there(&policy.target)) {
        return found("policy", policy);
    }
    let alarms = || state.policies.values().flat_map(|policy| &policy.alarms);
    let own = |name: &str| name.starts_with("TargetTracking-");
    let mut made = state.alarms.keys().filter(|name| own(&name.to_string()));
    if let Some(name) = made.find(|name| !alarms().any(|owned| owned == *name)) {
        return found("alarm", name);
    }
    if let Some(action) = state.scheduled_actions.values().find(|action| !there(&action.target)) {
        return found("scheduled action", action);
    }
    let target_arns = state.targets.values().map(|target| target.arn(scope));
    let of_endpoint = |name| Tagged::key_of(Kind::Endpoint, &scope.sagemaker(Kind::Endpoint, name));
    let endpoint_arns = state.endpoints.values().map(|endpoint| of_endpoint(&endpoint.name));
    let bearers: Vec<String> = target_arns.chain(endpoint_arns).collect();
    let bears = |arn: &str| arn.contains(":scalable-target/") || arn.contains(":endpoint/");
    let mut tagged = state.tagged.keys().filter(|arn| bears(arn));
    if let Some(arn) = tagged.find(|arn| !bearers.contains(arn)) {
        return found("set of tags", arn);
    }
    let unattended = |key: &ActivityKey| {
        let target = state.targets.get(&key.target);
        target.and_then(|target| target.memory.in_flight).is_none_or(|own| own.activity != key.id)
    };
    let mut in_flight =
        state.activities.iter().filter(|(_, one)| one.status == ActivityStatus::InProgress);
    in_flight.find(|(key, _)| unattended(key)).and_then(|(_, one)| found("activity", one))
}

/// Whether a target's endpoint is there and not about to go, and has its variant in every fleet that it has or gets.
fn is_based(state: &State, target: &Target) -> bool {
    let key = TargetKey::from(&target.resource);
    let endpoint = state.endpoints.get(&key.endpoint);
    endpoint.is_some_and(|endpoint| {
        let mut fleets = endpoint.live.iter().chain(&endpoint.pending);
        endpoint.stage != Stage::Deleting
            && fleets.all(|deployment| deployment.fleet(&key.variant).is_some())
    })
}
