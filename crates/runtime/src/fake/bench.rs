//! The fake driver in the suite.

use std::sync::Arc;
use std::time::Duration;

use domain::instance::{InstanceId, Order, Phase};
use domain::time::Clock as _;

use super::{Behaviour, FakeDriver};
use crate::driver::Driver;
use crate::suite::{Bench, Case, ManualClock, order};

pub(crate) struct FakeBench {
    driver: FakeDriver,
    clock: Arc<ManualClock>,
}

impl Bench for FakeBench {
    async fn open() -> Self {
        let clock = Arc::new(ManualClock::default());
        let driver = FakeDriver::new(Arc::clone(&clock) as _);
        let second = Duration::from_secs(1);
        for (case, behaviour) in [
            (Case::Serves, Behaviour::ready_after(second).stopping(second)),
            (Case::ServesUntilEnded, Behaviour::ready_after(second)),
            (
                Case::Works,
                Behaviour::ready_after(second).using(Duration::from_millis(700), 100 << 20),
            ),
            (Case::EndsEarly, Behaviour::ends_after(second, "exit status 3")),
            (Case::NeverReady, Behaviour::never_ready()),
            (Case::UnknownImage, Behaviour::unknown_image("add an [[image]] entry")),
            (
                Case::ArtifactFails,
                Behaviour::artifact_fails("there is no such object").preparing(second),
            ),
            (Case::ArtifactIsSlow, Behaviour::default().preparing(Duration::from_hours(1))),
        ] {
            driver.script_image(&format!("{case:?}"), behaviour);
        }
        Self { driver, clock }
    }

    fn driver(&self) -> &impl Driver {
        &self.driver
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn order(&self, case: Case) -> Order {
        order(&format!("{case:?}"))
    }

    async fn wait(&self) {
        self.clock.set(self.driver.next_due().expect("something lies ahead"));
        assert!(self.driver.step(), "what is due changes something");
    }

    async fn work(&self) {
        self.clock.set(self.clock.wall().plus(Duration::from_millis(300)));
        self.driver.step();
    }

    fn end(&self, id: &InstanceId) {
        self.driver.crash(id, "exit status 3");
    }

    async fn close(self) {
        let alive = |phase: &Phase| !matches!(phase, Phase::Exited(_));
        for seen in self.driver.observe().into_iter().filter(|seen| alive(&seen.phase)) {
            self.driver.stop(&seen.id);
        }
        while self.driver.next_due().is_some() {
            self.wait().await;
        }
        assert!(self.driver.observe().iter().all(|seen| !alive(&seen.phase)));
        assert!(self.driver.state().courses.is_empty(), "a course outlives its instance");
    }
}
