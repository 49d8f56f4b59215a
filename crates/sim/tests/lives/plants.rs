//! The faults that are planted. Each is something that the program might do and does not.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use domain::endpoint::{Deployment, Endpoint, Stage};
use domain::instance::{Address, InstanceId, Observed, Order, Phase};
use domain::route::{RouteTable, Traffic};
use runtime::driver::{Driver, Usage};
use sim::life::planted::Planted;
use store::memory::Disk;
use store::{Changes, Decision, Error, MemoryStore, State, Store};

type Submitted<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// What a store does of its own accord after a decision, given the states before and after.
pub(crate) type Meddle = fn(&State, &State) -> Option<Changes>;

/// A store that does something more with decisions than what they say.
#[derive(Clone, Copy)]
pub(crate) struct Meddling(pub(crate) Meddle);

impl fmt::Debug for Meddling {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Meddling")
    }
}

impl Planted for Meddling {
    fn store(&self, store: Arc<dyn Store>, _disk: &Disk) -> Arc<dyn Store> {
        Arc::new(Meddled { inner: store, meddle: *self })
    }
}

#[derive(Debug)]
struct Meddled {
    inner: Arc<dyn Store>,
    meddle: Meddling,
}

impl Store for Meddled {
    fn state(&self) -> Arc<State> {
        self.inner.state()
    }

    fn submit(&self, decision: Decision) -> Submitted<'_> {
        Box::pin(async move {
            let before = self.inner.state();
            self.inner.submit(decision).await?;
            match (self.meddle.0)(&before, &self.inner.state()) {
                Some(changes) => self.inner.submit(Box::new(move |_| changes)).await,
                None => Ok(()),
            }
        })
    }
}

/// Endpoints that enter a stage by a decision.
pub(crate) fn entering<'a>(
    before: &'a State,
    after: &'a State,
    stage: Stage,
) -> impl Iterator<Item = (&'a Endpoint, &'a Endpoint)> {
    let both =
        before.endpoints.iter().filter_map(|(key, was)| Some((was, after.endpoints.get(key)?)));
    both.filter(move |(was, is)| was.stage != stage && is.stage == stage)
        .map(|(was, is)| (&**was, &**is))
}

/// An endpoint with other fleets that serve.
pub(crate) fn with_live(
    endpoint: &Endpoint,
    change: impl FnOnce(&mut Deployment),
) -> Option<Endpoint> {
    let mut live = Deployment::clone(endpoint.live.as_deref()?);
    change(&mut live);
    Some(Endpoint { live: Some(Arc::new(live)), ..endpoint.clone() })
}

/// A store that answers before it has committed: what it has on the disk is what was decided before the last decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnswersBeforeItCommits;

impl Planted for AnswersBeforeItCommits {
    fn store(&self, store: Arc<dyn Store>, _disk: &Disk) -> Arc<dyn Store> {
        let front: Arc<dyn Store> = Arc::new(MemoryStore::open(Disk::default()).unwrap());
        let copied = Arc::clone(&front);
        let all = store.state();
        let filled = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(
                copied.submit(Box::new(move |empty| sim::interleave::difference(empty, &all))),
            )
        });
        filled.join().unwrap().unwrap();
        Arc::new(Early { front, back: store })
    }
}

#[derive(Debug)]
struct Early {
    front: Arc<dyn Store>,
    back: Arc<dyn Store>,
}

impl Store for Early {
    fn state(&self) -> Arc<State> {
        self.front.state()
    }

    fn submit(&self, decision: Decision) -> Submitted<'_> {
        Box::pin(async move {
            let last = self.front.state();
            self.back
                .submit(Box::new(move |kept| sim::interleave::difference(kept, &last)))
                .await?;
            self.front.submit(decision).await
        })
    }
}

/// A store that says nothing of a full disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SwallowsFailures;

impl Planted for SwallowsFailures {
    fn store(&self, store: Arc<dyn Store>, _disk: &Disk) -> Arc<dyn Store> {
        Arc::new(Swallowing(store))
    }
}

#[derive(Debug)]
struct Swallowing(Arc<dyn Store>);

impl Store for Swallowing {
    fn state(&self) -> Arc<State> {
        self.0.state()
    }

    fn submit(&self, decision: Decision) -> Submitted<'_> {
        Box::pin(async move {
            drop(self.0.submit(decision).await);
            Ok(())
        })
    }
}

/// Check and write are two: every decision is made of the state that its caller looked at last, or when it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DecidesOfTheStale;

impl Planted for DecidesOfTheStale {
    fn way(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        let seen = Mutex::new(store.state());
        Arc::new(Stale { inner: store, seen })
    }
}

#[derive(Debug)]
struct Stale {
    inner: Arc<dyn Store>,
    seen: Mutex<Arc<State>>,
}

