//! The routes in force, as every thread sees them: one pointer to an immutable snapshot.
//!
//! `control` publishes; requests read without a lock. What a request may not do is hold a snapshot across a wait: it
//! chooses, takes a ticket of the instance's [`Gate`], and lets go.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use domain::instance::{Address, InstanceId};
use domain::name::EndpointName;
use domain::route::{EndpointRoute, RouteTable, Strategy, Traffic};
use http::HeaderValue;
use tokio::sync::watch;

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
        // A gate turns a request back only if a newer snapshot lacks the instance, and that one is read next: each round
        // but the last has met a table published since the round before.
        loop {
            let snapshot = self.snapshot.load();
            let Some(endpoint) = snapshot.endpoints.get(wanted.endpoint) else {
                return Choice::NoEndpoint;
            };
            let variant = match endpoint.variant(wanted, &untried) {
                Ok(variant) => variant,
                Err(choice) => return choice,
            };
            let Some(instance) = variant.instance(wanted.random, &untried) else {
                return variant.none_left();
            };
            if let Some(ticket) = instance.gate.enter() {
                let instance = Arc::clone(instance);
                return Choice::Instance { instance, variant: variant.header.clone(), ticket };
            }
            // The gates are shut just after the new snapshot is in place, so this is rare and short.
            std::hint::spin_loop();
        }
    }

    /// Whether the endpoint is in the table, with or without ready instances.
    pub(crate) fn has(&self, endpoint: &str) -> bool {
        self.snapshot.load().endpoints.contains_key(endpoint)
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
        let snapshot = Snapshot::build(&table, &mut gates);
        let wanted: std::collections::HashSet<_> =
            snapshot.instances().map(|instance| instance.id.clone()).collect();
        // Opened before the snapshot is seen: an instance may come back that was taken out a moment ago.
        for id in &wanted {
            gates[id].open();
        }
        self.snapshot.store(Arc::new(snapshot));
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
    /// `X-Amzn-SageMaker-Target-Variant`.
    pub(crate) variant: Option<&'a str>,
    /// From 0 up to but not 1, for the choice of the variant.
    pub(crate) unit: f64,
    /// For the choice of the instance.
    pub(crate) random: u64,
}

/// What came of choosing.
#[derive(Debug)]
pub(crate) enum Choice {
    Instance {
        instance: Arc<Instance>,
        /// The variant's name as the answer carries it.
        variant: HeaderValue,
        ticket: Ticket,
    },
    NoEndpoint,
    NoVariant,
    /// No instance is ready that may serve this request.
    NoneReady,
    /// There are ready instances, and each was tried.
    AllTried,
}

/// An instance in the table.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) id: InstanceId,
    pub(crate) address: Address,
    gate: Arc<Gate>,
}

#[derive(Debug, Default)]
struct Snapshot {
    endpoints: HashMap<EndpointName, Endpoint>,
}

#[derive(Debug)]
struct Endpoint {
    variants: Vec<Variant>,
}

#[derive(Debug)]
struct Variant {
    header: HeaderValue,
    weight: f64,
    strategy: Strategy,
    instances: Vec<Arc<Instance>>,
}

impl Snapshot {
    fn build(table: &RouteTable, gates: &mut BTreeMap<InstanceId, Arc<Gate>>) -> Self {
        let endpoints = table.endpoints.iter();
        Self {
            endpoints: endpoints
                .map(|(name, route)| (name.clone(), Endpoint::build(route, gates)))
                .collect(),
        }
    }

    fn instances(&self) -> impl Iterator<Item = &Arc<Instance>> {
        self.endpoints
            .values()
            .flat_map(|endpoint| &endpoint.variants)
            .flat_map(|variant| &variant.instances)
    }
}

impl Endpoint {
    fn build(route: &EndpointRoute, gates: &mut BTreeMap<InstanceId, Arc<Gate>>) -> Self {
        let variants = route.variants.iter().map(|variant| Variant {
            header: HeaderValue::from_str(variant.name.as_str())
                .expect("a name is letters, digits and hyphens"),
            weight: variant.weight,
            strategy: variant.strategy,
            instances: variant
                .instances
                .iter()
                .map(|instance| {
                    let gate = Arc::clone(gates.entry(instance.id.clone()).or_default());
                    Arc::new(Instance {
                        id: instance.id.clone(),
                        address: instance.address.clone(),
                        gate,
                    })
                })
                .collect(),
        });
        Self { variants: variants.collect() }
    }

    fn variant(
        &self,
        wanted: &Wanted<'_>,
        untried: &impl Fn(&InstanceId) -> bool,
    ) -> Result<&Variant, Choice> {
        if let Some(name) = wanted.variant {
            return self
                .variants
                .iter()
                .find(|variant| variant.header == name)
                .ok_or(Choice::NoVariant);
        }
        let candidates = self.variants.iter().map(|variant| Candidate {
            weight: variant.weight,
            ready: variant.instances.iter().any(|instance| untried(&instance.id)),
        });
        match pick::weighted(candidates, wanted.unit) {
            Some(index) => Ok(&self.variants[index]),
            None => Err(self.none_left()),
        }
    }

    /// Nothing can be chosen: because there is nothing, or because all of it was tried?
    fn none_left(&self) -> Choice {
        let candidates = self.variants.iter().map(|variant| Candidate {
            weight: variant.weight,
            ready: !variant.instances.is_empty(),
        });
        if pick::weighted(candidates, 0.0).is_some() { Choice::AllTried } else { Choice::NoneReady }
    }
}

impl Variant {
    fn instance(
        &self,
        random: u64,
        untried: &impl Fn(&InstanceId) -> bool,
    ) -> Option<&Arc<Instance>> {
        let index = match self.strategy {
            Strategy::LeastOutstanding => {
                let loads = self
                    .instances
                    .iter()
                    .map(|instance| untried(&instance.id).then(|| instance.gate.inside()));
                pick::least(loads, random)
            }
            Strategy::Random => {
                pick::evenly(self.instances.iter().map(|instance| untried(&instance.id)), random)
            }
        };
        index.map(|index| &self.instances[index])
    }

    fn none_left(&self) -> Choice {
        if self.instances.is_empty() { Choice::NoneReady } else { Choice::AllTried }
    }
}

#[cfg(test)]
mod tests;
