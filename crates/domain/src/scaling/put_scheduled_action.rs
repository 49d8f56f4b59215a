//! `PutScheduledAction`: what it accepts, and how an update merges with what is there
//! (`reference/autoscaling-and-cloudwatch.md`, sections 1.5 and 1.6).

use super::refusal::SCHEDULED_ACTIONS_MAX;
use super::schedule::Schedule;
use super::{Refusal, ResourceId, ScheduledAction, Target, TargetKey};
use crate::time::Timestamp;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledActionRequest {
    pub resource: ResourceId,
    pub name: String,
    pub schedule: Option<String>,
    pub timezone: Option<String>,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub action: Option<BoundsChange>,
}

/// `ScalableTargetAction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BoundsChange {
    pub min: Option<i32>,
    pub max: Option<i32>,
}

/// What is there when the request comes.
#[derive(Debug, Clone, Copy)]
pub struct ScheduleBook<'a> {
    pub target: Option<&'a Target>,
    pub existing: Option<&'a ScheduledAction>,
    /// How many other scheduled actions the target has.
    pub others: usize,
}

/// Makes a scheduled action, or changes one. Occurrences that lie in the past at that moment are done with.
pub fn put_scheduled_action(
    book: &ScheduleBook<'_>,
    request: &ScheduledActionRequest,
    now: Timestamp,
) -> Result<ScheduledAction, Refusal> {
    let target = book.target.ok_or_else(|| Refusal::NotRegistered(request.resource.clone()))?;
    let existing = book.existing;
    let bounds = bounds(existing, request.action)?;
    let kept = existing.map(|action| action.schedule.clone());
    let schedule = request.schedule.clone().or(kept).ok_or(Refusal::ScheduleMissing)?;
    let kept = existing.and_then(|action| action.timezone.clone());
    let timezone = request.timezone.clone().or(kept);
    Schedule::parse(&schedule, timezone.as_deref())
        .map_err(|why| Refusal::Schedule(why.to_string()))?;
    if let (Some(start), Some(end)) = (request.start, request.end)
        && start >= end
    {
        return Err(Refusal::StartNotBeforeEnd);
    }
    let (min, max) = checked(bounds)?;
    if existing.is_none() && book.others >= SCHEDULED_ACTIONS_MAX {
        return Err(Refusal::TooManyScheduledActions);
    }
    Ok(ScheduledAction {
        target: TargetKey::from(&target.resource),
        name: request.name.clone(),
        schedule,
        timezone,
        // Left out of an update, these two are cleared.
        start: request.start,
        end: request.end,
        min,
        max,
        created_at: existing.map_or(now, |action| action.created_at),
        done_until: now,
    })
}

/// What the action sets; a given one replaces the old one whole.
fn bounds(
    existing: Option<&ScheduledAction>,
    given: Option<BoundsChange>,
) -> Result<(Option<i64>, Option<i64>), Refusal> {
    match (given, existing) {
        (Some(BoundsChange { min: None, max: None }), _) => Err(Refusal::ActionEmpty),
        (Some(given), _) => Ok((given.min.map(i64::from), given.max.map(i64::from))),
        (None, Some(kept)) => Ok((kept.min.map(i64::from), kept.max.map(i64::from))),
        (None, None) => Err(Refusal::ActionMissing),
    }
}

fn checked((min, max): (Option<i64>, Option<i64>)) -> Result<(Option<u32>, Option<u32>), Refusal> {
    let read = |bound: Option<i64>, refusal: Refusal| {
        bound.map(|bound| u32::try_from(bound).map_err(|_| refusal)).transpose()
    };
    let min = read(min, Refusal::MinimumNegative)?;
    let max = read(max, Refusal::MaximumNegative)?;
    if let (Some(min), Some(max)) = (min, max)
        && max < min
    {
        return Err(Refusal::MaximumBelowMinimum);
    }
    Ok((min, max))
}
