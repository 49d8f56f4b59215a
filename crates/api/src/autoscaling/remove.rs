//! What goes with a target when it is deregistered or its endpoint is deleted (promise S9).

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::alarm::AlarmName;
use domain::arn::Scope;
use domain::scaling::{self, Plan, Policy, ScheduledAction, Target, TargetKey};
use domain::time::Timestamp;
use store::record::Tagged;
use store::{Changes, State};

use super::lookup;
use crate::cloudwatch::alarms;

/// Removes targets with their policies, the alarms of those, scheduled actions and tags. Activities stay, and one in
/// flight ends. Users' alarms stay without the actions that name the policies.
///
/// All targets that go in one decision belong in one call: a user's alarm may name policies of several.
pub(crate) fn remove(
    mut changes: Changes,
    state: &State,
    scope: &Scope,
    targets: &[&Arc<Target>],
    now: Timestamp,
) -> Changes {
    let mut owned: BTreeSet<&AlarmName> = BTreeSet::new();
    let mut actions: BTreeSet<String> = BTreeSet::new();
    for target in targets {
        let key = TargetKey::from(&target.resource);
        changes = ended(changes, state, target, now);
        for policy in state.policies_of(&key) {
            owned.extend(&policy.alarms);
            actions.extend(user_action(target, policy, scope));
            changes = changes.delete::<Policy>((key.clone(), policy.name.clone()));
        }
        for action in state.scheduled_actions_of(&key) {
            changes = changes.delete::<ScheduledAction>((key.clone(), action.name.clone()));
        }
        changes = changes.delete::<Tagged>(target.arn(scope)).delete::<Target>(key);
    }
    changes = alarms::detach(changes, state, scope, &actions, &owned, now);
    alarms::delete(changes, state, scope, owned, now)
}

/// What users write into alarms of theirs that drive a policy.
pub(super) fn user_action(target: &Target, policy: &Policy, scope: &Scope) -> Option<String> {
    match policy.plan {
        Plan::StepScaling(_) => Some(target.policy_arn(scope, &policy.name)),
        Plan::TargetTracking(_) => None,
    }
}

/// Ends the activity in flight: as it came out, or given up.
fn ended(changes: Changes, state: &State, target: &Target, now: Timestamp) -> Changes {
    let (_, ended) = lookup::looked_after(state, target, now);
    let given_up = || {
        let activity = lookup::in_flight(state, target)?;
        scaling::abandon(target, activity, now)
    };
    ended.or_else(given_up).into_iter().fold(changes, Changes::put)
}
