//! A safe update under way: a machine that compares what was saved with what is there, and says what to do next.
//!
//! It goes by levels: every look decides anew from the run and from what is seen, so that a call that was lost, a process
//! that was killed and a second try need no path of their own. What cannot be seen is kept in the run, and kept before it
//! matters. Nothing here observes or acts.

mod alarms;
mod deregister;
mod next;
mod raise;
mod refusal;
mod register;
mod same;
mod saved;
mod schedule;
mod seen;
mod settle;
#[cfg(test)]
mod tests;
mod update;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bound::bound;
use super::facts::{Config, Facts, Request};
use super::plan::{Plan, plan};
use crate::name::VariantName;
use crate::rollout::Guardrails;
use crate::time::Timestamp;

pub use alarms::is_users_own;
pub use next::{Next, Order, Outcome};
pub use refusal::{Reaction, Refused};
pub use saved::{Saved, SavedAction, SavedAlarm, SavedPolicy, SavedTarget};
pub use seen::{Reading, Seen, SeenEndpoint};
pub use settle::Settled;
pub use update::Attempt;

/// The most headroom that may be asked for, in percent: ten times the instances.
pub const HEADROOM_PERCENT_MAX: u32 = 900;

/// The longest `MaximumExecutionTimeoutInSeconds` (`reference/sagemaker-hosting.md`, section 4).
const DEPLOYMENT_TIME_MAX: Duration = Duration::from_hours(8);

/// An update under way: what the journal keeps. It is kept before the first order, and after each change of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// As it was before anything was done.
    pub facts: Facts,
    pub request: Request,
    pub plan: Plan,
    pub saved: Saved,
    pub goal: Goal,
    pub phase: Phase,
    /// Why it stands still or is being undone.
    pub problem: Option<String>,
    /// Instances that each variant is to have again at the end, as far as they have been counted: what was desired when
    /// its scaling had been stopped.
    pub kept: BTreeMap<VariantName, u32>,
    /// Whether `kept` has been counted since the run was begun, or since it had ended.
    pub counted: bool,
    /// The `UpdateEndpoint` that is being tried.
    pub attempt: Option<Attempt>,
    /// Where counts and weights are to settle, fixed when that begins.
    pub settled: Option<BTreeMap<VariantName, Settled>>,
    pub started_at: Timestamp,
    pub changed_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Goal {
    /// The wanted config, with everything that was saved.
    Apply,
    /// The config and everything else as it was.
    Undo,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Step 1.
    Deregistering,
    /// Steps 2 and 3.
    Raising,
    /// Step 6.
    Updating,
    /// Step 7.
    Registering,
    /// Counts return to what they were, or to what the policies want if that is more.
    Settling,
    Ended(Outcome),
}

impl Run {
    /// Begins an update. It is to be kept before anything is done.
    ///
    /// # Errors
    /// In a sentence: the endpoint is not in service, it uses the config already, more headroom than there may be, or a
    /// scaled variant would get an instance type that cannot be scaled.
    pub fn begin(
        facts: Facts,
        saved: Saved,
        request: Request,
        now: Timestamp,
    ) -> Result<Self, String> {
        let Facts { endpoint, status, in_use, wanted, .. } = &facts;
        if status != seen::IN_SERVICE {
            return Err(format!(
                "endpoint {endpoint} is {status}; a safe update begins when it is InService"
            ));
        }
        if in_use.name == wanted.name {
            return Err(format!("endpoint {endpoint} uses the config {} already", wanted.name));
        }
        if request.headroom_percent > HEADROOM_PERCENT_MAX {
            let asked = request.headroom_percent;
            return Err(format!("a headroom of {asked}% is more than {HEADROOM_PERCENT_MAX}%"));
        }
        let plan = plan(&facts, &request);
        if let Some(obstacle) = plan.obstacles.first() {
            return Err(obstacle.clone());
        }
        Ok(Self {
            facts,
            request,
            plan,
            saved,
            goal: Goal::Apply,
            phase: Phase::Deregistering,
            problem: None,
            kept: BTreeMap::new(),
            counted: false,
            attempt: None,
            settled: None,
            started_at: now,
            changed_at: now,
        })
    }

    /// The run as somebody goes on with it, towards the wanted config. One that was applied stays as it is. One that was
    /// undone is better begun anew from a fresh survey.
    #[must_use]
    pub fn resumed(&self, now: Timestamp) -> Self {
        match self.phase {
            Phase::Ended(Outcome::Applied) => self.clone(),
            _ => self.towards(Goal::Apply, None, now),
        }
    }

    /// The run as somebody turns it round, also after it was applied. One that was undone stays as it is.
    #[must_use]
    pub fn undoing(&self, now: Timestamp) -> Self {
        match self.phase {
            Phase::Ended(Outcome::Undone) => self.clone(),
            _ => self.towards(Goal::Undo, None, now),
        }
    }

    /// The run as it stands still. Why it was turned round stays said.
    #[must_use]
    pub fn paused(&self, why: &str, now: Timestamp) -> Self {
        let problem = match &self.problem {
            Some(before) if before.starts_with(why) => before.clone(),
            Some(before) => format!("{why} (before that: {before})"),
            None => why.to_owned(),
        };
        Self { problem: Some(problem), changed_at: now, ..self.clone() }
    }

    /// The run on its way to a goal, from the first phase: what is done already is not done again.
    fn towards(&self, goal: Goal, problem: Option<String>, now: Timestamp) -> Self {
        Self {
            goal,
            phase: Phase::Deregistering,
            problem,
            // Whatever has happened since it ended belongs to it now.
            counted: self.counted && !matches!(self.phase, Phase::Ended(_)),
            attempt: None,
            settled: None,
            changed_at: now,
            ..self.clone()
        }
    }

    fn in_phase(&self, phase: Phase, now: Timestamp) -> Self {
        Self { phase, changed_at: now, ..self.clone() }
    }

    /// The config that the run goes to.
    pub fn aim(&self) -> &Config {
        match self.goal {
            Goal::Apply => &self.facts.wanted,
            Goal::Undo => &self.facts.in_use,
        }
    }

    /// The config that the run comes from.
    fn origin(&self) -> &Config {
        match self.goal {
            Goal::Apply => &self.facts.in_use,
            Goal::Undo => &self.facts.wanted,
        }
    }

    /// Whether the run takes a variant's registration away: in one direction or in the other.
    fn is_bound(&self, variant: &VariantName) -> bool {
        let Facts { in_use, wanted, .. } = &self.facts;
        !bound([variant], in_use, wanted).is_empty()
    }

    /// How long the update may take by its own `DeploymentConfig`, in server time: its limit, or all of its bakes.
    pub fn deployment_time(&self) -> Duration {
        if self.request.retain_deployment_config {
            return DEPLOYMENT_TIME_MAX;
        }
        let guardrails = self.request.deployment_config.as_ref().map(Guardrails::read);
        let Some(Ok(guardrails)) = guardrails else { return Duration::ZERO };
        let counts = self.plan.capacity.iter().map(|one| one.during.max(one.after));
        let waits = || guardrails.waits(counts.max().unwrap_or(1));
        Duration::from_secs(guardrails.timeout_secs.map_or_else(waits, u64::from))
    }

    /// Whether metrics are to be read for the next decision: [`Seen::readings`].
    pub fn needs_readings(&self) -> bool {
        self.phase == Phase::Settling && self.settled.is_none() && !self.saved.targets.is_empty()
    }
}
