//! What the suite needs of a driver that it runs on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use domain::instance::{DeploymentId, FleetId, InstanceId, Order, Phase, Resources};
use domain::time::{Clock, Timestamp};

use crate::driver::Driver;

/// How an instance is to behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Case {
    /// Answers `/ping` soon and until it is told to stop.
    Serves,
    /// The same, and ends by itself with status 3 when [`Bench::end`] is called.
    ServesUntilEnded,
    /// The same as the first, and is always busy. Parts of it end and nobody waits for them.
    Works,
    /// Ends with status 3 before it answers.
    EndsEarly,
    NeverReady,
    UnknownImage,
    ArtifactFails,
    /// Its artefact takes very long.
    ArtifactIsSlow,
}

/// A driver set up for the suite.
pub(crate) trait Bench: Sized {
    async fn open() -> Self;

    fn driver(&self) -> &impl Driver;

    /// The clock that stamps exits.
    fn clock(&self) -> &ManualClock;

    /// An order for an instance of that kind.
    fn order(&self, case: Case) -> Order;

    /// Lets time pass until something changes; panics if nothing more will.
    async fn wait(&self);

    /// Lets some time pass in which instances do what they do.
    async fn work(&self);

    /// Lets an instance of [`Case::ServesUntilEnded`] end.
    fn end(&self, id: &InstanceId);

    /// Ends the driver and checks that nothing is left over.
    async fn close(self);

    fn phase(&self, id: &InstanceId) -> Option<Phase> {
        self.driver().observe().into_iter().find(|seen| seen.id == *id).map(|seen| seen.phase)
    }

    /// Waits until the phase of an instance is as wanted, and gives it.
    async fn until(&self, id: &InstanceId, wanted: impl Fn(&Phase) -> bool) -> Phase {
        loop {
            match self.phase(id) {
                Some(phase) if wanted(&phase) => return phase,
                Some(Phase::Exited(exit)) => panic!("{id} has exited: {exit:?}"),
                _ => self.wait().await,
            }
        }
    }
}

/// A clock that stands still until it is set.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_700_000_000_000))
    }
}

impl ManualClock {
    pub(crate) fn set(&self, to: Timestamp) {
        self.0.store(to.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.wall()
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// An id that no other test on this machine has, for tests look for processes by it; later ones are greater.
pub(crate) fn instance_id() -> InstanceId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let test_process = u128::from(std::process::id());
    InstanceId::from_entropy((test_process << 32) | u128::from(NEXT.fetch_add(1, Ordering::SeqCst)))
}

/// An order for `image` with an id of its own.
pub(crate) fn order(image: &str) -> Order {
    let (endpoint, variant) = ("chat".parse().unwrap(), "AllTraffic".parse().unwrap());
    Order {
        id: instance_id(),
        fleet: FleetId { endpoint, deployment: DeploymentId(1), variant },
        image: image.to_owned(),
        model_data_url: None,
        environment: BTreeMap::new(),
        resources: Resources::default(),
        download_timeout: Duration::from_mins(1),
        startup_timeout: Duration::from_mins(1),
    }
}
