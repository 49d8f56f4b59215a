//! The routes in force, as every thread sees them: one pointer to an immutable snapshot.
//!
//! `control` publishes; requests read without a lock. What a request may not do is hold a snapshot across a wait: it
//! chooses, takes a ticket of the instance's [`Gate`], and lets go.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use domain::instance::{Address, InstanceId};
use domain::name::{EndpointName, VariantName};
use domain::route::{
    EndpointRoute, InstanceRoute, RouteTable, ShadowRoute, Strategy, Traffic, VariantRoute,
};
use foldhash::{HashMap, HashSet};
use http::HeaderValue;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::ejection;
use crate::gate::{Gate, Ticket};
use crate::pick::{self, Candidate};

/// The routes in force. Made before the gateway starts, shared with whoever publishes.
pub struct Routes {
    snapshot: ArcSwap<Snapshot>,
    /// Gates of every instance that is in the table or still has requests inside. Only publishing and asking take this
    /// lock, requests never do; it also keeps two publishers from crossing.
    gates: Mutex<BTreeMap<InstanceId, Arc<Gate>>>,
    /// Tells those who wait for an instance that there is a new snapshot.
    published: watch::Sender<()>,
}

impl Routes {
    /// No endpoint yet.
    pub fn new() -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(Snapshot::default()),
            gates: Mutex::default(),
            published: watch::Sender::new(()),
        }
    }

    /// Hears of every table published from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.published.subscribe()
    }

    /// Chooses an instance for one request and enters it. `untried` says which instances may be chosen.
    pub(crate) fn choose(
        &self,
        wanted: &Wanted<'_>,
        untried: impl Fn(&InstanceId) -> bool,
    ) -> Choice {
        // A gate turns a request back only if something has changed since it was chosen: a newer snapshot lacks the
        // instance, and that one is read next, or another request has taken its last place or its one chance. So each
        // round but the last has met somebody else's progress.
        loop {
            let snapshot = self.snapshot.load();
            let Some(endpoint) = snapshot.endpoints.get(wanted.endpoint) else {
                return Choice::NoEndpoint;
            };
            let variant = match endpoint.variant(wanted, &untried) {
                Ok(variant) => variant,
                Err(choice) => return choice,
            };
            let Some(instance) = variant.instance(wanted, &untried) else {
                return variant.none_left(wanted, &untried);
            };
            if let Some(ticket) = instance.gate.enter(wanted.inside_max, wanted.now) {
                let shadow = endpoint.shadow.as_ref().map(Shadow::shown);
                return Choice::Instance { instance: Arc::clone(instance), ticket, shadow };
            }
            // The gates are shut just after the new snapshot is in place, so this is rare and short.
            std::hint::spin_loop();
        }
    }

    /// Whether the endpoint is in the table, with or without ready instances.
    pub(crate) fn has(&self, endpoint: &str) -> bool {
        self.snapshot.load().endpoints.contains_key(endpoint)
    }

    /// Tells of every instance in the table that has requests inside, and how many.
    pub(crate) fn busy(&self, mut tell: impl FnMut(&Place, u64)) {
        for instance in self.snapshot.load().instances() {
            let inside = instance.gate.inside();
            if inside > 0 {
                tell(&instance.place, inside);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Arc<Gate>>> {
        // The map is sound between any two of its operations, so a panic elsewhere has not broken it.
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Routes {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Routes").field("snapshot", &self.snapshot.load()).finish_non_exhaustive()
    }
}

impl Traffic for Routes {
    fn publish(&self, table: Arc<RouteTable>) {
        let mut gates = self.lock();
        let snapshot = Arc::new(Snapshot::build(&table, &mut gates, &self.snapshot.load()));
        let wanted: HashSet<_> = snapshot.instances().map(|instance| &instance.id).collect();
        // Opened before the snapshot is seen: an instance may come back that was taken out a moment ago.
        snapshot.instances().for_each(|instance| instance.gate.open());
        self.snapshot.store(Arc::clone(&snapshot));
        gates.iter().filter(|(id, _)| !wanted.contains(*id)).for_each(|(_, gate)| gate.shut());
        gates.retain(|id, gate| wanted.contains(id) || gate.inside() > 0);
        drop(gates);
        self.published.send_replace(());
    }

    fn in_flight(&self, id: &InstanceId) -> u64 {
        self.lock().get(id).map_or(0, |gate| gate.inside())
    }
}

/// What a request asks of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) whom: Whom<'a>,
    /// From 0 up to but not 1, for the choice of the variant.
    pub(crate) unit: f64,
    /// For the choice of the instance.
    pub(crate) random: u64,
    /// An instance with so many requests inside is full.
    pub(crate) inside_max: u64,
    pub(crate) now: Instant,
}

/// Which of an endpoint's variants may have a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whom<'a> {
    /// A production variant, chosen by weight.
    ByWeight,
    /// `X-Amzn-SageMaker-Target-Variant`: this production variant.
    Named(&'a str),
    /// The shadow: the request is a copy.
    Shadow,
}

/// Who gets copies of an endpoint's requests, and which part of them.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) place: Place,
    /// From 0 to 1.
    pub(crate) share: f64,
}

/// What came of choosing.
#[derive(Debug)]
pub(crate) enum Choice {
    Instance {
        instance: Arc<Instance>,
        ticket: Ticket,
        /// Who gets a copy of the request, if it is not one itself.
        shadow: Option<Copied>,
    },
    NoEndpoint,
    NoVariant,
    /// No instance is ready that may serve this request, which by the weights would be one of this place.
    NoneReady(Place),
    /// There are ready instances, and each was tried, has failed too often to be, or may be ending.
    AllTried(Place),
    /// Every instance that could be tried has as many requests inside as it may.
    Full(Place),
}

/// How an instance stands to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It may be chosen, and has so many requests inside.
    Open(u64),
    Full,
    /// It was tried, has failed too often, or may be ending.
    Barred,
}

