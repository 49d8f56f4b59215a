//! The record of a safe update as the journal of its run.

use std::sync::Arc;

use ::safe_update::Journal;
use domain::name::EndpointKey;
use domain::safe_update::Run;
use domain::time::Timestamp;
use store::record::SafeUpdate;
use store::{Changes, State, Store, Undecided, decide};

use super::doing::Doing;

/// One turn of a safe update. It may keep something as long as it is the present one.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) store: Arc<dyn Store>,
    pub(super) doing: Arc<Doing>,
    pub(super) endpoint: EndpointKey,
    pub(super) number: u64,
}

impl Journal for Turn {
    async fn keep(&mut self, run: &Run) -> Result<(), String> {
        let run = run.clone();
        self.change(move |update| SafeUpdate { run, ..update.clone() }).await
    }

    fn tell(&mut self, line: &str) {
        tracing::info!(endpoint = self.endpoint.as_str(), line, "a safe update goes on");
        self.doing.tell(&self.endpoint, line);
    }
}

impl Turn {
    /// Leaves the safe update to somebody who resumes or undoes it, and says why.
    pub(super) async fn pause(&self, why: String, now: Timestamp) -> Result<(), String> {
        self.change(move |update| SafeUpdate {
            run: update.run.paused(&why, now),
            paused: true,
            ..update.clone()
        })
        .await
    }

    async fn change(
        &self,
        change: impl FnOnce(&SafeUpdate) -> SafeUpdate + Send + 'static,
    ) -> Result<(), String> {
        let (endpoint, number) = (self.endpoint.clone(), self.number);
        let kept = decide(&*self.store, move |state: &State| {
            let update = state.safe_updates.get(&endpoint);
            match update.filter(|update| update.turn == number && update.is_running()) {
                Some(update) => Ok((Changes::none().put(change(update)), ())),
                None => Err("somebody else has taken it over, or the endpoint is gone"),
            }
        });
        kept.await.map_err(|why| match why {
            Undecided::Refused(why) => why.to_owned(),
            Undecided::Store(why) => why.to_string(),
        })
    }
}