impl Store for Stale {
    fn state(&self) -> Arc<State> {
        let state = self.inner.state();
        *self.seen.lock().unwrap() = Arc::clone(&state);
        state
    }

    fn submit(&self, decision: Decision) -> Submitted<'_> {
        let seen = Arc::clone(&self.seen.lock().unwrap());
        self.inner.submit(Box::new(move |_| decision(&seen)))
    }
}

/// A refusal changes something all the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefusalsWrite;

impl Planted for RefusalsWrite {
    fn way(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Writing(store))
    }
}

#[derive(Debug)]
struct Writing(Arc<dyn Store>);

impl Store for Writing {
    fn state(&self) -> Arc<State> {
        self.0.state()
    }

    fn submit(&self, decision: Decision) -> Submitted<'_> {
        self.0.submit(Box::new(move |state| {
            let changes = decision(state);
            let none = sim::interleave::is_none(&changes);
            if none { changes.count_deployment(state) } else { changes }
        }))
    }
}

/// A driver or a data plane that is not what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lies {
    /// The routes that were told last come into force with the next.
    RoutesAreLate,
    /// Whoever answers requests is said to answer none.
    NobodyIsBusy,
    /// One instance of each variant is left out while an endpoint is updated.
    RoutesAreShort,
    /// Whatever was in the routes stays there.
    RoutesOnlyGrow,
    /// An instance counts as ready as soon as it runs.
    StartingIsReady,
    /// Every fourth instance is not stopped.
    SomeAreNotStopped,
    /// What ran before the server started is not seen.
    NothingIsFoundAgain,
}

impl Planted for Lies {
    fn driver(&self, driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
        let before = driver.observe().into_iter().map(|one| one.id).collect();
        Arc::new(LyingDriver { inner: driver, lies: *self, before })
    }

    fn traffic(&self, traffic: Arc<dyn Traffic>) -> Arc<dyn Traffic> {
        Arc::new(LyingTraffic { inner: traffic, lies: *self, last: Mutex::default() })
    }
}

#[derive(Debug)]
struct LyingDriver {
    inner: Arc<dyn Driver>,
    lies: Lies,
    before: BTreeSet<InstanceId>,
}

impl Driver for LyingDriver {
    fn start(&self, order: Order) {
        self.inner.start(order);
    }

    fn stop(&self, id: &InstanceId) {
        let stays = id.as_str().ends_with(['0', '4', '8', 'c']);
        if !(self.lies == Lies::SomeAreNotStopped && stays) {
            self.inner.stop(id);
        }
    }

    fn observe(&self) -> Vec<Observed> {
        let mut observed = self.inner.observe();
        if self.lies == Lies::NothingIsFoundAgain {
            observed.retain(|one| !self.before.contains(&one.id));
        }
        for one in &mut observed {
            if self.lies == Lies::StartingIsReady && one.phase == Phase::Starting {
                let address = Address::Tcp(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 1));
                one.phase = Phase::Ready { address };
            }
        }
        observed
    }

    fn usage(&self, id: &InstanceId) -> Option<Usage> {
        self.inner.usage(id)
    }

    fn forget(&self, id: &InstanceId) {
        self.inner.forget(id);
    }
}

#[derive(Debug)]
struct LyingTraffic {
    inner: Arc<dyn Traffic>,
    lies: Lies,
    last: Mutex<Arc<RouteTable>>,
}

impl Traffic for LyingTraffic {
    fn publish(&self, table: Arc<RouteTable>) {
        let mut last = self.last.lock().unwrap();
        let told = match self.lies {
            Lies::RoutesAreLate => std::mem::replace(&mut *last, table),
            Lies::RoutesAreShort => shortened(&table),
            Lies::RoutesOnlyGrow => {
                *last = grown(&last, &table);
                Arc::clone(&last)
            }
            _ => table,
        };
        self.inner.publish(told);
    }

    fn in_flight(&self, id: &InstanceId) -> u64 {
        if self.lies == Lies::NobodyIsBusy { 0 } else { self.inner.in_flight(id) }
    }
}

fn shortened(table: &RouteTable) -> Arc<RouteTable> {
    let mut table = table.clone();
    for route in table.endpoints.values_mut() {
        for variant in &mut Arc::make_mut(route).variants {
            if variant.instances.len() > 2 {
                variant.instances.truncate(1);
            }
        }
    }
    Arc::new(table)
}

fn grown(last: &RouteTable, table: &RouteTable) -> Arc<RouteTable> {
    let mut table = table.clone();
    for (name, route) in &mut table.endpoints {
        let Some(last) = last.endpoints.get(name) else { continue };
        for variant in &mut Arc::make_mut(route).variants {
            let had = last.variants.iter().filter(|one| one.name == variant.name);
            for instance in had.flat_map(|one| &one.instances) {
                if !variant.instances.contains(instance) {
                    variant.instances.push(instance.clone());
                }
            }
        }
    }
    Arc::new(table)
}
