//! Step 7: the scaling of the variants that are still there comes back, in the order in which one thing needs another.

use std::collections::BTreeMap;

use super::same::same;
use super::{Next, Order, Phase, Run, SavedTarget, Seen};
use crate::scaling::DIMENSION;
use crate::time::Timestamp;

impl Run {
    pub(super) fn register(&self, seen: &Seen) -> Next {
        let mut targets = self.saved.targets.iter().filter(|target| self.comes_back(target));
        let order = targets
            .find_map(|saved| missing(saved, seen.scaling.same_target(saved), seen.now))
            .or_else(|| self.alarm_order(seen));
        order.map_or_else(|| self.in_phase(Phase::Settling, seen.now).keep(), Next::Do)
    }

    /// Whether the run took a target away, and the config that it went to can have it: the variant is there, and has what
    /// the dimension counts.
    pub(super) fn comes_back(&self, target: &SavedTarget) -> bool {
        let variant = self.aim().variant(&target.variant);
        let fits = variant.is_some_and(|variant| {
            variant.instance_type.is_some() == (target.dimension == DIMENSION)
        });
        fits && self.is_bound(&target.variant)
    }
}

/// The first of what a target lacks.
fn missing(saved: &SavedTarget, seen: Option<&SavedTarget>, now: Timestamp) -> Option<Order> {
    let wanted = saved.due(now);
    let Some(seen) = seen.filter(|seen| same(&seen.target, &wanted)) else {
        return Some(Order::Register(wanted));
    };
    let lacking = saved.tags.iter().filter(|(key, value)| seen.tags.get(*key) != Some(*value));
    let tags: BTreeMap<String, String> =
        lacking.map(|(key, value)| (key.clone(), value.clone())).collect();
    if let Some(arn) = seen.arn.clone().filter(|_| !tags.is_empty()) {
        return Some(Order::Tag { arn, tags });
    }
    for policy in &saved.policies {
        let there = seen.policy(&policy.name);
        if !there.is_some_and(|there| same(&there.policy, &policy.policy)) {
            return Some(Order::PutPolicy(policy.policy.clone()));
        }
    }
    for (name, action) in &saved.scheduled_actions {
        let there = seen.scheduled_actions.get(name);
        let is_there = there.is_some_and(|there| same(&there.action, &action.action));
        if !is_there && !saved.is_over(name, action, now) {
            return Some(Order::PutScheduledAction(action.action.clone()));
        }
    }
    None
}
