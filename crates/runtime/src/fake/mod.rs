//! A driver without processes for the simulator and for tests: instances move only when told, along scripts, on a clock
//! that someone else turns. It passes the same suite as the real ones.

mod behaviour;
#[cfg(test)]
pub(crate) mod bench;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::instance::{Address, Exit, ExitCause, FleetId, InstanceId, Observed, Order, Phase};
use domain::time::{Clock, Timestamp};

pub use behaviour::Behaviour;
use behaviour::Event;

use crate::driver::{Driver, Usage};
use crate::instance::Registry;

/// Where pretended instances seem to listen: a network for documentation, where nothing answers by accident.
const NETWORK: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Pretends to run instances.
#[derive(Debug)]
pub struct FakeDriver {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    registry: Registry<()>,
    courses: BTreeMap<InstanceId, Course>,
    started: u16,
    otherwise: Behaviour,
    images: BTreeMap<String, Behaviour>,
    fleets: BTreeMap<FleetId, Behaviour>,
}

/// What is still to happen to an instance that has not exited.
#[derive(Debug)]
struct Course {
    ahead: VecDeque<(Timestamp, Event)>,
    address: Address,
    behaviour: Behaviour,
    launched: Option<Timestamp>,
    was_ready: bool,
    stopping: bool,
}

impl FakeDriver {
    /// A driver whose instances are ready as soon as [`FakeDriver::step`] is called, until a script says otherwise.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// How instances behave that no other script names. Like every script it counts for those started from now on.
    pub fn script(&self, behaviour: Behaviour) {
        self.state().otherwise = behaviour;
    }

    /// How instances of `image` behave.
    pub fn script_image(&self, image: &str, behaviour: Behaviour) {
        self.state().images.insert(image.to_owned(), behaviour);
    }

    /// How instances of `fleet` behave, whatever their image.
    pub fn script_fleet(&self, fleet: FleetId, behaviour: Behaviour) {
        self.state().fleets.insert(fleet, behaviour);
    }

    /// Applies all that is due, in the order of time and then of ids. Returns whether anything changed.
    pub fn step(&self) -> bool {
        let now = self.clock.steady();
        let mut state = self.state();
        let mut changed = false;
        while let Some((due, id)) = state.next().filter(|(due, _)| *due <= now) {
            changed |= state.apply(&id, due);
        }
        changed
    }

    /// When [`FakeDriver::step`] will next have something to do; nothing if all instances have settled.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.state().next().map(|(due, _)| due)
    }

    /// Lets an instance end by itself now, as a model server that crashes does. Unknown ids change nothing.
    pub fn crash(&self, id: &InstanceId, status: &str) {
        self.end_now(id, ExitCause::Ended { status: status.to_owned(), last_words: String::new() });
    }

    /// Lets an instance stop answering `/ping` now. Unknown ids change nothing.
    pub fn hang(&self, id: &InstanceId) {
        self.end_now(id, ExitCause::Unresponsive { last_words: String::new() });
    }

    fn end_now(&self, id: &InstanceId, cause: ExitCause) {
        let now = self.clock.steady();
        let mut state = self.state();
        state.ends(id, now, cause);
        state.apply(id, now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Driver for FakeDriver {
    fn start(&self, order: Order) {
        let now = self.clock.steady();
        let mut state = self.state();
        if !state.registry.admit(order.id.clone(), order.fleet.clone(), ()) {
            return;
        }
        let scripted = state.fleets.get(&order.fleet).or_else(|| state.images.get(&order.image));
        let behaviour = scripted.unwrap_or(&state.otherwise).clone();
        let ahead = behaviour
            .course(&order)
            .into_iter()
            .map(|(after, event)| (now.plus(after), event))
            .collect();
        state.started = state.started.wrapping_add(1);
        let address = Address::Tcp(SocketAddr::new(NETWORK.into(), state.started));
        state.courses.insert(
            order.id,
            Course { ahead, address, behaviour, launched: None, was_ready: false, stopping: false },
        );
    }

    fn stop(&self, id: &InstanceId) {
        let now = self.clock.steady();
        let mut state = self.state();
        if state.registry.stop(id).is_none() {
            return;
        }
        let stopping =
            state.courses.get(id).map_or_else(Default::default, |course| course.behaviour.stopping);
        state.ends(id, now.plus(stopping), ExitCause::Stopped);
    }

    fn observe(&self) -> Vec<Observed> {
        self.state().registry.observe()
    }

    fn usage(&self, id: &InstanceId) -> Option<Usage> {
        let now = self.clock.steady();
        let state = self.state();
        let course = state.courses.get(id)?;
        let Usage { cpu, memory_bytes } = course.behaviour.usage;
        let nanos = cpu.as_nanos() * now.since(course.launched?).as_nanos() / 1_000_000_000;
        let cpu = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        Some(Usage { cpu, memory_bytes })
    }

    fn forget(&self, id: &InstanceId) {
        self.state().registry.forget(id);
    }
}

impl State {
    fn next(&self) -> Option<(Timestamp, InstanceId)> {
        let due =
            |(id, course): (&InstanceId, &Course)| Some((course.ahead.front()?.0, id.clone()));
        self.courses.iter().filter_map(due).min()
    }

    /// Replaces what lies ahead of an instance by its end.
    fn ends(&mut self, id: &InstanceId, at: Timestamp, cause: ExitCause) {
        if let Some(course) = self.courses.get_mut(id) {
            // Whatever ends it then, it was told to.
            course.stopping |= cause == ExitCause::Stopped;
            let cause = if course.stopping { ExitCause::Stopped } else { cause };
            course.ahead = VecDeque::from([(at, Event::Exit(cause))]);
        }
    }

    /// Lets the next thing happen to an instance.
    fn apply(&mut self, id: &InstanceId, at: Timestamp) -> bool {
        let Some(course) = self.courses.get_mut(id) else { return false };
        let Some((_, event)) = course.ahead.pop_front() else { return false };
        let phase = match event {
            Event::Launch => {
                course.launched = Some(at);
                Phase::Starting
            }
            Event::Ready => {
                course.was_ready = true;
                Phase::Ready { address: course.address.clone() }
            }
            Event::Exit(cause) => Phase::Exited(Exit { cause, was_ready: course.was_ready, at }),
        };
        if matches!(phase, Phase::Exited(_)) {
            self.courses.remove(id);
        }
        self.registry.advance(id, phase)
    }
}
