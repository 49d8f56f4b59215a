//! Where a rollout stands, and where it goes from there.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::guardrails::{Guardrails, Policy};
use crate::time::Timestamp;

/// A new deployment taking the place of the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    pub guardrails: Guardrails,
    pub started_at: Timestamp,
    pub stage: Stage,
    /// When the stage was reached.
    pub since: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// What the step needs of the new fleet is being built. Steps count from 1.
    Provisioning { step: u32 },
    /// The step's traffic is on the new fleet; alarms are watched.
    Baking { step: u32, until: Timestamp },
    /// Rolling only: the old instances whose place the step has taken are leaving.
    Terminating { step: u32 },
    /// Everything goes back. `old` and `new` are the instances that are wanted of the only variant of a rolling
    /// deployment. Of a blue/green one the old fleet is wanted whole, and up to `new` of each variant's new instances
    /// stand by while old ones are missing.
    RollingBack { reason: String, old: u32, new: u32 },
}

/// A variant's instances on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Side {
    /// As many as the deployment wants when it is alone.
    pub total: u32,
    /// That take requests, or could at once; of the old side, those included that an update before has left over.
    pub ready: u32,
    /// That have not ended yet, those on their way in or out included.
    pub running: u32,
}

/// A variant on both sides. One that only one deployment has has a total of 0 on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sides {
    pub old: Side,
    pub new: Side,
}

/// What is known at one moment.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub variants: &'a [Sides],
    /// Why the new fleet cannot be built, if it cannot.
    pub new_failure: Option<String>,
    /// Why instances of the old fleet cannot be built again, if they cannot.
    pub old_failure: Option<String>,
    /// Of the rollout's alarms, those that have gone off, with the reasons of their states.
    pub alarms: &'a [(&'a str, &'a str)],
    /// Server time.
    pub now: Timestamp,
}

/// Where a rollout goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nowhere yet; by itself at this server time, if at any.
    Stay {
        until: Option<Timestamp>,
    },
    To(Rollout),
    /// The new deployment is the only one that serves; what is left of the old one may leave.
    Deployed,
    /// The old deployment is as it was, and nothing of the new one is left.
    RolledBack {
        reason: String,
    },
    /// The old instances did not come back: both sides serve with what they have.
    RollbackFailed {
        reason: String,
    },
}

impl Rollout {
    pub const fn begin(guardrails: Guardrails, now: Timestamp) -> Self {
        Self { guardrails, started_at: now, stage: Stage::Provisioning { step: 1 }, since: now }
    }

    /// Instances that should stand of a variant with these totals: of the old fleet and of the new one.
    pub fn wanted(&self, variants: &[Sides], variant: Sides) -> (u32, u32) {
        let (old, new) = (variant.old.total, variant.new.total);
        let moved = |step, total| self.guardrails.moved(step, self.steps(variants), total);
        match (&self.guardrails.policy, &self.stage) {
            (Policy::Rolling { .. }, Stage::RollingBack { old, new, .. }) => (*old, *new),
            (Policy::BlueGreen { .. }, Stage::RollingBack { new: most, .. }) => {
                (old, new.min(*most))
            }
            (Policy::BlueGreen { .. }, _) => (old, new),
            (Policy::Rolling { .. }, Stage::Provisioning { step } | Stage::Baking { step, .. }) => {
                (old - moved(step.saturating_sub(1), old), moved(*step, new))
            }
            (Policy::Rolling { .. }, Stage::Terminating { step }) => {
                (old - moved(*step, old), moved(*step, new))
            }
        }
    }

    /// Instances that take traffic of a variant with these totals: of the old fleet and of the new one. The share of the
    /// traffic follows them.
    pub fn active(&self, variants: &[Sides], variant: Sides) -> (u32, u32) {
        let (old, new) = (variant.old.total, variant.new.total);
        let shifted = |step: u32| {
            let steps = self.steps(variants);
            (old - self.guardrails.moved(step, steps, old), self.guardrails.moved(step, steps, new))
        };
        match &self.stage {
            Stage::Provisioning { step } => shifted(step.saturating_sub(1)),
            Stage::Baking { step, .. } | Stage::Terminating { step } => shifted(*step),
            Stage::RollingBack { .. } if self.moves_by_batches() => self.wanted(variants, variant),
            Stage::RollingBack { .. } => (old, 0),
        }
    }

