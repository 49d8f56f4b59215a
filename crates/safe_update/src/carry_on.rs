//! The loop: look, decide, do one thing, and look again.
//!
//! The run is kept before anything that its change stands for is done. An order whose answer is lost is not repeated here:
//! the next look tells whether it was carried out.

use std::time::Duration;

use domain::safe_update::{Next, Order, Outcome, Phase, Reaction, Run, Seen};

use crate::ask::{Patience, call};
use crate::{Fault, Journal, Remote, Stopped, call, observe, say};

/// Looks of one run. A target has at most fifty policies and two hundred scheduled actions, and an endpoint ten variants;
/// waits count too, and an hour of them is some seven hundred looks.
const LOOKS_MAX: u32 = 50_000;

/// How long a run waits for its endpoint beside the time that its deployment may take, in wall time: longer than SageMaker's
/// longest update, eight hours
/// (`reference/sagemaker-hosting.md`, section 4).
const WAIT_MAX: Duration = Duration::from_hours(9);

/// The first pause while the endpoint moves, in wall time.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// The longest pause while the endpoint moves, in wall time.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How often the same order is given again although it was accepted. Descriptions may lag behind for some seconds; what
/// a server accepts and never shows is for somebody to look at.
const REPEATS_MAX: u32 = 8;

/// Carries a run on until it has ended or needs somebody.
///
/// It is kept first, so that it is in the journal before the first call that changes something. A run that turns round by
/// itself ends with the other outcome than it was begun for; `Run::problem` says why.
///
/// # Errors
/// Why it stands still. The journal says the same.
pub async fn carry_on(
    remote: &impl Remote,
    journal: &mut impl Journal,
    run: Run,
) -> Result<Outcome, Stopped> {
    let mut walk = Walk {
        remote,
        journal,
        run,
        patience: Patience::new(),
        waited: Wait::new(),
        last: None,
        repeats: 0,
        told: String::new(),
    };
    if !matches!(walk.run.phase, Phase::Ended(_)) {
        walk.keep(walk.run.clone()).await?;
    }
    let while_it_bakes = walk.run.deployment_time().as_secs() / PAUSE_MAX.as_secs();
    let looks_max = u64::from(LOOKS_MAX) + while_it_bakes;
    for _ in 0..looks_max {
        if let Some(outcome) = walk.step().await? {
            return Ok(outcome);
        }
    }
    walk.stop(format!("{looks_max} looks have not brought it to an end")).await
}

struct Walk<'a, R, J> {
    remote: &'a R,
    journal: &'a mut J,
    run: Run,
    /// With an order that cannot be brought through.
    patience: Patience,
    waited: Wait,
    /// The order that was accepted last, and how often again.
    last: Option<Order>,
    repeats: u32,
    told: String,
}

/// How long the endpoint has been moving.
#[derive(Debug, Clone, Copy)]
struct Wait {
    spent: Duration,
    next: Duration,
}

impl Wait {
    const fn new() -> Self {
        Self { spent: Duration::ZERO, next: PAUSE_MIN }
    }
}

impl<R: Remote, J: Journal> Walk<'_, R, J> {
    async fn step(&mut self) -> Result<Option<Outcome>, Stopped> {
        if let Phase::Ended(outcome) = self.run.phase {
            return Ok(Some(outcome));
        }
        let seen = match observe::observe(self.remote, &self.run).await {
            Ok(seen) => seen,
            Err(fault) => {
                return self.stop(format!("it cannot be seen what is there: {fault}")).await;
            }
        };
        match self.run.next(&seen) {
            Next::Done(outcome) => return Ok(Some(outcome)),
            Next::Pause(why) => return self.stop(why).await,
            Next::Keep(run) => self.change(*run).await?,
            Next::Wait(what) => self.wait(&what).await?,
            Next::Do(order) => self.give(&seen, order).await?,
        }
        Ok(None)
    }

    async fn wait(&mut self, what: &str) -> Result<(), Stopped> {
        self.tell(say::wait(&self.run, what));
        if self.waited.spent >= WAIT_MAX + self.run.deployment_time() {
            return self.stop(format!("it has waited for too long: {what}")).await;
        }
        self.remote.pause(self.waited.next).await;
        self.waited.spent += self.waited.next;
        self.waited.next = (self.waited.next * 3 / 2).min(PAUSE_MAX);
        self.patience = Patience::new();
        Ok(())
    }

    async fn give(&mut self, seen: &Seen, order: Order) -> Result<(), Stopped> {
        self.waited = Wait::new();
        if self.last.as_ref() == Some(&order) {
            self.repeats += 1;
            if self.repeats > REPEATS_MAX {
                let what = order.operation();
                return self
                    .stop(format!("the server accepts {what} again and again, but shows no change"))
                    .await;
            }
            if !self.patience.wait(self.remote).await {
                return self.stop(format!("{} changes nothing", order.operation())).await;
            }
        }
        self.tell(say::order(&self.run, seen, &order));
        let (service, input) = call::written(&order, &self.run.facts.endpoint);
        match call(self.remote, service, order.operation(), &input).await {
            Ok(_) => self.accepted(order).await,
            Err(fault) => self.failed(&order, fault).await,
        }
    }

    async fn accepted(&mut self, order: Order) -> Result<(), Stopped> {
        if self.last.as_ref() != Some(&order) {
            self.repeats = 0;
            self.patience = Patience::new();
        }
        let now = self.remote.now().await;
        let run = self.run.accepted(&order, now);
        self.last = Some(order);
        match run {
            Some(run) => self.keep(run).await,
            None => Ok(()),
        }
    }

    async fn failed(&mut self, order: &Order, fault: Fault) -> Result<(), Stopped> {
        let reaction = match fault.refused() {
            Some(refused) => self.run.refused(order, refused, self.remote.now().await),
            None => Reaction::TryAgain,
        };
        match reaction {
            Reaction::TryAgain => {
                let what = format!("{} does not get through: {fault}", order.operation());
                self.tell(say::wait(&self.run, &what));
                if self.patience.wait(self.remote).await { Ok(()) } else { self.stop(what).await }
            }
            Reaction::Keep(run) => self.change(*run).await,
            Reaction::Pause(why) => self.stop(why).await,
        }
    }

    /// The run goes on as another one, which is kept first.
    async fn change(&mut self, run: Run) -> Result<(), Stopped> {
        self.waited = Wait::new();
        self.patience = Patience::new();
        self.last = None;
        if let Some(why) = run.problem.as_ref().filter(|_| run.goal != self.run.goal) {
            self.tell(format!("turns round: {why}"));
        }
        self.keep(run).await
    }

    async fn keep(&mut self, run: Run) -> Result<(), Stopped> {
        self.run = run;
        let kept = self.journal.keep(&self.run).await;
        kept.map_err(|why| Stopped(format!("the journal cannot be kept: {why}")))
    }

    fn tell(&mut self, line: String) {
        if self.told != line {
            self.journal.tell(&line);
            self.told = line;
        }
    }

    async fn stop<T>(&mut self, why: String) -> Result<T, Stopped> {
        let now = self.remote.now().await;
        let run = self.run.paused(&why, now);
        self.keep(run).await?;
        Err(Stopped(why))
    }
}
