//! The loop: a task for every safe update that is to be carried on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::safe_update::{Stopped, carry_on};
use api::{Lend, Local};
use domain::name::EndpointKey;
use domain::safe_update::Run;
use store::record::SafeUpdate;
use store::{State, Store};
use tokio::sync::Notify;
use tokio::task::{self, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::doing::Doing;
use super::journal::Turn;
use super::lent::{Lent, Rights};

/// Safe updates that are carried out at once; others wait for one of them to end. Each looks at its endpoint again and
/// again: more would take the processor from requests.
const AT_ONCE_MAX: usize = 32;

/// How long one waits that came to nothing and could not even be left to somebody: the disk is full, say.
const REST: Duration = Duration::from_secs(10);

/// Wakes the loop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bell(Arc<Notify>);

impl Bell {
    pub(crate) fn ring(&self) {
        self.0.notify_one();
    }
}

/// What safe updates are carried out with.
#[derive(Debug, Clone)]
pub(crate) struct Means {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) rights: Rights,
    pub(crate) doing: Arc<Doing>,
}

struct Driver {
    means: Means,
    tasks: JoinSet<()>,
    under_way: BTreeMap<EndpointKey, UnderWay>,
}

/// A safe update that has a task.
struct UnderWay {
    turn: Turn,
    task: task::Id,
    stop: CancellationToken,
}

/// Carries out what is recorded, until `stop`. What is under way then goes on with the next start of the server.
pub(crate) async fn drive(means: Means, bell: Bell, stop: CancellationToken) {
    let mut driver = Driver { means, tasks: JoinSet::new(), under_way: BTreeMap::new() };
    while !stop.is_cancelled() {
        let state = driver.means.store.state();
        driver.stop_superseded(&state);
        driver.start_due(&state);
        drop(state);
        tokio::select! {
            () = stop.cancelled() => {}
            () = bell.0.notified() => {}
            Some(ended) = driver.tasks.join_next_with_id() => driver.ended(ended).await,
        }
    }
    driver.tasks.shutdown().await;
}

impl Driver {
    /// Ends the tasks of turns that are not the present ones any more. A new turn begins when the old one's task is gone.
    fn stop_superseded(&self, state: &State) {
        for (key, one) in &self.under_way {
            let present = state.safe_updates.get(key);
            if !present.is_some_and(|update| update.is_running() && update.turn == one.turn.number)
            {
                one.stop.cancel();
            }
        }
    }

    fn start_due(&mut self, state: &State) {
        let due = state.safe_updates.iter().filter(|(_, update)| update.is_running());
        for (key, update) in due {
            if self.under_way.len() >= AT_ONCE_MAX {
                return;
            }
            if !self.under_way.contains_key(key) {
                self.start(key, update);
            }
        }
    }

    fn start(&mut self, key: &EndpointKey, update: &SafeUpdate) {
        let turn = Turn {
            store: Arc::clone(&self.means.store),
            doing: Arc::clone(&self.means.doing),
            endpoint: key.clone(),
            number: update.turn,
        };
        let lent = Lent { rights: self.means.rights.clone(), lender: update.lender.clone() };
        let stop = CancellationToken::new();
        let carried = carried(Local(lent), turn.clone(), update.run.clone());
        let stopped = stop.clone();
        let task = self.tasks.spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = carried => {}
            }
        });
        self.under_way.insert(key.clone(), UnderWay { turn, task: task.id(), stop });
    }

    async fn ended(&mut self, ended: Result<(task::Id, ()), JoinError>) {
        let (id, fault) = match ended {
            Ok((id, ())) => (id, None),
            Err(why) => (why.id(), Some(why)),
        };
        let found = self.under_way.extract_if(.., |_, one| one.task == id).next();
        let Some((key, UnderWay { turn, .. })) = found else { return };
        self.means.doing.forget(&key);
        if let Some(why) = fault {
            tracing::error!(endpoint = key.as_str(), %why, "the task of a safe update ended badly");
            let why = "The server met a fault of its own; its log says more.".to_owned();
            if turn.pause(why, self.means.rights.clock.now()).await.is_err() {
                // It is still recorded as running and is tried again, but not at once.
                let task = self.tasks.spawn(tokio::time::sleep(REST)).id();
                let stop = CancellationToken::new();
                self.under_way.insert(key, UnderWay { turn, task, stop });
            }
        }
    }
}

/// Carries one turn on until it has ended or stands still.
async fn carried(remote: Local<Lent>, mut turn: Turn, run: Run) {
    let carried = Box::pin(carry_on(&remote, &mut turn, run)).await;
    let endpoint = turn.endpoint.as_str();
    match carried {
        Ok(outcome) => tracing::info!(endpoint, ?outcome, "a safe update has ended"),
        Err(Stopped(why)) => {
            tracing::warn!(endpoint, why, "a safe update stands still");
            if let Err(not_kept) = turn.pause(why, remote.0.now()).await {
                tracing::warn!(
                    endpoint,
                    not_kept,
                    "it cannot be kept that a safe update stands still"
                );
                tokio::time::sleep(REST).await;
            }
        }
    }
}
