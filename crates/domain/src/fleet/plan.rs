//! One pure function from what is wanted and seen to what is to be done.

use std::collections::{BTreeMap, BTreeSet};

use super::progress::progress;
use super::wanted::{Wanted, wanted};
use super::{DRAIN_LIMIT, EXITS_KEPT, STEADY_AFTER, restart_at};
use crate::endpoint::{Endpoint, Event, Stage};
use crate::instance::{Exit, ExitCause, FleetId, InstanceId, Observed, Phase};
use crate::time::Timestamp;

/// What is known of one endpoint at one moment.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Absent when the endpoint is deleted and its instances are not yet gone.
    pub endpoint: Option<&'a Endpoint>,
    /// Every instance of the endpoint that a driver knows, in the order of their ids.
    pub instances: &'a [Seen],
    /// Of the alarms that guard the endpoint's update, those in `ALARM`, with the reasons of their states.
    pub alarms: &'a [(&'a str, &'a str)],
    /// Server time: what guardrails wait for is scheduled in it.
    pub now: Timestamp,
    /// Wall time, as [`crate::time::Clock::steady`] tells it: starting and draining are real work.
    pub wall: Timestamp,
}

/// An instance as the driver and the data plane see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub observed: Observed,
    /// Requests that it is answering.
    pub in_flight: u64,
    /// Since when it gets no new requests, if it is leaving.
    pub draining_since: Option<Timestamp>,
}

/// What to do now. Doing it twice, or planning again from what it leads to, changes nothing more.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Instances to start.
    pub start: Vec<Start>,
    /// Instances that get no new requests from now on.
    pub drain: Vec<InstanceId>,
    /// Instances to stop: they answer nothing any more, or have had their time.
    pub stop: Vec<InstanceId>,
    /// Exited instances that have nothing left to tell.
    pub forget: Vec<InstanceId>,
    /// What to tell the endpoint.
    pub event: Option<Event>,
    /// Whether the endpoint's record can go: it is being deleted, and nothing of it is left.
    pub gone: bool,
    /// Why, for the log and for people.
    pub why: Vec<Why>,
    /// The wall time at which planning again may lead to more, were nothing else to happen.
    pub wake_at: Option<Timestamp>,
    /// The same in server time.
    pub wake_at_server: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    pub fleet: FleetId,
    pub count: u32,
}

/// The reason of one part of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Fewer instances than wanted.
    Short { fleet: FleetId, wanted: u32, alive: u32 },
    /// More instances than wanted.
    Surplus { fleet: FleetId, wanted: u32, alive: u32 },
    /// Instances of a fleet that is not wanted any more.
    Unwanted { fleet: FleetId, alive: u32 },
    /// Model servers died; the next start waits.
    BackingOff { fleet: FleetId, exits: usize, until: Timestamp },
}

/// Plans for one endpoint.
pub fn plan(facts: &Facts<'_>) -> Plan {
    let mut plan = Plan::default();
    let wanted = facts.endpoint.map(wanted).unwrap_or_default();
    let mut seen: BTreeMap<&FleetId, Vec<&Seen>> = BTreeMap::new();
    for one in facts.instances {
        seen.entry(&one.observed.fleet).or_default().push(one);
    }
    for want in &wanted {
        let instances = seen.get(&want.id).map(Vec::as_slice).unwrap_or_default();
        fill_or_shrink(want, instances, facts.wall, &mut plan);
    }
    let kept: BTreeSet<&FleetId> = wanted.iter().map(|want| &want.id).collect();
    for (id, instances) in seen.iter().filter(|(id, _)| !kept.contains(*id)) {
        let leaving = alive(instances);
        if !leaving.is_empty() {
            plan.why.push(Why::Unwanted { fleet: (*id).clone(), alive: count(&leaving) });
        }
        leave(&leaving, facts.wall, &mut plan);
        plan.forget.extend(exits(instances).map(|(id, _)| id.clone()));
    }
    if let Some(endpoint) = facts.endpoint {
        let progress = progress(endpoint, &wanted, &seen, facts);
        plan.event = progress.event;
        plan.wake_at_server = progress.until;
        plan.gone = endpoint.stage == Stage::Deleting && facts.instances.iter().all(has_exited);
    }
    plan
}

