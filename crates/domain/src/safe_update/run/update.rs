//! Step 6: `UpdateEndpoint`, and what became of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Goal, Next, Order, Phase, Run, Seen};
use crate::time::Timestamp;

/// For how long after an `UpdateEndpoint` was accepted a description may still show the endpoint as it was before: AWS's
/// reads need not be of the latest write. Afterwards, an endpoint at rest on its old config has rolled back.
const STALE_MAX: Duration = Duration::from_secs(15);

/// An `UpdateEndpoint` that is being tried. It is kept before the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// `FailureReason` as it was before: another one tells that an update has failed since.
    pub reason_before: Option<String>,
    /// When it was known to be under way.
    pub accepted_at: Option<Timestamp>,
}

impl Run {
    pub(super) fn update(&self, seen: &Seen) -> Next {
        if self.bound_seen(seen).is_some() {
            return self.in_phase(Phase::Deregistering, seen.now).keep();
        }
        if seen.aim_gone {
            let why = format!("there is no endpoint config {} any more", self.aim().name);
            return self.turned(why, seen.now).keep();
        }
        let reason = &seen.endpoint.failure_reason;
        let Some(attempt) = &self.attempt else {
            let attempt = Attempt { reason_before: reason.clone(), accepted_at: None };
            return Self { attempt: Some(attempt), changed_at: seen.now, ..self.clone() }.keep();
        };
        let failed = reason.is_some() && *reason != attempt.reason_before;
        match attempt.accepted_at {
            _ if failed => {}
            Some(at) if seen.now.since(at) < STALE_MAX => {
                return Next::Wait("the update begins".to_owned());
            }
            Some(_) => {}
            None => return Next::Do(self.update_order()),
        }
        let reason = reason.as_deref().unwrap_or("the service gives no reason");
        self.turned(format!("the update was rolled back: {reason}"), seen.now).keep()
    }

    /// Counts are always kept through the update: fewer instances are only set when it is over.
    /// The way back is all at once: what a slow one would guard against has already served.
    fn update_order(&self) -> Order {
        let applies = self.goal == Goal::Apply;
        Order::UpdateEndpoint {
            config: self.aim().name.clone(),
            keep_counts: true,
            keep_weights: !applies || self.request.keep_weights,
            deployment_config: self.request.deployment_config.clone().filter(|_| applies),
            retain_deployment_config: applies && self.request.retain_deployment_config,
        }
    }

    /// The run as it is to be kept when an order has been accepted, if that is worth keeping. What is not kept here is
    /// seen by the next look.
    #[must_use]
    pub fn accepted(&self, order: &Order, now: Timestamp) -> Option<Self> {
        matches!(order, Order::UpdateEndpoint { .. }).then(|| self.underway(now)).flatten()
    }

    /// The run, where the endpoint is seen on its way to the config.
    pub(super) fn noted_underway(&self, seen: &Seen) -> Option<Self> {
        let is_ours = seen.endpoint.pending.as_ref() == Some(&self.aim().name);
        (is_ours && self.phase == Phase::Updating).then(|| self.underway(seen.now)).flatten()
    }

    fn underway(&self, now: Timestamp) -> Option<Self> {
        let attempt = self.attempt.as_ref().filter(|attempt| attempt.accepted_at.is_none())?;
        let attempt = super::Attempt { accepted_at: Some(now), ..attempt.clone() };
        Some(Self { attempt: Some(attempt), changed_at: now, ..self.clone() })
    }

    /// The run turned round because it cannot get to its config: the endpoint stays on the one that it uses, and its
    /// scaling is put back at once.
    pub(super) fn turned(&self, why: String, now: Timestamp) -> Self {
        match self.goal {
            Goal::Apply => self.towards(Goal::Undo, Some(why), now),
            Goal::Undo => {
                let why = format!("it could not be undone: {why}");
                self.towards(Goal::Apply, Some(why), now)
            }
        }
    }
}
