//! Clients that ask the same question again and again while something happens, and count what does not come back right.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use wire::sagemaker_runtime::InvokeEndpointInput;

use crate::client::Client;
use crate::command::endpoint::invoke;

use super::tide::Forecast;

/// Clients at work at the same time.
pub(super) const CLIENTS: usize = 4;

/// The pace of each: together at most 200 requests a second, so that a small machine has time left to start servers.
const PACE: Duration = Duration::from_millis(20);

/// Latencies that are kept for the percentiles; at the pace above, over an hour's worth.
const LATENCIES_MAX: usize = 1_000_000;

/// Failures whose text is kept. The first tell what went wrong.
const FAILURES_SHOWN_MAX: usize = 5;

/// What the clients saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) failures: u64,
    pub(super) first_failures: Vec<String>,
    latencies: Vec<Duration>,
}

impl Tally {
    /// One request: the time its right answer took, or what went wrong.
    pub(super) fn count(&mut self, outcome: Result<Duration, String>) {
        self.requests += 1;
        match outcome {
            Ok(took) if self.latencies.len() < LATENCIES_MAX => self.latencies.push(took),
            Ok(_) => {}
            Err(problem) => {
                self.failures += 1;
                if self.first_failures.len() < FAILURES_SHOWN_MAX {
                    self.first_failures.push(problem);
                }
            }
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failures += other.failures;
        let room = FAILURES_SHOWN_MAX.saturating_sub(self.first_failures.len());
        self.first_failures.extend(other.first_failures.iter().take(room).cloned());
        let room = LATENCIES_MAX.saturating_sub(self.latencies.len());
        self.latencies.extend(other.latencies.iter().take(room));
    }

    /// The time within which this many of a hundred answers came (nearest rank).
    pub(super) fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied()
    }
}

/// Clients at work. Dropping it stops them where they are.
#[derive(Debug)]
pub(super) struct Load {
    clients: JoinSet<()>,
    stop: tokio::sync::watch::Sender<bool>,
    tally: Arc<Mutex<Tally>>,
}

impl Load {
    /// Starts asking `question`, to which `answer` is right.
    pub(super) fn start(
        client: &Arc<Client>,
        question: &InvokeEndpointInput,
        answer: &Forecast,
    ) -> Self {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let tally = Arc::new(Mutex::new(Tally::default()));
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (client, question, answer) = (Arc::clone(client), question.clone(), answer.clone());
            let (stopped, tally) = (stopped.clone(), Arc::clone(&tally));
            clients.spawn(async move {
                let mut pace = tokio::time::interval(PACE);
                pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
                while !*stopped.borrow() {
                    pace.tick().await;
                    let outcome = ask(&client, &question, &answer).await;
                    lock(&tally).count(outcome);
                }
            });
        }
        Self { clients, stop, tally }
    }

    /// What was counted since the last time this was asked.
    pub(super) fn take(&self) -> Tally {
        std::mem::take(&mut *lock(&self.tally))
    }

    /// Lets every client finish its request, and gives what was counted since [`Load::take`].
    pub(super) async fn finish(mut self) -> Tally {
        self.stop.send_replace(true);
        while let Some(ended) = self.clients.join_next().await {
            if let Err(error) = ended {
                lock(&self.tally).count(Err(format!("a client broke down: {error}")));
            }
        }
        self.take()
    }
}

/// One question, and whether its answer is right.
async fn ask(
    client: &Client,
    question: &InvokeEndpointInput,
    answer: &Forecast,
) -> Result<Duration, String> {
    let (output, took) = invoke(client, question).await.map_err(|error| error.to_string())?;
    let forecast = Forecast::read(&output)?;
    if forecast.agrees_with(answer) {
        Ok(took)
    } else {
        Err(format!("another answer than before: {forecast:?}"))
    }
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_answers_that_came() {
        let mut tally = Tally::default();
        assert_eq!(tally.percentile(50), None);
        for millis in (1..=200).rev() {
            tally.count(Ok(Duration::from_millis(millis)));
        }
        for (percent, millis) in [(0, 1), (1, 2), (50, 100), (99, 198), (100, 200)] {
            assert_eq!(tally.percentile(percent), Some(Duration::from_millis(millis)), "{percent}");
        }
    }

    #[test]
    fn failures_are_all_counted_and_the_first_are_told() {
        let (mut one, mut other) = (Tally::default(), Tally::default());
        for at in 0..4 {
            one.count(Err(format!("one {at}")));
            other.count(Err(format!("other {at}")));
            other.count(Ok(Duration::from_millis(1)));
        }
        one.add(&other);
        assert_eq!((one.requests, one.failures), (12, 8));
        assert_eq!(one.first_failures, ["one 0", "one 1", "one 2", "one 3", "other 0"]);
        assert_eq!(one.percentile(50), Some(Duration::from_millis(1)));
    }
}
