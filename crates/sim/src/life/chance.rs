//! How likely things are at the moment: quiet times change with bad ones, so that there is progress to be disturbed.

use std::sync::Arc;
use std::time::Duration;

use domain::time::Clock;
use runtime::driver::Driver;
use runtime::fake::{Behaviour, FakeDriver};

use super::Life;
use super::dice::Dice;
use super::gate::Fate;
use super::server::Ground;
use super::setting;
use crate::Fault;

/// Calls of clients that may be in flight at once.
const CLIENTS_MAX: usize = 4;

/// What may go wrong now, in percent.
#[derive(Debug, Clone)]
pub(super) struct Chances {
    failed: u32,
    lost: u32,
    late: u32,
    /// That nobody has a turn although somebody asks for one.
    held_up: u32,
    /// The most that a loop may sleep on after something has happened, in milliseconds.
    lateness: u64,
    /// How instances of the image `fickle` behave that are started now.
    fickle: Behaviour,
}

impl Default for Chances {
    fn default() -> Self {
        Self { failed: 0, lost: 0, late: 0, held_up: 0, lateness: 0, fickle: setting::good() }
    }
}

impl Chances {
    pub(super) fn fate(&self, dice: &mut Dice) -> Fate {
        let drawn = dice.below(100);
        let kinds = [self.failed, self.lost, self.late];
        let [failed, lost, late] = kinds.map(|percent| percent as usize);
        match drawn {
            _ if drawn < failed => dice.pick([Fate::Failed, Fate::Full]),
            _ if drawn < failed + lost => Fate::Lost,
            _ if drawn < failed + lost + late => Fate::Late,
            _ => Fate::Kept,
        }
    }

    pub(super) fn hold_up(&self, dice: &mut Dice) -> bool {
        self.held_up > 0 && dice.percent(self.held_up)
    }

    pub(super) fn lateness(&self, dice: &mut Dice) -> Duration {
        if self.lateness == 0 { Duration::ZERO } else { dice.millis(0, self.lateness) }
    }

    /// A driver that runs nothing yet.
    pub(super) fn driver(&self, ground: &Ground) -> Arc<FakeDriver> {
        let driver = Arc::new(FakeDriver::new(Arc::clone(&ground.clock) as _));
        driver.script_image("good", setting::good());
        driver.script_image("fickle", self.fickle.clone());
        driver
    }

    fn draw(dice: &mut Dice) -> Self {
        let bad = dice.percent(60);
        let mut some = |most: i64| {
            let drawn = if bad { dice.number(0, most) } else { 0 };
            u32::try_from(drawn).unwrap_or(0)
        };
        let (failed, lost, late, held_up) = (some(25), some(15), some(20), some(30));
        Self {
            failed,
            lost,
            late,
            held_up,
            lateness: dice.pick([0, 0, 1000, 1000, 5000]),
            fickle: setting::fickle(dice),
        }
    }
}

impl Life {
    /// Something happens, and some time passes.
    pub(super) fn step(&mut self) -> Result<(), Fault> {
        match self.dice.below(100) {
            0..=54 if self.server.clients() < CLIENTS_MAX => {
                let asked = self.draw();
                self.call(asked)?;
                // Others may call before the first of them has come anywhere.
                if self.dice.percent(35) {
                    return Ok(());
                }
            }
            55..=66 => self.begin_request(),
            67..=73 => self.send(),
            74..=79 => self.break_one(),
            80..=84 => {
                // In the middle of whatever is in flight.
                let found_again = self.dice.percent(30);
                self.count("restarts");
                self.restart(found_again)?;
            }
            85..=90 => {
                self.chances = Chances::draw(&mut self.dice);
                let shown = &self.chances;
                self.ground.witness.tell(format_args!("from now on {shown:?}"));
                let fickle = shown.fickle.clone();
                self.server.machine.driver.script_image("fickle", fickle);
            }
            91..=93 => self.jump(),
            _ => {}
        }
        let span = match self.dice.below(60) {
            0 => self.dice.millis(90_000, 300_000),
            1..=14 => self.dice.millis(5000, 60_000),
            15..=49 => self.dice.millis(0, 5000),
            _ => Duration::ZERO,
        };
        self.advance(span);
        Ok(())
    }

    fn begin_request(&mut self) {
        let endpoint = self.dice.pick(super::acts::ENDPOINTS);
        let Ok(endpoint) = endpoint.parse() else { return };
        let Some(id) = self.server.machine.traffic.begin(&endpoint) else { return };
        let until = self.ground.clock.now().plus(self.dice.millis(10, 60_000));
        self.count("requests");
        self.ground.witness.tell(format_args!("a request to {id} until {until:?}"));
        self.requests.push((id, until));
    }

    /// An instance ends by itself, or answers no more.
    fn break_one(&mut self) {
        let ready = self.server.machine.driver.observe();
        let ready: Vec<_> = ready.into_iter().filter(|one| one.phase.is_alive()).collect();
        let at = self.dice.below(ready.len());
        let Some(one) = ready.into_iter().nth(at) else { return };
        let crashes = self.dice.percent(60);
        self.count(if crashes { "crashes" } else { "hangs" });
        let how = if crashes { "crashes" } else { "hangs" };
        self.ground.witness.tell(format_args!("{} {how}", one.id));
        if crashes {
            self.server.machine.driver.crash(&one.id, "signal 9");
        } else {
            self.server.machine.driver.hang(&one.id);
        }
        let lost = self.requests.extract_if(.., |(id, _)| *id == one.id);
        for (id, _) in lost.collect::<Vec<_>>() {
            self.server.machine.traffic.end(&id);
        }
        let late = self.chances.lateness(&mut self.dice);
        self.server.wake(late);
    }

    /// The machine's time of day is set, on or back.
    fn jump(&mut self) {
        let by = self.dice.pick([-3_600_000, -61_000, -2_000, 3_000, 61_000, 7_200_000]);
        self.count("clock jumps");
        self.ground.witness.tell(format_args!("the wall's time is set by {by} ms"));
        self.ground.clock.set_wall(by);
        self.server.wake(Duration::ZERO);
    }

    /// Nothing fails any more, and nobody wants anything: what is in flight comes to its end.
    pub(super) fn calm(&mut self) -> Result<(), Fault> {
        self.ground.witness.tell(format_args!("from now on all is well"));
        self.chances = Chances::default();
        self.server.machine.driver.script_image("fickle", setting::good());
        for endpoint in super::acts::ENDPOINTS {
            for variant in super::acts::VARIANTS {
                if let (Ok(endpoint), Ok(variant)) = (endpoint.parse(), variant.parse()) {
                    self.load.set(endpoint, variant, 0, Duration::ZERO);
                }
                let action = serde_json::json!({"ScheduledActionName": "s"});
                let asked = self.of_target("DeleteScheduledAction", (endpoint, variant), &action);
                self.call(asked)?;
            }
        }
        self.turns();
        Ok(())
    }
}