fn fill_or_shrink(want: &Wanted<'_>, instances: &[&Seen], wall: Timestamp, plan: &mut Plan) {
    let wanted = want.count;
    let alive = alive(instances);
    let staying: Vec<&Seen> =
        alive.iter().copied().filter(|one| one.draining_since.is_none()).collect();
    let leaving: Vec<&Seen> =
        alive.iter().copied().filter(|one| one.draining_since.is_some()).collect();
    leave(&leaving, wall, plan);
    forget_old_exits(instances, &staying, wall, plan);
    let have = count(&staying);
    let fleet = || want.id.clone();
    if have > wanted {
        plan.why.push(Why::Surplus { fleet: fleet(), wanted, alive: have });
        leave(&surplus(&staying, wanted), wall, plan);
    } else if have < wanted {
        let (exits, latest) = unplanned(instances);
        let until = restart_at(exits, latest);
        if exits > 0 && wall < until {
            plan.why.push(Why::BackingOff { fleet: fleet(), exits, until });
            plan.wake_at = Some(plan.wake_at.map_or(until, |other| other.min(until)));
        } else {
            plan.why.push(Why::Short { fleet: fleet(), wanted, alive: have });
            plan.start.push(Start { fleet: fleet(), count: wanted - have });
        }
    }
}

/// The instances to part with: those that are not ready yet first, then those with the least to finish.
fn surplus<'a>(staying: &[&'a Seen], wanted: u32) -> Vec<&'a Seen> {
    let mut order = staying.to_vec();
    order
        .sort_by_key(|one| (one.observed.phase.is_ready(), one.in_flight, one.observed.id.clone()));
    let surplus = staying.len().saturating_sub(usize::try_from(wanted).unwrap_or(usize::MAX));
    order.truncate(surplus);
    order
}

/// Takes instances out of the traffic, and stops those that have finished or had their time.
fn leave(leaving: &[&Seen], wall: Timestamp, plan: &mut Plan) {
    for one in leaving {
        let id = one.observed.id.clone();
        match one.draining_since {
            None => plan.drain.push(id),
            Some(since) if one.in_flight == 0 || wall.since(since) >= DRAIN_LIMIT => {
                plan.stop.push(id);
            }
            Some(since) => {
                let limit = since.plus(DRAIN_LIMIT);
                plan.wake_at = Some(plan.wake_at.map_or(limit, |other| other.min(limit)));
            }
        }
    }
}

/// While all instances are ready, what ended before its first good `/ping` is history, and so is what ended long ago.
/// In any case only the latest exits are kept, so that a model server that dies for ever does not fill the memory.
fn forget_old_exits(instances: &[&Seen], staying: &[&Seen], wall: Timestamp, plan: &mut Plan) {
    let steady = !staying.is_empty() && staying.iter().all(|one| one.observed.phase.is_ready());
    let mut ended: Vec<(&InstanceId, &Exit)> = exits(instances).collect();
    ended.sort_by_key(|(id, exit)| (exit.at, (*id).clone()));
    let stopped = |exit: &Exit| exit.cause == ExitCause::Stopped;
    let past = |exit: &Exit| !exit.was_ready || wall.since(exit.at) >= STEADY_AFTER;
    let keep_from = ended.len().saturating_sub(EXITS_KEPT);
    for (index, (id, exit)) in ended.into_iter().enumerate() {
        if stopped(exit) || index < keep_from || (steady && past(exit)) {
            plan.forget.push(id.clone());
        }
    }
}

fn alive<'a>(instances: &[&'a Seen]) -> Vec<&'a Seen> {
    instances.iter().copied().filter(|one| one.observed.phase.is_alive()).collect()
}

pub(super) fn exits<'a>(
    instances: &[&'a Seen],
) -> impl Iterator<Item = (&'a InstanceId, &'a Exit)> {
    instances.iter().filter_map(|one| match &one.observed.phase {
        Phase::Exited(exit) => Some((&one.observed.id, exit)),
        _ => None,
    })
}

/// How many instances ended without being told to, and when the latest did.
fn unplanned(instances: &[&Seen]) -> (usize, Timestamp) {
    exits(instances)
        .filter(|(_, exit)| exit.cause != ExitCause::Stopped)
        .fold((0, Timestamp::default()), |(count, latest), (_, exit)| {
            (count + 1, latest.max(exit.at))
        })
}

pub(super) fn has_exited(one: &Seen) -> bool {
    matches!(one.observed.phase, Phase::Exited(_))
}

pub(super) fn count(instances: &[&Seen]) -> u32 {
    u32::try_from(instances.len()).unwrap_or(u32::MAX)
}
