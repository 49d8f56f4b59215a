//! What a server stands on beside its store: instances and the data plane, seen as the loops use them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::endpoint::{Deployment, Endpoint, Stage};
use domain::fleet::DRAIN_LIMIT;
use domain::instance::{ExitCause, InstanceId, Observed, Order, Phase};
use domain::name::{EndpointKey, EndpointName, VariantName};
use domain::rollout::{self, Sides};
use domain::route::{EndpointRoute, RouteTable, Traffic, VariantRoute};
use domain::time::{Clock, Timestamp};
use runtime::driver::{Driver, Usage};
use runtime::fake::FakeDriver;
use store::State;

use super::witness::Witness;
use crate::{SimClock, SimTraffic};

/// The driver and the data plane of one server, watched.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) driver: Arc<FakeDriver>,
    pub(super) traffic: Arc<SimTraffic>,
    clock: Arc<SimClock>,
    witness: Witness,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// What the loop that looks after fleets goes by in its present run.
    looked: Arc<State>,
    /// When an instance was taken out of the routes.
    left: BTreeMap<InstanceId, Timestamp>,
    /// Ends that have been counted.
    died: BTreeSet<InstanceId>,
}

impl Machine {
    pub(super) fn new(clock: &Arc<SimClock>, driver: Arc<FakeDriver>, witness: &Witness) -> Self {
        Self {
            driver,
            traffic: Arc::new(SimTraffic::default()),
            clock: Arc::clone(clock),
            witness: witness.clone(),
            seen: Mutex::default(),
        }
    }

