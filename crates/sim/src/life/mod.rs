//! One life of a server from one seed: what clients ask, in which order the store hears of it, what fails, what breaks,
//! and how time goes, all drawn by lot, and everything the same again from the same seed.
//!
//! The domain, the operations of the API, both control loops and the store's engine are the real ones. Calls and loops are
//! in flight at once and take turns at the store (`gate`); instances and the data plane are pretended and watched
//! (`machine`); `laws` says what must never be. Nothing here decides what the program should do but those laws.

mod acts;
mod chance;
mod dice;
mod gate;
mod laws;
mod machine;
pub mod planted;
mod server;
mod setting;
mod witness;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use domain::instance::InstanceId;
use domain::metric::{Measured, Sink};
use domain::rollout;
use domain::time::{Clock, Timestamp};
use store::State;

use crate::world::load::Load;
use crate::{Caller, Fault};
use chance::Chances;
use dice::Dice;
use gate::Fate;
use machine::Machine;
use planted::Planted;
use server::{Asked, Ground, Server, Went};

pub use witness::Violation;

/// Steps of an ordinary life: about a quarter of an hour of the server's time.
pub const STEPS: u32 = 60;

/// How long everything may take to come to rest once nobody wants anything more and nothing fails: a start-up that never
/// gets there, an update's bakes, a drain and the longest back-off, several times over.
const REST: Duration = Duration::from_mins(40);

/// Turns that calls and loops may take at one moment: more means that they go in circles.
const TURNS_MAX: u32 = 5000;

const WINDOW: Duration = Duration::from_secs(Measured::WINDOW_SECS.unsigned_abs());

/// What a life came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub seed: u64,
    /// The server's time that it took.
    pub lived: Duration,
    /// Of everything that happened, in its order.
    pub digest: u64,
    pub violation: Option<Violation>,
    /// The last that happened, or all of it where that was asked for.
    pub lines: Vec<String>,
    /// How often things happened that lives are there for.
    pub counts: BTreeMap<&'static str, u64>,
}

/// What to live.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub steps: u32,
    /// Whether every line is kept.
    pub whole: bool,
    pub planted: Arc<dyn Planted>,
}

impl Plan {
    /// An ordinary life.
    pub fn of(seed: u64) -> Self {
        Self { seed, steps: STEPS, whole: false, planted: Arc::new(planted::Nothing) }
    }
}

impl fmt::Display for Report {
    /// What whoever reads of a violation needs: what it was, how to see it again, and what led to it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(out, "{line}")?;
        }
        let seed = self.seed;
        if let Some(violation) = &self.violation {
            writeln!(out, "seed {seed} breaks {violation}")?;
        }
        write!(out, "to see all of it: cargo run -p sim --example lives -- --seed {seed}")
    }
}

/// Lives a life.
pub fn live(plan: &Plan) -> Report {
    let life = catch_unwind(AssertUnwindSafe(|| Life::new(plan)));
    let Ok(Ok(mut life)) = life else {
        let violation = Violation { law: "start", what: "the life could not begin".into() };
        return Report {
            seed: plan.seed,
            lived: Duration::ZERO,
            digest: 0,
            violation: Some(violation),
            lines: Vec::new(),
            counts: BTreeMap::new(),
        };
    };
    // A panic of the program under test is a violation like any other.
    match catch_unwind(AssertUnwindSafe(|| life.play(plan.steps))) {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => life.ground.witness.accuse("harness", fault),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            life.ground.witness.accuse("panic", text.unwrap_or("without words"));
        }
    }
    let Life { ground, counts, began, .. } = life;
    Report {
        seed: plan.seed,
        lived: ground.clock.now().since(began),
        digest: ground.witness.digest(),
        violation: ground.witness.violation(),
        lines: ground.witness.lines(),
        counts,
    }
}

struct Life {
    dice: Dice,
    ground: Ground,
    server: Server,
    root: Caller,
    restricted: Caller,
    load: Load,
    /// Requests that clients wait for an answer of, with the time by which each has it.
    requests: Vec<(InstanceId, Timestamp)>,
    /// Configs that were asked for so far.
    configs: usize,
    chances: Chances,
    /// The state that was committed last.
    last: Arc<State>,
    began: Timestamp,
    counts: BTreeMap<&'static str, u64>,
}

impl Life {
    fn play(&mut self, steps: u32) -> Result<(), Fault> {
        for _ in 0..steps {
            self.step()?;
            if self.ground.witness.is_over() {
                return Ok(());
            }
        }
        self.calm()?;
        let end = self.ground.clock.now().plus(REST);
        while self.ground.clock.now() < end && !self.ground.witness.is_over() {
            self.advance(WINDOW);
            let state = self.server.store.state();
            if self.server.is_idle() && laws::has_come_to_rest(&state, &self.server.machine) {
                break;
            }
        }
        laws::rested(&self.server.store.state(), &self.server.machine, &self.ground.witness);
        self.ground.witness.take(&format!("{:?}", self.server.store.state()));
        Ok(())
    }

    /// Lets time pass, stopping wherever something is due.
    fn advance(&mut self, span: Duration) {
        let end = self.ground.clock.now().plus(span);
        loop {
            self.turns();
            let now = self.ground.clock.now();
            if now >= end || self.ground.witness.is_over() {
                return;
            }
            let instance = self.server.machine.driver.next_due().map(|due| due.since(now));
            let due = self.server.next_due().map(|due| due.since(now));
            let answer = self.requests.iter().map(|(_, until)| until.since(now)).min();
            let window = Measured::window_of(now).plus(WINDOW).min(end).since(now);
            let next = [instance, due, answer].into_iter().flatten().fold(window, Duration::min);
            self.pass(next.max(Duration::from_millis(1)));
        }
    }

