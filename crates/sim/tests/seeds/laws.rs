//! What holds whenever the world has come to rest.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::endpoint::Deployment;
use domain::instance::DeploymentId;
use domain::name::{EndpointKey, EndpointName};
use domain::scaling::{Activity, ActivityStatus, FULFILMENT_TIMEOUT};
use domain::time::{Clock, Timestamp};
use sim::{World, laws};
use store::State;
use store::record::ActivityKey;

/// More than the longest wait between two looks of the loop that scales.
const LATE: Duration = Duration::from_mins(2);

/// What was seen before.
#[derive(Debug, Default)]
pub(crate) struct Laws {
    state: Option<Arc<State>>,
    activities: BTreeSet<ActivityKey>,
    /// The update that is under way: since when it was seen, and its counts.
    update: Option<Update>,
}

#[derive(Debug)]
struct Update {
    since: Timestamp,
    from: Counts,
    to: Counts,
}

/// A deployment, and how many instances it wants of each variant.
type Counts = (DeploymentId, Vec<u32>);

impl Laws {
    pub(crate) fn hold(&mut self, world: &World, seed: u64) {
        let (state, now) = (world.state(), world.clock.now());
        if self.state.as_ref().is_some_and(|before| Arc::ptr_eq(before, &state)) {
            return;
        }
        self.state = Some(Arc::clone(&state));
        let orphan = laws::orphan(&state, &world.scope());
        assert_eq!(orphan, None, "seed {seed}");
        for endpoint in state.endpoints.values() {
            for fleet in endpoint.live.iter().flat_map(|live| &live.fleets) {
                assert!(fleet.desired_count > 0, "seed {seed}: nothing is wanted of {endpoint:?}");
            }
        }
        self.an_update_is_left_alone(&state, now, seed);
        for (key, activity) in &state.activities {
            if !self.activities.contains(key) {
                self.activities.insert(key.clone());
                a_policy_stays_within_bounds(&state, key, activity, seed);
            }
            let ended = activity.status != ActivityStatus::InProgress
                || now.since(activity.started_at) < FULFILMENT_TIMEOUT + LATE;
            assert!(ended, "seed {seed}: does not end: {activity:?}");
        }
    }

    /// A deleted endpoint has taken all of its scaling with it (S9).
    pub(crate) fn deleted(world: &World) {
        let state = world.state();
        let endpoint: EndpointName = "e".parse().unwrap();
        assert_eq!(state.targets_of(&EndpointKey::from(&endpoint)).count(), 0);
        assert_eq!(laws::orphan(&state, &world.scope()), None);
    }

    /// While an endpoint is being updated, nobody changes the counts of what serves and of what is built, and no
    /// activity begins (S7).
    fn an_update_is_left_alone(&mut self, state: &State, now: Timestamp, seed: u64) {
        let updating = state.endpoints.values().find_map(|endpoint| {
            Some((counts(endpoint.live.as_deref()?), counts(endpoint.pending.as_deref()?)))
        });
        let Some((from, to)) = updating else {
            self.update = None;
            return;
        };
        match &self.update {
            Some(update) if (update.from.0, update.to.0) == (from.0, to.0) => {
                assert_eq!((&update.from, &update.to), (&from, &to), "seed {seed}");
                for target in state.targets.values() {
                    let began = target.memory.in_flight.map(|flight| flight.started_at);
                    let before = began.is_none_or(|began| began <= update.since);
                    assert!(before, "seed {seed}: {target:?} was scaled during an update");
                }
            }
            _ => self.update = Some(Update { since: now, from, to }),
        }
    }
}

fn counts(deployment: &Deployment) -> Counts {
    let counts = deployment.fleets.iter().map(|fleet| fleet.desired_count).collect();
    (deployment.id, counts)
}

fn a_policy_stays_within_bounds(state: &State, key: &ActivityKey, activity: &Activity, seed: u64) {
    let Some(target) = state.targets.get(&key.target) else { return };
    let by_policy = activity.cause.starts_with("monitor alarm");
    let to = activity.description.strip_prefix("Setting desired instance count to ");
    let to = to.and_then(|to| to.strip_suffix('.')?.parse::<u32>().ok());
    if let Some(to) = to.filter(|_| by_policy) {
        let bounds = target.bounds();
        let within = bounds.clamp(to) == to;
        assert!(within, "seed {seed}: {to} is not within {bounds:?}: {activity:?}");
    }
}