/// A variant of an endpoint. It stays the same one for as long as the table has it, whatever else changes.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) endpoint: EndpointName,
    pub(crate) variant: VariantName,
    /// The variant's name as the answer carries it.
    pub(crate) header: HeaderValue,
}

/// A variant, and what part one of its instances is of it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) target: Arc<Target>,
    /// 1/n, n being its instances; 1 if it has none, so that what waits for the first weighs as much as it will.
    pub(crate) share: f64,
}

/// An instance in the table.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) id: InstanceId,
    pub(crate) address: Address,
    pub(crate) place: Place,
    gate: Arc<Gate>,
}

impl Instance {
    /// Counts a failure of it, for the request with this ticket; the log says when it is one too many.
    pub(crate) fn failed(&self, ticket: &Ticket, now: Instant) {
        if let Some(time) = ticket.failed(now) {
            let (Target { endpoint, variant, .. }, instance) = (&*self.place.target, &self.id);
            tracing::warn!(%endpoint, %variant, %instance, ?time, "an instance keeps failing and is left out");
        }
    }
}

#[derive(Debug, Default)]
struct Snapshot {
    endpoints: HashMap<EndpointName, Arc<Endpoint>>,
}

#[derive(Debug)]
struct Endpoint {
    /// What it was made of.
    route: Arc<EndpointRoute>,
    variants: Vec<Variant>,
    shadow: Option<Shadow>,
}

#[derive(Debug)]
struct Shadow {
    variant: Variant,
    share: f64,
}

#[derive(Debug)]
struct Variant {
    place: Place,
    weight: f64,
    strategy: Strategy,
    instances: Vec<Arc<Instance>>,
}

impl Snapshot {
    fn build(
        table: &RouteTable,
        gates: &mut BTreeMap<InstanceId, Arc<Gate>>,
        before: &Self,
    ) -> Self {
        let build = |(name, route): (&EndpointName, &Arc<EndpointRoute>)| {
            let endpoint = match before.endpoints.get(name) {
                // Of a thousand endpoints, all but one are usually as they were.
                Some(before) if Arc::ptr_eq(&before.route, route) => Arc::clone(before),
                before => {
                    Arc::new(Endpoint::build(name, route, gates, before.map(|before| &**before)))
                }
            };
            (name.clone(), endpoint)
        };
        Self { endpoints: table.endpoints.iter().map(build).collect() }
    }

    fn instances(&self) -> impl Iterator<Item = &Arc<Instance>> {
        self.endpoints
            .values()
            .flat_map(|endpoint| endpoint.all())
            .flat_map(|variant| &variant.instances)
    }
}

impl Endpoint {
    fn build(
        name: &EndpointName,
        route: &Arc<EndpointRoute>,
        gates: &mut BTreeMap<InstanceId, Arc<Gate>>,
        before: Option<&Self>,
    ) -> Self {
        let mut build = |variant: &VariantRoute| {
            let target = before
                .into_iter()
                .flat_map(Self::all)
                .map(|known| &known.place.target)
                .find(|known| known.variant == variant.name)
                .map_or_else(|| Arc::new(Target::new(name, &variant.name)), Arc::clone);
            Variant::build(variant, Place::new(target, variant.instances.len()), gates)
        };
        let variants = route.variants.iter().map(&mut build).collect();
        let shadow = route.shadow.as_ref();
        let shadow = shadow.map(|ShadowRoute { variant, share }| Shadow {
            variant: build(variant),
            share: *share,
        });
        Self { route: Arc::clone(route), variants, shadow }
    }

    /// The production variants and the shadow.
    fn all(&self) -> impl Iterator<Item = &Variant> {
        self.variants.iter().chain(self.shadow.iter().map(|shadow| &shadow.variant))
    }