    /// Moves the clock, with the requests that come meanwhile; no further than to the end of a window.
    fn pass(&mut self, span: Duration) {
        let now = self.ground.clock.now();
        let then = now.plus(span);
        self.load.pass(&self.server.machine.traffic.table(), now, then);
        self.ground.clock.advance(span);
        if Measured::window_of(then) == then {
            let measured = self.load.measured();
            if !measured.is_empty() {
                self.ground.metrics.offer(measured);
            }
        }
        let over = self.requests.extract_if(.., |(_, until)| *until <= then);
        let over: Vec<InstanceId> = over.map(|(id, _)| id).collect();
        for id in &over {
            self.server.machine.traffic.end(id);
        }
        if self.server.machine.driver.step() || !over.is_empty() {
            let late = self.chances.lateness(&mut self.dice);
            self.server.wake(late);
        }
    }

    /// Lets calls and loops take their turns at this moment, until all have ended or are held up.
    fn turns(&mut self) {
        for _ in 0..TURNS_MAX {
            if self.ground.witness.is_over() {
                return;
            }
            self.server.run_loops();
            if let Some(at) = self.server.fresh() {
                let went = self.server.go_on(at);
                self.look(&went);
                continue;
            }
            if self.server.machine.driver.step() {
                let late = self.chances.lateness(&mut self.dice);
                self.server.wake(late);
            }
            let (asking, waiting) = (self.server.asking(), self.server.waiting());
            let held_up = self.chances.hold_up(&mut self.dice);
            if held_up || asking.len() + waiting.len() == 0 {
                let due = self.server.next_due().is_some_and(|due| due <= self.ground.clock.now());
                if due && !held_up {
                    continue;
                }
                return;
            }
            let at = self.dice.below(asking.len() + waiting.len());
            let went = match asking.get(at) {
                Some(at) => {
                    let fate = self.chances.fate(&mut self.dice);
                    self.count(match fate {
                        Fate::Kept => "decisions",
                        Fate::Late => "late answers",
                        Fate::Failed | Fate::Full => "failed writes",
                        Fate::Lost => "lost answers",
                    });
                    self.server.let_in(*at, fate)
                }
                None => self.server.release(waiting[at - asking.len()]),
            };
            self.look(&went);
        }
        self.ground.witness.accuse("rest", "calls and loops go in circles");
    }

    /// Looks at what somebody did.
    fn look(&mut self, went: &Went) {
        let witness = self.ground.witness.clone();
        for (who, made) in &went.decided {
            laws::decided(who, made, &witness);
            if made.wrote {
                self.tell_stages(made);
                let late = self.chances.lateness(&mut self.dice);
                self.server.wake(late);
            }
            self.last = Arc::clone(&made.after);
        }
        if let Some(before) = &went.scaled {
            let after = self.server.store.state();
            laws::explained((before, &after), &self.server.decisions, &witness);
        }
        if let Some(answered) = &went.answered {
            laws::answered(answered, &witness);
            self.count(if answered.status == 200 { "calls accepted" } else { "calls refused" });
        }
    }

    /// Tells where updates have come to.
    fn tell_stages(&mut self, made: &gate::Made) {
        for (key, is) in &made.after.endpoints {
            let was = made.before.endpoints.get(key);
            if was.is_some_and(|was| Arc::ptr_eq(was, is)) {
                continue;
            }
            let at = is.rollout.as_ref().map(|rollout| &rollout.stage);
            self.ground.witness.tell(format_args!("{} is {:?} {at:?}", is.name, is.stage));
            match at {
                Some(rollout::Stage::Baking { .. }) => self.count("bakes"),
                Some(rollout::Stage::RollingBack { .. }) => self.count("rollbacks"),
                Some(rollout::Stage::Terminating { .. }) => self.count("batches"),
                _ => {}
            }
            if is.stage == domain::endpoint::Stage::UpdateRollbackFailed {
                self.count("rollbacks that failed");
            }
        }
    }

    /// Makes a call that is in flight from now on.
    fn call(&mut self, asked: Asked) -> Result<(), Fault> {
        self.ground.witness.tell(format_args!("{} {}", asked.operation, asked.input));
        if let Some(answered) = self.server.call(asked)? {
            laws::answered(&answered, &self.ground.witness);
        }
        Ok(())
    }

    /// The server ends at once, and another one starts on what it has kept.
    fn restart(&mut self, found_again: bool) -> Result<(), Fault> {
        let told = if found_again { "again, and finds its instances" } else { "again" };
        self.ground.witness.tell(format_args!("the server ends and starts {told}"));
        let driver = if found_again {
            Arc::clone(&self.server.machine.driver)
        } else {
            self.chances.driver(&self.ground)
        };
        self.requests.clear();
        self.load.measured();
        self.ground.clock.restart();
        let machine = Machine::new(&self.ground.clock, driver, &self.ground.witness);
        self.server = Server::start(&self.ground, machine)?;
        laws::remembered(&self.last, &self.server.store.state(), &self.ground.witness);
        self.last = self.server.store.state();
        Ok(())
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}