    /// The loop that looks after fleets begins a run with this state.
    pub(super) fn looks(&self, state: Arc<State>) {
        self.seen().looked = state;
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only ready instances of what serves are in the routes.
    fn check_routes(&self, table: &RouteTable, looked: &State) {
        let observed = self.driver.observe();
        for (name, route) in &table.endpoints {
            let endpoint = looked.endpoints.get(&EndpointKey::from(name));
            let Some(endpoint) = endpoint.filter(|endpoint| endpoint.stage.serves()) else {
                self.witness
                    .accuse("routes", format_args!("{name} has a route and does not serve"));
                continue;
            };
            for variant in &route.variants {
                self.check_shares(endpoint, variant, &observed);
                for instance in &variant.instances {
                    let one = observed.iter().find(|one| one.id == instance.id);
                    let fits = |one: &Observed| {
                        one.phase.is_ready()
                            && one.fleet.endpoint == *name
                            && one.fleet.variant == variant.name
                            && takes_requests(endpoint, one)
                    };
                    if !one.is_some_and(fits) {
                        self.witness.accuse(
                            "routes",
                            format_args!("{} is in the routes of {name}: {one:?}", instance.id),
                        );
                    }
                }
            }
        }
    }

    /// The traffic's shares are those of the stage that an update has come to, and both sides together are never fewer than
    /// the smaller of them; old instances stand in for new ones that are missing.
    fn check_shares(&self, endpoint: &Endpoint, variant: &VariantRoute, observed: &[Observed]) {
        let Some((old, new)) = active(endpoint, &variant.name) else { return };
        let pending = endpoint.pending.as_ref().map(|pending| pending.id);
        let is_new = |id: &InstanceId| {
            observed.iter().any(|one| one.id == *id && Some(one.fleet.deployment) == pending)
        };
        let has_new = variant.instances.iter().filter(|one| is_new(&one.id)).count();
        let has_old = variant.instances.len() - has_new;
        let (old, new) = (old as usize, new as usize);
        let name = &endpoint.name;
        // Those that were left over by an update before stand beside the old ones.
        let more = if endpoint.stranded.is_empty() { 0 } else { usize::MAX };
        // On the way back it is the other way round.
        let back = endpoint.stage == Stage::RollingBack && has_old < old;
        let new_max = if back { old + new - has_old } else { new };
        let old_max = (old + new).saturating_sub(has_new).saturating_add(more);
        if has_new > new_max || has_old > old_max {
            self.witness.accuse(
                "shares",
                format_args!("{name}/{}: {has_old} old and {has_new} new instances take requests, not {old} and {new}", variant.name),
            );
        }
        let totals = endpoint.totals();
        let totals = totals.iter().find(|(one, _)| *one == variant.name);
        let least = totals.map_or(0, |(_, sides)| sides.old.total.min(sides.new.total));
        if old + new < least as usize {
            self.witness
                .accuse("shares", format_args!("{name}/{} wants {old} and {new}", variant.name));
        }
    }

    /// What is taken out of the routes is more than is wanted, or has died (promise T3).
    fn check_capacity(&self, before: &RouteTable, after: &RouteTable, seen: &mut Seen) {
        let mut deaths: BTreeMap<(EndpointName, VariantName), usize> = BTreeMap::new();
        for one in self.driver.observe() {
            let Phase::Exited(exit) = &one.phase else { continue };
            if exit.cause != ExitCause::Stopped && seen.died.insert(one.id.clone()) {
                *deaths.entry((one.fleet.endpoint, one.fleet.variant)).or_default() += 1;
            }
        }
        for (name, route) in &before.endpoints {
            let endpoint = seen.looked.endpoints.get(&EndpointKey::from(name));
            let Some(endpoint) = endpoint.filter(|endpoint| endpoint.stage.serves()) else {
                continue;
            };
            for variant in &route.variants {
                let Some(wanted) = wanted(endpoint, &variant.name) else { continue };
                let had = variant.instances.len();
                let has = after.endpoints.get(name).map_or(0, |now| ready(now, &variant.name));
                let died = deaths.get(&(name.clone(), variant.name.clone())).copied().unwrap_or(0);
                if has < had.min(wanted).saturating_sub(died) {
                    self.witness.accuse(
                        "capacity",
                        format_args!(
                            "{name}/{} had {had} instances in its routes and wants {wanted}; {died} died, and it has {has}",
                            variant.name
                        ),
                    );
                }
            }
        }
    }
}

/// Instances of a variant that take requests: of the old deployment and of the new one where one takes the other's place.
fn active(endpoint: &Endpoint, variant: &VariantName) -> Option<(u32, u32)> {
    let rollout = endpoint.rollout()?;
    let totals = endpoint.totals();
    let (_, of_it) = *totals.iter().find(|(name, _)| name == variant)?;
    let sides: Vec<Sides> = totals.into_iter().map(|(_, sides)| sides).collect();
    Some(rollout.active(&sides, of_it))
}

/// Whether requests of an endpoint may go to an instance, as far as its fleet goes.
fn takes_requests(endpoint: &Endpoint, one: &Observed) -> bool {
    let is_of = |deployment: &Arc<Deployment>| deployment.id == one.fleet.deployment;
    if endpoint.pending.as_ref().is_some_and(is_of) {
        // Those that had traffic may stand in for old ones on the way back.
        let stands_by = endpoint.rollout().is_some_and(|rollout| {
            matches!(rollout.stage, rollout::Stage::RollingBack { new: 1.., .. })
        });
        return stands_by || active(endpoint, &one.fleet.variant).is_some_and(|(_, new)| new > 0);
    }
    endpoint.deployments().any(is_of)
}

/// How many instances of a variant an endpoint wants to serve now.
fn wanted(endpoint: &Endpoint, variant: &VariantName) -> Option<usize> {
    let count = match active(endpoint, variant) {
        Some((old, new)) => old.saturating_add(new),
        None => endpoint.live.as_deref()?.fleet(variant)?.desired_count,
    };
    usize::try_from(count).ok()
}

fn ready(route: &EndpointRoute, variant: &VariantName) -> usize {
    let of_name = route.variants.iter().filter(|one| one.name == *variant);
    of_name.map(|one| one.instances.len()).sum()
}

fn ids(table: &RouteTable) -> BTreeSet<&InstanceId> {
    let variants = table.endpoints.values().flat_map(|route| &route.variants);
    variants.flat_map(|variant| &variant.instances).map(|one| &one.id).collect()
}

impl Traffic for Machine {
    fn publish(&self, table: Arc<RouteTable>) {
        let before = self.traffic.table();
        let mut seen = self.seen();
        self.check_routes(&table, &seen.looked);
        self.check_capacity(&before, &table, &mut seen);
        let (had, has) = (ids(&before), ids(&table));
        let moment = self.clock.steady();
        for id in had.difference(&has) {
            seen.left.insert(InstanceId::clone(id), moment);
        }
        for id in &has {
            seen.left.remove(*id);
        }
        let shown: Vec<String> = has.iter().map(ToString::to_string).collect();
        self.witness.tell(format_args!("routes: {}", shown.join(" ")));
        self.traffic.publish(table);
    }

    fn in_flight(&self, id: &InstanceId) -> u64 {
        self.traffic.in_flight(id)
    }
}

impl Driver for Machine {
    fn start(&self, order: Order) {
        let fleet = &order.fleet;
        self.witness.tell(format_args!(
            "starts {} of {}/{} #{} with {}",
            order.id, fleet.endpoint, fleet.variant, fleet.deployment.0, order.image
        ));
        self.driver.start(order);
    }

    /// It is out of the routes then, and has answered what it had or has had its time.
    fn stop(&self, id: &InstanceId) {
        let busy = self.traffic.in_flight(id);
        self.witness.tell(format_args!("stops {id}, which answers {busy}"));
        if ids(&self.traffic.table()).contains(id) {
            self.witness.accuse("drain", format_args!("{id} is stopped while it is in the routes"));
        }
        let left = self.seen().left.get(id).copied();
        let had_its_time = left.is_some_and(|at| self.clock.steady().since(at) >= DRAIN_LIMIT);
        if busy > 0 && !had_its_time {
            self.witness
                .accuse("drain", format_args!("{id} is stopped and answers {busy} requests"));
        }
        self.driver.stop(id);
    }

    fn observe(&self) -> Vec<Observed> {
        self.driver.observe()
    }

    fn usage(&self, id: &InstanceId) -> Option<Usage> {
        self.driver.usage(id)
    }

    fn forget(&self, id: &InstanceId) {
        self.driver.forget(id);
    }
}
