//! What has happened to an endpoint's fleets: the event that its record is told.

use std::collections::BTreeMap;
use std::time::Duration;

use super::EARLY_EXITS_MAX;
use super::plan::{Facts, Seen, count, exits, has_exited};
use super::wanted::{Of, Wanted};
use crate::endpoint::{Endpoint, Event, Reached, Stage};
use crate::instance::{Exit, ExitCause, FleetId};
use crate::rollout::{self, Next, Rollout, Side, Sides};
use crate::time::Timestamp;

/// What there is to tell, and when there may be more by itself, in server time.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) event: Option<Event>,
    pub(super) until: Option<Timestamp>,
}

impl From<Option<Event>> for Progress {
    fn from(event: Option<Event>) -> Self {
        Self { event, until: None }
    }
}

/// An endpoint's fleets as they should be and as they are.
struct Fleets<'a> {
    endpoint: &'a Endpoint,
    wanted: &'a [Wanted<'a>],
    seen: &'a BTreeMap<&'a FleetId, Vec<&'a Seen>>,
}

pub(super) fn progress(
    endpoint: &Endpoint,
    wanted: &[Wanted<'_>],
    seen: &BTreeMap<&FleetId, Vec<&Seen>>,
    facts: &Facts<'_>,
) -> Progress {
    let fleets = Fleets { endpoint, wanted, seen };
    match endpoint.stage {
        Stage::Creating => fleets.creating().into(),
        Stage::Deploying | Stage::RollingBack => {
            endpoint.rollout().map(|rollout| fleets.rolling(&rollout, facts)).unwrap_or_default()
        }
        Stage::Retiring => fleets.retiring().into(),
        Stage::Resizing => fleets.resizing().into(),
        Stage::InService | Stage::UpdateRollbackFailed | Stage::Failed | Stage::Deleting => {
            Progress::default()
        }
    }
}

impl<'a> Fleets<'a> {
    fn of(&self, of: Of) -> impl Iterator<Item = &'a Wanted<'a>> {
        self.wanted.iter().filter(move |want| want.of == of)
    }

    fn instances(&self, want: &Wanted<'_>) -> &'a [&'a Seen] {
        self.seen.get(&want.id).map(Vec::as_slice).unwrap_or_default()
    }

    fn creating(&self) -> Option<Event> {
        let ready = |want: &Wanted<'_>| ready(self.instances(want)) >= want.count;
        match self.failure(Of::Pending) {
            Some(reason) => Some(Event::DeploymentFailed { reason }),
            None if self.of(Of::Pending).all(ready) => Some(Event::Deployed),
            None => self.advanced(Of::Pending),
        }
    }

    fn resizing(&self) -> Option<Event> {
        let reached = |want: &Wanted<'_>| {
            let instances = self.instances(want);
            ready(instances) == want.count && running(instances) == want.count
        };
        match self.failure(Of::Live) {
            Some(reason) => Some(Event::ResizeFailed { reason }),
            None if self.of(Of::Live).all(reached) => Some(Event::Resized),
            None => self.advanced(Of::Live),
        }
    }

    fn retiring(&self) -> Option<Event> {
        let left = self.seen.iter().any(|(id, instances)| {
            !self.wanted.iter().any(|want| want.id == **id)
                && instances.iter().any(|one| !has_exited(one))
        });
        (!left).then_some(Event::Retired)
    }

    /// Where a rollout goes from what is seen. Stages that take no time are passed at once.
    fn rolling(&self, rollout: &Rollout, facts: &Facts<'_>) -> Progress {
        let sides = self.sides();
        let facts = rollout::Facts {
            variants: &sides,
            new_failure: self.failure(Of::Pending).or_else(|| self.breakdown()),
            old_failure: self.failure(Of::Live),
            alarms: facts.alarms,
            now: facts.now,
        };
        let mut current = rollout.clone();
        let event = loop {
            match current.next(&facts) {
                Next::To(next) if matches!(next.stage, rollout::Stage::RollingBack { .. }) => {
                    break Event::Moved(next);
                }
                // A step further: there are only so many.
                Next::To(next) => current = next,
                Next::Stay { until } if current == *rollout => {
                    return Progress { event: self.counted(rollout), until };
                }
                Next::Stay { .. } => break Event::Moved(current),
                Next::Deployed => break Event::Deployed,
                Next::RolledBack { reason } => break Event::RolledBack { reason },
                Next::RollbackFailed { reason } => break Event::RollbackFailed { reason },
            }
        };
        Some(event).into()
    }

    fn counted(&self, rollout: &Rollout) -> Option<Event> {
        if rollout.moves_by_batches() {
            advanced(self.changed(Of::Live).chain(self.changed(Of::Pending)).collect())
        } else {
            self.advanced(Of::Pending)
        }
    }

    /// Every variant with its instances in both deployments, in the order of [`Endpoint::totals`]. What an update before has
    /// left over serves in the place of old instances that are missing.
    fn sides(&self) -> Vec<Sides> {
        let mut totals = self.endpoint.totals();
        for (variant, sides) in &mut totals {
            let of_it = |of| self.of(of).filter(|want| want.fleet.variant == *variant);
            let side = |of, side: Side| {
                let instances = of_it(of).next().map(|want| self.instances(want));
                let instances = instances.unwrap_or_default();
                Side { ready: ready(instances), running: running(instances), ..side }
            };
            let left_over = of_it(Of::Stranded).map(|want| ready(self.instances(want)));
            let mut old = side(Of::Live, sides.old);
            old.ready = left_over.fold(old.ready, u32::saturating_add);
            *sides = Sides { old, new: side(Of::Pending, sides.new) };
        }
        totals.into_iter().map(|(_, sides)| sides).collect()
    }

    fn advanced(&self, of: Of) -> Option<Event> {
        advanced(self.changed(of).collect())
    }

    fn changed(&self, of: Of) -> impl Iterator<Item = Reached> {
        self.of(of).filter_map(move |want| {
            let count = ready(self.instances(want));
            let (deployment, variant) = (want.id.deployment, want.fleet.variant.clone());
            (count != want.fleet.current_count).then_some(Reached { deployment, variant, count })
        })
    }

    /// Why a fleet cannot be built, if one cannot.
    fn failure(&self, of: Of) -> Option<String> {
        self.of(of).find_map(|want| failure(self.endpoint, want, self.instances(want)))
    }

    /// Why the new fleet does not stand, though it could be built: its instances end again and again.
    fn breakdown(&self) -> Option<String> {
        self.of(Of::Pending).find_map(|want| {
            let ended: Vec<&Exit> = exits(self.instances(want))
                .map(|(_, exit)| exit)
                .filter(|exit| exit.was_ready && exit.cause != ExitCause::Stopped)
                .collect();
            let latest = ended.iter().max_by_key(|exit| exit.at)?;
            let how = match &latest.cause {
                ExitCause::Ended { status, last_words } => {
                    format!(" ({status}).{}", said(last_words))
                }
                _ => " (it stopped answering /ping).".to_owned(),
            };
            (ended.len() >= EARLY_EXITS_MAX).then(|| {
                format!(
                    "Instances of the new fleet of production variant {} ended {} times after they had become ready{how} \
                     Please check CloudWatch logs for this endpoint.",
                    want.fleet.variant,
                    ended.len(),
                )
            })
        })
    }
}

fn advanced(changed: Vec<Reached>) -> Option<Event> {
    (!changed.is_empty()).then_some(Event::Advanced(changed))
}

/// Instances that take requests, or could at once.
fn ready(instances: &[&Seen]) -> u32 {
    let ready = |one: &&&Seen| one.observed.phase.is_ready() && one.draining_since.is_none();
    count(&instances.iter().filter(ready).copied().collect::<Vec<_>>())
}

/// Instances that have not ended yet.
fn running(instances: &[&Seen]) -> u32 {
    count(&instances.iter().filter(|one| !has_exited(one)).copied().collect::<Vec<_>>())
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