    /// The most instances that the only variant of a deployment by batches has at once on its way there.
    pub fn most(&self, sides: Sides) -> u32 {
        let (old, new) = (sides.old.total, sides.new.total);
        let steps = self.steps(&[sides]);
        let moved = |step, total| self.guardrails.moved(step, steps, total);
        let at = |step: u32| (old - moved(step - 1, old)).saturating_add(moved(step, new));
        (1..=steps).map(at).max().unwrap_or(old)
    }

    /// Whether all traffic has gone over to the new deployment.
    pub fn is_shifted(&self, variants: &[Sides]) -> bool {
        match self.stage {
            Stage::Baking { step, .. } | Stage::Terminating { step } => {
                step >= self.steps(variants)
            }
            Stage::Provisioning { .. } | Stage::RollingBack { .. } => false,
        }
    }

    /// Whether instances of the old deployment leave before all of the new one's are there.
    pub const fn moves_by_batches(&self) -> bool {
        matches!(self.guardrails.policy, Policy::Rolling { .. })
    }

    /// Where it goes, given what is seen.
    pub fn next(&self, facts: &Facts<'_>) -> Next {
        if let Stage::RollingBack { reason, old, new } = &self.stage {
            return self.back(facts, reason, *old, *new);
        }
        if let Some(reason) = self.trouble(facts) {
            return Next::To(self.rolled_back(facts.variants, reason, facts.now));
        }
        let steps = self.steps(facts.variants);
        let moved = match self.stage {
            Stage::Provisioning { step } if self.is_built(facts.variants) => {
                let secs = self.guardrails.bake_secs(step, steps);
                Some(Stage::Baking {
                    step,
                    until: facts.now.plus(Duration::from_secs(secs.into())),
                })
            }
            // While some of the new instances are missing, old ones stand in for them, and do not leave.
            Stage::Baking { step, until }
                if until <= facts.now && self.is_built(facts.variants) =>
            {
                match self.guardrails.policy {
                    Policy::BlueGreen { .. } if step >= steps => return Next::Deployed,
                    Policy::BlueGreen { .. } => Some(Stage::Provisioning { step: step + 1 }),
                    Policy::Rolling { .. } => Some(Stage::Terminating { step }),
                }
            }
            Stage::Terminating { step } if self.has_left(facts.variants) => {
                if step >= steps {
                    return Next::Deployed;
                }
                Some(Stage::Provisioning { step: step + 1 })
            }
            _ => None,
        };
        match moved {
            Some(stage) => Next::To(self.at(stage, facts.now)),
            None => Next::Stay { until: self.wake_at(facts.now) },
        }
    }

    /// The same rollout on its way back, whatever it was doing.
    #[must_use]
    pub fn rolled_back(&self, variants: &[Sides], reason: String, now: Timestamp) -> Self {
        if matches!(self.stage, Stage::RollingBack { .. }) {
            return self.clone();
        }
        let first = variants.first().copied().unwrap_or_default();
        let (old, _) = self.wanted(variants, first);
        let old = self.restored(old, first.old.total);
        // What the step was building has had no traffic yet and leaves at once. The others stand in for old instances that
        // are missing.
        let new = match self.guardrails.policy {
            Policy::Rolling { .. } => self.active(variants, first).1,
            Policy::BlueGreen { .. } => {
                let had_traffic = |one: &Sides| self.active(variants, *one).1 > 0;
                if variants.iter().any(had_traffic) { u32::MAX } else { 0 }
            }
        };
        self.at(Stage::RollingBack { reason, old, new }, now)
    }

    /// Why it cannot go on, if it cannot.
    fn trouble(&self, facts: &Facts<'_>) -> Option<String> {
        if let Some(failure) = &facts.new_failure {
            return Some(failure.clone());
        }
        let watched = !matches!(self.stage, Stage::Provisioning { step: 1 });
        if let Some((name, why)) = facts.alarms.first().filter(|_| watched) {
            return Some(format!(
                "The alarm {name} went off, so that the deployment was rolled back: {why}"
            ));
        }
        let limit = self.guardrails.timeout_secs?;
        (facts.now >= self.deadline()?).then(|| {
            format!("The deployment did not end within its MaximumExecutionTimeoutInSeconds of {limit}, so that it was rolled back.")
        })
    }

