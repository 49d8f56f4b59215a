//! The user's own alarms: which they are, and how they name policies that have been put back.
//!
//! A policy's ARN holds an id of its target's registration, which is another one after it has been registered anew. All
//! behind that id stays the same (`reference/autoscaling-and-cloudwatch.md`, section 1.3).

use std::collections::BTreeSet;

use serde_json::Value;

use super::same::same;
use super::{Order, Run, SavedPolicy, SavedTarget, Seen};

/// What follows the id in a policy's ARN.
const BEHIND_THE_ID: &str = ":resource/";

/// Members of an alarm that list its actions.
const ACTIONS: [&str; 3] = ["AlarmActions", "OKActions", "InsufficientDataActions"];

/// Whether an alarm, in the form of `DescribeAlarms` or of `PutMetricAlarm`'s input, is a user's own that calls one of the
/// policies: not one of those that a policy made for itself, by name.
pub fn is_users_own<'a>(
    alarm: &Value,
    mut policies: impl Iterator<Item = &'a str>,
    made: &BTreeSet<String>,
) -> bool {
    let name = alarm.get("AlarmName").and_then(Value::as_str).unwrap_or_default();
    !made.contains(name) && policies.any(|arn| actions(alarm).any(|action| action == arn))
}

fn actions(alarm: &Value) -> impl Iterator<Item = &str> {
    let lists = ACTIONS.iter().filter_map(|list| alarm.get(list)?.as_array());
    lists.flatten().filter_map(Value::as_str)
}

/// Whether an action names a policy, now or under an earlier registration of its target.
fn names(action: &str, policy: &SavedPolicy) -> bool {
    let tail = |arn: &str| arn.split_once(BEHIND_THE_ID).map(|(_, tail)| tail.to_owned());
    action == policy.arn || tail(action).is_some_and(|it| Some(it) == tail(&policy.arn))
}

impl Run {
    /// The first alarm that does not yet call the policies as they are now.
    pub(super) fn alarm_order(&self, seen: &Seen) -> Option<Order> {
        self.saved.alarms.iter().find_map(|saved| {
            let wanted = self.rewritten(&saved.alarm, seen)?;
            let now = seen.scaling.alarm(&saved.name);
            let is_there = now.is_some_and(|now| same(&now.alarm, &wanted));
            (!is_there).then_some(Order::PutAlarm(wanted))
        })
    }

    /// A saved alarm with the present ARNs of the policies that have been put back, and without those that are not;
    /// nothing where it calls none that has been.
    fn rewritten(&self, alarm: &Value, seen: &Seen) -> Option<Value> {
        let mut alarm = alarm.clone();
        let mut calls = false;
        for list in ACTIONS {
            let Some(actions) = alarm.get_mut(list).and_then(Value::as_array_mut) else { continue };
            let mut after = Vec::new();
            for action in actions.iter() {
                let named = action.as_str().and_then(|action| self.taken_policy(action));
                let Some((target, policy)) = named else {
                    after.push(action.clone());
                    continue;
                };
                let now = seen.scaling.same_target(target);
                if let Some(now) = now.and_then(|now| now.policy(&policy.name)) {
                    after.push(Value::String(now.arn.clone()));
                    calls = true;
                }
            }
            *actions = after;
        }
        calls.then_some(alarm)
    }

    /// The policy that an action names, if it is one of those that the run takes away.
    fn taken_policy(&self, action: &str) -> Option<(&SavedTarget, &SavedPolicy)> {
        let taken = self.saved.targets.iter().filter(|target| self.is_bound(&target.variant));
        let mut policies =
            taken.flat_map(|target| target.policies.iter().map(move |policy| (target, policy)));
        policies.find(|(_, policy)| names(action, policy))
    }
}