    fn variant(
        &self,
        wanted: &Wanted<'_>,
        untried: &impl Fn(&InstanceId) -> bool,
    ) -> Result<&Variant, Choice> {
        let named = match wanted.whom {
            Whom::ByWeight => None,
            Whom::Named(name) => {
                let is_named = |variant: &&Variant| variant.place.target.variant.as_str() == name;
                Some(self.variants.iter().find(is_named))
            }
            Whom::Shadow => Some(self.shadow.as_ref().map(|shadow| &shadow.variant)),
        };
        if let Some(variant) = named {
            return variant.ok_or(Choice::NoVariant);
        }
        let candidates = self.variants.iter().map(|variant| Candidate {
            weight: variant.weight,
            ready: variant.standings(wanted, untried).any(|one| matches!(one, Standing::Open(_))),
        });
        match pick::weighted(candidates, wanted.unit) {
            Some(index) => Ok(&self.variants[index]),
            None => Err(self.none_left(wanted, untried)),
        }
    }

    /// Nothing can be chosen: because there is nothing, or because of how all of it stands?
    fn none_left(&self, wanted: &Wanted<'_>, untried: &impl Fn(&InstanceId) -> bool) -> Choice {
        let would_be = |ready: &dyn Fn(&Variant) -> bool| {
            let candidates = self
                .variants
                .iter()
                .map(|variant| Candidate { weight: variant.weight, ready: ready(variant) });
            pick::weighted(candidates, wanted.unit).map(|index| self.variants[index].place.clone())
        };
        if let Some(place) = would_be(&|variant| variant.is_full(wanted, untried)) {
            return Choice::Full(place);
        }
        if let Some(place) = would_be(&|variant| !variant.instances.is_empty()) {
            return Choice::AllTried(place);
        }
        // An endpoint without variants has nothing to offer.
        would_be(&|_| true).map_or(Choice::NoEndpoint, Choice::NoneReady)
    }
}

impl Shadow {
    fn shown(&self) -> Copied {
        Copied { place: self.variant.place.clone(), share: self.share }
    }
}

impl Target {
    fn new(endpoint: &EndpointName, variant: &VariantName) -> Self {
        let header =
            HeaderValue::from_str(variant.as_str()).expect("a name is letters, digits and hyphens");
        Self { endpoint: endpoint.clone(), variant: variant.clone(), header }
    }
}

impl Place {
    fn new(target: Arc<Target>, instances: usize) -> Self {
        // More than a u32 of them are out of reach.
        let instances = u32::try_from(instances).unwrap_or(u32::MAX).max(1);
        Self { target, share: 1.0 / f64::from(instances) }
    }
}

impl Variant {
    fn build(
        route: &VariantRoute,
        place: Place,
        gates: &mut BTreeMap<InstanceId, Arc<Gate>>,
    ) -> Self {
        let build = |instance: &InstanceRoute| {
            let new = || Arc::new(Gate::new(Instant::now()));
            let gate = Arc::clone(gates.entry(instance.id.clone()).or_insert_with(new));
            let InstanceRoute { id, address } = instance.clone();
            Arc::new(Instance { id, address, place: place.clone(), gate })
        };
        let instances = route.instances.iter().map(build).collect();
        Self { weight: route.weight, strategy: route.strategy, instances, place }
    }

    /// How each instance stands, in the table's order. Of those that have failed too often, no more are left out than may
    /// be at once: the others stand as if they had not.
    fn standings(
        &self,
        wanted: &Wanted<'_>,
        untried: &impl Fn(&InstanceId) -> bool,
    ) -> impl Iterator<Item = Standing> {
        let mut may_be_out = ejection::out_max(self.instances.len());
        self.instances.iter().map(move |instance| {
            if may_be_out > 0 && instance.gate.is_out(wanted.now) {
                may_be_out -= 1;
                return Standing::Barred;
            }
            if !untried(&instance.id) || instance.gate.rests(wanted.now) {
                return Standing::Barred;
            }
            match instance.gate.inside() {
                inside if inside < wanted.inside_max => Standing::Open(inside),
                _ => Standing::Full,
            }
        })
    }

    fn instance(
        &self,
        wanted: &Wanted<'_>,
        untried: &impl Fn(&InstanceId) -> bool,
    ) -> Option<&Arc<Instance>> {
        let loads = self.standings(wanted, untried).map(|standing| match standing {
            Standing::Open(inside) => Some(inside),
            Standing::Full | Standing::Barred => None,
        });
        let index = match self.strategy {
            Strategy::LeastOutstanding => pick::least(loads, wanted.random),
            // Among equals the choice is even.
            Strategy::Random => pick::least(loads.map(|load| load.map(|_| 0)), wanted.random),
        };
        index.map(|index| &self.instances[index])
    }

    fn is_full(&self, wanted: &Wanted<'_>, untried: &impl Fn(&InstanceId) -> bool) -> bool {
        self.standings(wanted, untried).any(|standing| standing == Standing::Full)
    }

    fn none_left(&self, wanted: &Wanted<'_>, untried: &impl Fn(&InstanceId) -> bool) -> Choice {
        let place = self.place.clone();
        if self.instances.is_empty() {
            Choice::NoneReady(place)
        } else if self.is_full(wanted, untried) {
            Choice::Full(place)
        } else {
            Choice::AllTried(place)
        }
    }
}

#[cfg(test)]
mod tests;
