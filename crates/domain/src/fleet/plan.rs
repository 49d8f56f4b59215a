//! One pure function from what is wanted and seen to what is to be done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{DRAIN_LIMIT, EARLY_EXITS_MAX, EXITS_KEPT, STEADY_AFTER, restart_at};
use crate::endpoint::{Deployment, Endpoint, Event, Fleet, Reached, Stage};
use crate::instance::{Exit, ExitCause, FleetId, InstanceId, Observed, Phase};
use crate::time::Timestamp;

/// What is known of one endpoint at one moment.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Absent when the endpoint is deleted and its instances are not yet gone.
    pub endpoint: Option<&'a Endpoint>,
    /// Every instance of the endpoint that a driver knows, in the order of their ids.
    pub instances: &'a [Seen],
    /// Wall time: starting and draining are real work.
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
    let wanted = wanted(facts.endpoint);
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
        plan.event = event(endpoint, &wanted, &seen);
        plan.gone = endpoint.stage == Stage::Deleting && facts.instances.iter().all(has_exited);
    }
    plan
}

/// A fleet that should stand, and with how many instances.
struct Wanted<'a> {
    id: FleetId,
    fleet: &'a Fleet,
    pending: bool,
}

fn wanted(endpoint: Option<&Endpoint>) -> Vec<Wanted<'_>> {
    let Some(endpoint) =
        endpoint.filter(|endpoint| !matches!(endpoint.stage, Stage::Deleting | Stage::Failed))
    else {
        return Vec::new();
    };
    [(&endpoint.live, false), (&endpoint.pending, true)]
        .into_iter()
        .filter_map(|(deployment, pending)| Some((deployment.as_deref()?, pending)))
        .flat_map(|(deployment, pending)| {
            deployment.fleets.iter().map(move |fleet| (deployment, fleet, pending))
        })
        .map(|(deployment, fleet, pending)| Wanted {
            id: fleet_id(endpoint, deployment, fleet),
            fleet,
            pending,
        })
        .collect()
}

fn fleet_id(endpoint: &Endpoint, deployment: &Deployment, fleet: &Fleet) -> FleetId {
    FleetId {
        endpoint: endpoint.name.clone(),
        deployment: deployment.id,
        variant: fleet.variant.clone(),
    }
}

