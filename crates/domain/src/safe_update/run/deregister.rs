//! Step 1: the scaling of variants that are bound is taken away, policies first, when all of it is in the run.

use super::same::same;
use super::{Goal, Next, Order, Phase, Run, Saved, SavedTarget, Seen};

impl Run {
    pub(super) fn deregister(&self, seen: &Seen) -> Next {
        if seen.aim_gone {
            let why = format!("there is no endpoint config {} any more", self.aim().name);
            let untouched = self.goal == Goal::Undo && !self.has_taken(seen);
            return if untouched { Next::Pause(why) } else { self.turned(why, seen.now).keep() };
        }
        match self.goal {
            Goal::Apply => {
                if let Some(saved) = self.adopted(seen) {
                    return Self { saved, changed_at: seen.now, ..self.clone() }.keep();
                }
            }
            Goal::Undo => {
                if let Some(what) = self.unsaved(seen) {
                    return Next::Pause(what);
                }
            }
        }
        let Some(target) = self.bound_seen(seen) else {
            return self.count(seen).in_phase(Phase::Raising, seen.now).keep();
        };
        let SavedTarget { variant, dimension, .. } = target.clone();
        Next::Do(match target.policies.first() {
            Some(policy) => Order::DeletePolicy { variant, dimension, name: policy.name.clone() },
            None => Order::Deregister { variant, dimension },
        })
    }

    /// A target that is in the way.
    pub(super) fn bound_seen<'a>(&self, seen: &'a Seen) -> Option<&'a SavedTarget> {
        seen.scaling.targets.iter().find(|target| self.binds(target))
    }

    /// Whether a target that is registered now is in the way of the config that the run goes to.
    fn binds(&self, target: &SavedTarget) -> bool {
        self.origin().variant(&target.variant).is_some() && self.is_bound(&target.variant)
    }

    /// Counts what is desired, now that nothing of ours is scaled any more. What was counted on this way before stays, for
    /// it may have been raised since; what was counted before the run had ended is never lowered.
    fn count(&self, seen: &Seen) -> Self {
        let mut run = self.clone();
        for one in &seen.endpoint.running {
            let Some(desired) = one.desired else { continue };
            let kept = run.kept.entry(one.variant.clone()).or_insert(desired);
            if !self.counted {
                *kept = desired.max(*kept);
            }
        }
        run.counted = true;
        run
    }

    /// Whether anything of what is to be taken away has been.
    fn has_taken(&self, seen: &Seen) -> bool {
        self.saved.targets.iter().filter(|saved| self.binds(saved)).any(|saved| {
            let Some(now) = seen.scaling.same_target(saved) else { return true };
            saved.policies.iter().any(|policy| now.policy(&policy.name).is_none())
        })
    }

    /// What was saved, with what has come or changed since, so that nothing is taken away that could not be put back.
    /// What is gone may have been taken by this very run, and stays saved.
    fn adopted(&self, seen: &Seen) -> Option<Saved> {
        let taken = self.has_taken(seen);
        let mut saved = self.saved.clone();
        for now in &seen.scaling.targets {
            let before = saved
                .targets
                .iter_mut()
                .find(|one| one.variant == now.variant && one.dimension == now.dimension);
            match before {
                None => saved.targets.push(now.clone()),
                // What stays registered is left alone, and its scale-in may be suspended by now.
                Some(before) if self.binds(now) => merge(before, now),
                Some(_) => {}
            }
        }
        for now in &seen.scaling.alarms {
            match saved.alarms.iter_mut().find(|one| one.name == now.name) {
                None => saved.alarms.push(now.clone()),
                // An alarm loses its action together with the policy.
                Some(before) if !taken && !same(&before.alarm, &now.alarm) => {
                    *before = now.clone();
                }
                Some(_) => {}
            }
        }
        (saved != self.saved).then_some(saved)
    }

    /// What would be lost if it were taken away on the way back: it was made after the update began.
    fn unsaved(&self, seen: &Seen) -> Option<String> {
        for target in seen.scaling.targets.iter().filter(|target| self.binds(target)) {
            let variant = &target.variant;
            let lost = |what: String| {
                Some(format!(
                    "{what} of variant {variant} was made after the update began, and would be lost: take it away first"
                ))
            };
            let Some(saved) = self.saved.same_target(target) else {
                return lost("the registration as a scalable target".to_owned());
            };
            let policy = target.policies.iter().find(|one| saved.policy(&one.name).is_none());
            if let Some(policy) = policy {
                return lost(format!("the scaling policy {}", policy.name));
            }
            let actions = &saved.scheduled_actions;
            let action = target.scheduled_actions.keys().find(|name| !actions.contains_key(*name));
            if let Some(action) = action {
                return lost(format!("the scheduled action {action}"));
            }
        }
        None
    }
}

fn merge(before: &mut SavedTarget, now: &SavedTarget) {
    if !same(&before.target, &now.target) {
        before.target = now.target.clone();
        before.as_of = now.as_of;
    }
    if now.arn.is_some() {
        before.arn.clone_from(&now.arn);
    }
    before.tags.extend(now.tags.clone());
    for policy in &now.policies {
        match before.policies.iter_mut().find(|one| one.name == policy.name) {
            None => before.policies.push(policy.clone()),
            Some(one) => {
                one.arn.clone_from(&policy.arn);
                if !same(&one.policy, &policy.policy) {
                    one.policy = policy.policy.clone();
                }
            }
        }
    }
    for (name, action) in &now.scheduled_actions {
        let before = before.scheduled_actions.entry(name.clone()).or_insert_with(|| action.clone());
        if !same(&before.action, &action.action) {
            *before = action.clone();
        }
    }
}
