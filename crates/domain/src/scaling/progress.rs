//! What a change of capacity makes of the records: its beginning, its end, and the note that nothing came of a trigger.
//!
//! Every change goes the way of `UpdateEndpointWeightsAndCapacities`, whoever caused it.
//! (`reference/autoscaling-and-cloudwatch.md`, sections 5.2 and 5.3.)

use std::time::Duration;

use super::{
    Activity, ActivityStatus, Cause, Change, Decision, InFlight, Noted, Outcome, Resource,
    ScaledIn, ScaledOut, Target,
};
use crate::endpoint::{Capacity, Endpoint, Refusal, Stage};
use crate::time::Timestamp;
use crate::uuid::Uuid;

/// Server time that a change may take before it is given up as unfulfilled (section 10, row 7).
pub const FULFILMENT_TIMEOUT: Duration = Duration::from_hours(1);

/// A change that has begun: the records to write, in one decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    pub target: Target,
    /// Nothing where the change was refused; the activity then says why.
    pub endpoint: Option<Endpoint>,
    pub activity: Activity,
}

/// Begins a change. `admit` asks whether the fleet may grow so far, as it does of every other change of capacity; its
/// refusal is told in its own words.
pub fn begin<E: std::fmt::Display>(
    target: &Target,
    endpoint: &Endpoint,
    change: &Change,
    id: Uuid,
    now: Timestamp,
    admit: impl FnOnce(&Endpoint) -> Result<(), E>,
) -> Begun {
    let to = change.to;
    let capacity =
        Capacity { variant: target.resource.variant.clone(), weight: None, count: Some(to) };
    // One change at a time, also where the end of the last one is not told yet.
    let requested = match target.memory.in_flight {
        Some(_) => Err(Refusal::InProgress(endpoint.name.clone())),
        None => endpoint.request_capacity(&[capacity], now),
    };
    let admitted = requested.map_err(|refusal| reason(target, &refusal)).and_then(|after| {
        admit(&after).map_err(|refusal| refusal.to_string())?;
        Ok(after)
    });
    let mut target = target.clone();
    target.memory.not_scaled = None;
    let (status, message) = match &admitted {
        Ok(_) => (
            ActivityStatus::InProgress,
            message(to, "Waiting for change to be fulfilled by sagemaker."),
        ),
        Err(reason) => (ActivityStatus::Failed, failed(to, reason)),
    };
    if admitted.is_ok() {
        let Change { from, cooldown_secs, .. } = *change;
        target.memory.in_flight =
            Some(InFlight { activity: id, started_at: now, from, to, cooldown_secs });
        // A scale-out ends a scale-in's cooldown (section 2.6).
        if to > from && cooldown_secs.is_some() {
            target.memory.scaled_in = None;
        }
    }
    let activity = Activity {
        resource: target.resource.clone(),
        id,
        description: format!("Setting desired instance count to {to}."),
        cause: change.cause.to_string(),
        started_at: now,
        ended_at: admitted.is_err().then_some(now),
        status,
        status_message: Some(message),
        details: None,
        not_scaled: None,
    };
    Begun { target, endpoint: admitted.ok(), activity }
}

fn message(to: u32, rest: &str) -> String {
    format!("Successfully set desired instance count to {to}. {rest}")
}

fn failed(to: u32, reason: &str) -> String {
    format!("Failed to set desired instance count to {to}. Reason: {reason}")
}

/// Why the endpoint would not have it; a busy one in the words of section 2.7.
fn reason(target: &Target, refusal: &Refusal) -> String {
    match refusal {
        Refusal::InProgress(_) => {
            format!(
                "Resource Id [{}] is not scalable. Reason: Endpoint is updating",
                target.resource
            )
        }
        other => other.to_string(),
    }
}

/// Looks after the change in flight: nothing while it is on its way, otherwise the target without it and its activity,
/// ended. `endpoint` is nothing where it is gone.
///
/// Call it before anything else is decided for the target, so that no change begins while another one's end is untold.
pub fn finish(
    target: &Target,
    activity: &Activity,
    endpoint: Option<&Endpoint>,
    now: Timestamp,
) -> Option<(Target, Activity)> {
    let flight = target.memory.in_flight?;
    let (status, text) = end(target, flight, endpoint, now)?;
    let mut after = target.clone();
    after.memory.in_flight = None;
    if status == ActivityStatus::Successful {
        open_cooldown(&mut after, flight, now);
    }
    Some((after, ended(activity, status, text, now)))
}