    /// Where it goes on its way back.
    fn back(&self, facts: &Facts<'_>, reason: &str, old: u32, new: u32) -> Next {
        match self.guardrails.policy {
            Policy::BlueGreen { .. } => self.back_at_once(facts, reason, old, new),
            Policy::Rolling { .. } => self.back_by_batches(facts, reason, old, new),
        }
    }

    /// New instances go as soon as they are no help.
    fn back_at_once(&self, facts: &Facts<'_>, reason: &str, old: u32, new: u32) -> Next {
        let helps = |one: &Sides| one.old.ready < one.old.total && one.new.ready > 0;
        let helped = new > 0 && facts.variants.iter().any(helps);
        match &facts.old_failure {
            Some(failure) if helped => stuck(reason, failure),
            _ if new > 0 && !helped => self.back_to(reason, old, 0, facts.now),
            _ if new == 0 => gone(facts, reason),
            _ => Next::Stay { until: None },
        }
    }

    /// As many old instances come as may, then as many new ones leave.
    fn back_by_batches(&self, facts: &Facts<'_>, reason: &str, old: u32, new: u32) -> Next {
        let one = facts.variants.first().copied().unwrap_or_default();
        if one.old.ready < old {
            let failure = facts.old_failure.as_ref();
            return failure.map_or(Next::Stay { until: None }, |failure| stuck(reason, failure));
        }
        let spare = one.new.total.saturating_sub(if one.old.total == 0 {
            one.new.total
        } else {
            // As much of the new fleet as the old one now stands for may go.
            u32::try_from(u64::from(one.new.total) * u64::from(old) / u64::from(one.old.total))
                .unwrap_or(u32::MAX)
        });
        let wanted_new = if old >= one.old.total { 0 } else { new.min(spare) };
        if wanted_new < new {
            return self.back_to(reason, old, wanted_new, facts.now);
        }
        if one.new.running > new {
            return Next::Stay { until: None };
        }
        if old < one.old.total {
            return self.back_to(reason, self.restored(old, one.old.total), new, facts.now);
        }
        gone(facts, reason)
    }

    fn back_to(&self, reason: &str, old: u32, new: u32, now: Timestamp) -> Next {
        Next::To(self.at(Stage::RollingBack { reason: reason.to_owned(), old, new }, now))
    }

    /// Old instances after one more batch of the way back.
    fn restored(&self, old: u32, total: u32) -> u32 {
        match self.guardrails.policy {
            Policy::Rolling { rollback_batch: Some(batch), .. } => {
                old.saturating_add(batch.after(1, total).max(1)).min(total)
            }
            Policy::Rolling { rollback_batch: None, .. } | Policy::BlueGreen { .. } => total,
        }
    }

    fn is_built(&self, variants: &[Sides]) -> bool {
        variants.iter().all(|variant| variant.new.ready >= self.wanted(variants, *variant).1)
    }

    fn has_left(&self, variants: &[Sides]) -> bool {
        variants.iter().all(|variant| variant.old.running <= self.wanted(variants, *variant).0)
    }

    /// The last step's number.
    pub fn steps(&self, variants: &[Sides]) -> u32 {
        let totals = variants.iter().map(|one| one.old.total.max(one.new.total));
        self.guardrails.steps(totals.max().unwrap_or(1))
    }

    fn at(&self, stage: Stage, now: Timestamp) -> Self {
        Self { stage, since: now, ..self.clone() }
    }

    /// When it is rolled back if it has not ended.
    pub fn deadline(&self) -> Option<Timestamp> {
        let limit = self.guardrails.timeout_secs?;
        Some(self.started_at.plus(Duration::from_secs(limit.into())))
    }

    fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let baked = if let Stage::Baking { until, .. } = self.stage { Some(until) } else { None };
        baked.into_iter().chain(self.deadline()).filter(|at| *at > now).min()
    }
}

/// The way back ends when nothing of the new deployment is left.
fn gone(facts: &Facts<'_>, reason: &str) -> Next {
    if facts.variants.iter().all(|variant| variant.new.running == 0) {
        Next::RolledBack { reason: reason.to_owned() }
    } else {
        Next::Stay { until: None }
    }
}

fn stuck(reason: &str, failure: &str) -> Next {
    let reason = format!("{reason} Then the previous instances did not come back: {failure}");
    Next::RollbackFailed { reason }
}
