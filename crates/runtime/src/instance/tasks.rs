//! The only place that spawns: tasks have a name, a bound, and an end that can be waited for.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// No further task may run: the bound is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{most} {name} run already")]
pub(crate) struct Full {
    pub(crate) name: &'static str,
    pub(crate) most: usize,
}

/// Tasks of one kind.
#[derive(Debug)]
pub(crate) struct Tasks {
    name: &'static str,
    most: usize,
    tracker: TaskTracker,
    handle: Handle,
}

impl Tasks {
    /// At most `most` tasks at once, on the runtime of `handle`.
    pub(crate) fn new(name: &'static str, most: usize, handle: Handle) -> Self {
        let tracker = TaskTracker::new();
        tracker.close(); // it only means that `ended` may return once none is left
        Self { name, most, tracker, handle }
    }

    /// Runs `work` until it ends; dropping the handle does not end it.
    pub(crate) fn spawn<F>(&self, of: &str, work: F) -> Result<JoinHandle<F::Output>, Full>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        if self.tracker.len() >= self.most {
            return Err(Full { name: self.name, most: self.most });
        }
        let span = tracing::info_span!("task", kind = self.name, of);
        Ok(self.tracker.spawn_on(work.instrument(span), &self.handle))
    }

    /// Waits until no task is left.
    pub(crate) async fn ended(&self) {
        self.tracker.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn beyond_the_bound_nothing_is_spawned_until_one_has_ended() {
        let tasks = Tasks::new("probes", 1, Handle::current());
        let (open, gate) = tokio::sync::oneshot::channel::<()>();
        let first = tasks.spawn("a", gate).unwrap();
        assert_eq!(tasks.spawn("b", async {}).unwrap_err(), Full { name: "probes", most: 1 });
        open.send(()).unwrap();
        first.await.unwrap().unwrap();
        tasks.ended().await;
        tasks.spawn("c", async {}).unwrap().await.unwrap();
    }
}