fn end(
    target: &Target,
    flight: InFlight,
    endpoint: Option<&Endpoint>,
    now: Timestamp,
) -> Option<(ActivityStatus, String)> {
    let to = flight.to;
    let gone = || {
        (
            ActivityStatus::Unfulfilled,
            message(to, "The endpoint was deleted before the change was fulfilled."),
        )
    };
    let Some((endpoint, resource)) = endpoint
        .and_then(|endpoint| Some((endpoint, Resource::of(endpoint, &target.resource.variant)?)))
        .filter(|(endpoint, _)| endpoint.stage != Stage::Deleting)
    else {
        return Some(gone());
    };
    if resource.desired != to {
        let failure = endpoint.failure_reason.as_ref().filter(|_| resource.desired == flight.from);
        if let Some(reason) = failure {
            return Some((ActivityStatus::Failed, failed(to, reason)));
        }
        let found = format!("Found it was later changed to {}.", resource.desired);
        return Some((ActivityStatus::Overridden, message(to, &found)));
    }
    // An update begins only where the change before it was reached, so that every other stage tells of success.
    if resource.stage != Stage::Resizing {
        return Some((
            ActivityStatus::Successful,
            message(to, "Change successfully fulfilled by sagemaker."),
        ));
    }
    let late = now.since(flight.started_at) >= FULFILMENT_TIMEOUT;
    late.then(|| {
        let minutes = FULFILMENT_TIMEOUT.as_secs() / 60;
        let text = format!("Change was not fulfilled by sagemaker within {minutes} minutes.");
        (ActivityStatus::Unfulfilled, message(to, &text))
    })
}

/// A cooldown starts when a change that a policy caused is completed (section 2.6).
fn open_cooldown(target: &mut Target, flight: InFlight, now: Timestamp) {
    let Some(cooldown_secs) = flight.cooldown_secs else { return };
    if flight.to > flight.from {
        target.memory.scaled_out = Some(ScaledOut { at: now, base: flight.from, cooldown_secs });
    } else {
        target.memory.scaled_in = Some(ScaledIn { at: now, cooldown_secs });
    }
}

fn ended(activity: &Activity, status: ActivityStatus, text: String, now: Timestamp) -> Activity {
    Activity { status, status_message: Some(text), ended_at: Some(now), ..activity.clone() }
}

/// Ends the activity of a target that is being deregistered while its change is in flight: nobody will look after it.
pub fn abandon(target: &Target, activity: &Activity, now: Timestamp) -> Option<Activity> {
    let flight = target.memory.in_flight?;
    let text = "The scalable target was deregistered before the change was fulfilled.";
    Some(ended(activity, ActivityStatus::Unfulfilled, message(flight.to, text), now))
}

/// Records that nothing came of a trigger: nothing where the same was recorded last (section 5.3).
pub fn not_scaled(
    target: &Target,
    decision: &Decision,
    id: Uuid,
    now: Timestamp,
) -> Option<(Target, Activity)> {
    let Outcome::NotScaled { policy, alarm, why } = &decision.outcome else { return None };
    let noted = |noted: &Noted| noted.policy == *policy && noted.why == *why;
    if target.memory.not_scaled.as_ref().is_some_and(noted) {
        return None;
    }
    let mut after = target.clone();
    after.memory.not_scaled = Some(Noted { policy: policy.clone(), why: *why });
    let cause = Cause::Alarm { policy: policy.clone(), alarm: alarm.clone() };
    let activity = Activity {
        resource: target.resource.clone(),
        id,
        description: "Attempting to scale due to alarm triggered".to_owned(),
        cause: cause.to_string(),
        started_at: now,
        ended_at: None,
        status: why.status(),
        status_message: None,
        details: None,
        not_scaled: Some(*why),
    };
    Some((after, activity))
}
