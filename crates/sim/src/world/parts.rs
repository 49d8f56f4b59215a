//! What ends with a server and is made anew at its next start.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api::{Live, Running};
use auth::Principal;
use control::task::fleets::{Fleets, Means};
use control::task::scale::{self, Decisions, Machine, Scaling};
use domain::arn::Scope;
use domain::endpoint::Limits;
use domain::iam::User;
use domain::instance::InstanceId;
use domain::name::{EndpointKey, EndpointName};
use domain::route::Traffic;
use domain::scaling::{Recent, TargetKey};
use domain::time::Clock;
use metrics::Metrics;
use runtime::driver::Driver;
use runtime::fake::FakeDriver;
use store::memory::Disk;
use store::{MemoryStore, Store};

use super::{Caller, Fault, SETTLE};
use crate::{SimClock, SimTraffic};

/// What instances share: enough for any script.
const MACHINE: Machine = Machine { cores: 4, memory_bytes: 8 << 30 };

pub(super) struct Parts {
    pub(super) store: Arc<MemoryStore>,
    pub(super) driver: Arc<FakeDriver>,
    pub(super) traffic: Arc<SimTraffic>,
    pub(super) fleets: Fleets,
    pub(super) scaling: Scaling,
    pub(super) decisions: Arc<Decisions>,
}

pub(crate) fn scope() -> Scope {
    Scope { region: "us-east-1".into(), account: "000000000000".into() }
}

/// The account's root user.
pub(crate) fn root() -> Caller {
    let scope = scope();
    let principal =
        Principal { account: scope.account.clone(), arn: scope.root(), user_id: scope.account };
    Caller { principal, access_key_id: String::new() }
}

/// A user by a key; nothing if there is none.
pub(crate) fn caller(user: &User) -> Option<Caller> {
    let scope = scope();
    let principal =
        Principal { arn: user.arn(&scope), account: scope.account, user_id: user.id.clone() };
    Some(Caller { principal, access_key_id: user.access_keys.first()?.clone() })
}

/// Starts a server on what is kept of the one before.
pub(super) fn start(
    clock: &Arc<SimClock>,
    disk: &Disk,
    metrics: &Arc<Metrics>,
    limits: &Arc<Limits>,
    ids: &Ids,
) -> Result<Parts, Fault> {
    let store = Arc::new(MemoryStore::open(disk.clone()).map_err(Fault::of)?);
    let driver = Arc::new(FakeDriver::new(Arc::clone(clock) as Arc<dyn Clock>));
    let (traffic, decisions) = (Arc::new(SimTraffic::default()), Arc::new(Decisions::default()));
    let kept = || Arc::clone(&store) as Arc<dyn Store>;
    let runs = || Arc::clone(&driver) as Arc<dyn Driver>;
    let serves = Arc::clone(&traffic) as Arc<dyn Traffic>;
    let fleets = Fleets::new(fleets(clock, kept(), runs(), serves, ids));
    let means = scaling(clock, kept(), runs(), metrics, (limits, ids.entropy()));
    let scaling = Scaling::new(means, Arc::clone(&decisions));
    Ok(Parts { store, driver, traffic, fleets, scaling, decisions })
}

/// What the loop that looks after fleets works with.
pub(crate) fn fleets(
    clock: &Arc<SimClock>,
    store: Arc<dyn Store>,
    driver: Arc<dyn Driver>,
    traffic: Arc<dyn Traffic>,
    ids: &Ids,
) -> Means {
    Means {
        store,
        driver,
        traffic,
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        scope: scope(),
        resources: BTreeMap::new(),
        new_id: ids.instances(),
    }
}

/// What the loop that scales works with.
pub(crate) fn scaling(
    clock: &Arc<SimClock>,
    store: Arc<dyn Store>,
    driver: Arc<dyn Driver>,
    metrics: &Arc<Metrics>,
    (limits, entropy): (&Arc<Limits>, Arc<dyn Fn() -> u128 + Send + Sync>),
) -> scale::Means {
    scale::Means {
        store,
        driver,
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        metrics: Arc::clone(metrics),
        scope: scope(),
        limits: Arc::clone(limits),
        resources: BTreeMap::new(),
        machine: MACHINE,
        settle: SETTLE,
        entropy,
    }
}

/// Numbers where the server has random bits, so that every run has the same ids.
#[derive(Debug)]
pub(crate) struct Ids {
    instances: Arc<AtomicU64>,
    others: Arc<AtomicU64>,
}

impl Default for Ids {
    fn default() -> Self {
        Self { instances: Arc::new(AtomicU64::new(1)), others: Arc::new(AtomicU64::new(1)) }
    }
}

impl Ids {
    fn instances(&self) -> Arc<dyn Fn() -> InstanceId + Send + Sync> {
        let next = Arc::clone(&self.instances);
        Arc::new(move || InstanceId::from_entropy(next.fetch_add(1, Ordering::SeqCst).into()))
    }

    pub(crate) fn entropy(&self) -> Arc<dyn Fn() -> u128 + Send + Sync> {
        let next = Arc::clone(&self.others);
        Arc::new(move || next.fetch_add(1, Ordering::SeqCst).into())
    }
}

/// What operations see of what runs.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) driver: Arc<FakeDriver>,
    pub(crate) traffic: Arc<SimTraffic>,
    pub(crate) decisions: Arc<Decisions>,
}

impl Live for View {
    fn instances(&self, endpoint: &EndpointName) -> Vec<Running> {
        let key = EndpointKey::from(endpoint);
        let all = self.driver.observe().into_iter();
        all.filter(|observed| EndpointKey::from(&observed.fleet.endpoint) == key)
            .map(|observed| {
                let usage = self.driver.usage(&observed.id);
                Running {
                    in_flight: self.traffic.in_flight(&observed.id),
                    cpu: usage.map(|usage| usage.cpu),
                    memory_bytes: usage.map(|usage| usage.memory_bytes),
                    observed,
                }
            })
            .collect()
    }

    fn decisions(&self, target: &TargetKey) -> Vec<Recent> {
        self.decisions.of(target)
    }
}