fn fill_or_shrink(want: &Wanted<'_>, instances: &[&Seen], wall: Timestamp, plan: &mut Plan) {
    let wanted = want.fleet.desired_count;
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

fn event(
    endpoint: &Endpoint,
    wanted: &[Wanted<'_>],
    seen: &BTreeMap<&FleetId, Vec<&Seen>>,
) -> Option<Event> {
    let of = |want: &Wanted<'_>| seen.get(&want.id).map(Vec::as_slice).unwrap_or_default().to_vec();
    let building = |pending: bool| wanted.iter().filter(move |want| want.pending == pending);
    match endpoint.stage {
        Stage::Creating | Stage::Deploying => {
            let failed = building(true).find_map(|want| failure(endpoint, want, &of(want)));
            let ready =
                building(true).all(|want| count(&ready(&of(want))) >= want.fleet.desired_count);
            match failed {
                Some(reason) => Some(Event::DeploymentFailed { reason }),
                None if ready => Some(Event::Deployed),
                None => advanced(building(true), of),
            }
        }
        Stage::Retiring => {
            let left = seen.iter().any(|(id, instances)| {
                !wanted.iter().any(|want| want.id == **id)
                    && instances.iter().any(|one| !has_exited(one))
            });
            (!left).then_some(Event::Retired)
        }
        Stage::Resizing => {
            let failed = building(false).find_map(|want| failure(endpoint, want, &of(want)));
            let reached = building(false).all(|want| {
                let instances = of(want);
                let running = instances.iter().filter(|one| !has_exited(one)).count();
                let desired = usize::try_from(want.fleet.desired_count).unwrap_or(usize::MAX);
                ready(&instances).len() == desired && running == desired
            });
            match failed {
                Some(reason) => Some(Event::ResizeFailed { reason }),
                None if reached => Some(Event::Resized),
                None => advanced(building(false), of),
            }
        }
        Stage::InService | Stage::Failed | Stage::Deleting => None,
    }
}

fn advanced<'a>(
    wanted: impl Iterator<Item = &'a Wanted<'a>>,
    of: impl Fn(&Wanted<'_>) -> Vec<&'a Seen>,
) -> Option<Event> {
    let changed: Vec<Reached> = wanted
        .filter_map(|want| {
            let count = count(&ready(&of(want)));
            (count != want.fleet.current_count)
                .then(|| Reached { variant: want.fleet.variant.clone(), count })
        })
        .collect();
    (!changed.is_empty()).then_some(Event::Advanced(changed))
}

/// Why a fleet cannot be built, if it cannot (`reference/sagemaker-hosting.md`, section 2, failure reasons).
fn failure(endpoint: &Endpoint, want: &Wanted<'_>, instances: &[&Seen]) -> Option<String> {
    let early: Vec<&Exit> =
        exits(instances).map(|(_, exit)| exit).filter(|exit| !exit.was_ready).collect();
    let variant = &want.fleet.variant;
    let at_once = early.iter().find_map(|exit| match &exit.cause {
        ExitCause::UnknownImage(text) | ExitCause::Artifact(text) | ExitCause::Launch(text) => {
            Some(text.clone())
        }
        ExitCause::NeverReady { waited, last_words } => {
            Some(never_ready(endpoint, want, *waited, last_words))
        }
        ExitCause::Stopped | ExitCause::Ended { .. } | ExitCause::Unresponsive { .. } => None,
    });
    let endings: Vec<(&str, &str)> = early
        .iter()
        .filter_map(|exit| match &exit.cause {
            ExitCause::Ended { status, last_words } => Some((status.as_str(), last_words.as_str())),
            _ => None,
        })
        .collect();
    at_once.or_else(|| {
        let (status, last_words) = endings.last().filter(|_| endings.len() >= EARLY_EXITS_MAX)?;
        Some(format!(
            "The primary container for production variant {variant} did not pass the ping health check: it ended {} \
             times before its first good /ping ({status}). Please check CloudWatch logs for this endpoint.{}",
            endings.len(),
            said(last_words)
        ))
    })
}

/// The last words of a model server as a sentence, if there are any.
fn said(last_words: &str) -> String {
    if last_words.is_empty() { String::new() } else { format!(" Its last words: {last_words}") }
}

fn never_ready(
    endpoint: &Endpoint,
    want: &Wanted<'_>,
    waited: Duration,
    last_words: &str,
) -> String {
    format!(
        "The primary container for production variant {} did not pass the ping health check. Please check CloudWatch \
         logs for this endpoint. It ran for {} s without answering GET /ping with 200; if it needs longer, raise \
         ContainerStartupHealthCheckTimeoutInSeconds of the variant (60 to 3600), create an endpoint config with it, \
         and {} the endpoint.{}",
        want.fleet.variant,
        waited.as_secs(),
        if endpoint.live.is_some() { "update" } else { "delete and create" },
        said(last_words),
    )
}

fn alive<'a>(instances: &[&'a Seen]) -> Vec<&'a Seen> {
    instances.iter().copied().filter(|one| one.observed.phase.is_alive()).collect()
}

fn ready<'a>(instances: &[&'a Seen]) -> Vec<&'a Seen> {
    let ready = |one: &&Seen| one.observed.phase.is_ready() && one.draining_since.is_none();
    instances.iter().copied().filter(ready).collect()
}

fn exits<'a>(instances: &[&'a Seen]) -> impl Iterator<Item = (&'a InstanceId, &'a Exit)> {
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

fn has_exited(one: &Seen) -> bool {
    matches!(one.observed.phase, Phase::Exited(_))
}

fn count(instances: &[&Seen]) -> u32 {
    u32::try_from(instances.len()).unwrap_or(u32::MAX)
}
