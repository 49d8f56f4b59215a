//! The single writer: runs decisions in order, shares commits between those that wait together, publishes the result.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, oneshot};

use crate::record::Row;
use crate::state::{Changes, State};
use crate::{Decision, Error};

/// Decisions that may wait for the writer; those beyond it wait to be let in.
const QUEUE_MAX: usize = 1024;

/// Decisions that share one commit: enough that one sync serves a burst, few enough that the first is not kept waiting.
const BATCH_MAX: usize = 256;

/// Takes a row that is kept: kind, version, body.
pub(crate) type TakeRow<'a> = dyn FnMut(&str, u32, &[u8]) -> Result<(), Error> + 'a;

/// Where rows are kept for good.
pub(crate) trait Journal: Send + 'static {
    /// Hands over every row that is kept.
    fn load(&mut self, each: &mut TakeRow<'_>) -> Result<(), Error>;

    /// Keeps all rows or none, and returns when they are safe.
    fn commit(&mut self, rows: &[Row]) -> Result<(), Error>;
}

struct Job {
    decision: Decision,
    answer: oneshot::Sender<Result<(), Error>>,
}

/// A store over a journal. Dropping it ends the writer after the decisions that wait.
#[derive(Debug)]
pub(crate) struct Engine {
    published: Arc<ArcSwap<State>>,
    queue: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl Engine {
    pub(crate) fn start(mut journal: impl Journal) -> Result<Self, Error> {
        let mut state = State::default();
        journal.load(&mut |kind, version, body| {
            crate::record::load(&mut state, kind, version, body)
        })?;
        let published = Arc::new(ArcSwap::from_pointee(state));
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let image = Arc::clone(&published);
        let writer = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || write(journal, jobs, &image))
            .map_err(|why| Error::Read(format!("the writer's thread cannot be started: {why}")))?;
        Ok(Self { published, queue: Some(queue), writer: Some(writer) })
    }

    pub(crate) fn state(&self) -> Arc<State> {
        self.published.load_full()
    }

    pub(crate) fn submit(
        &self,
        decision: Decision,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        Box::pin(async move {
            let queue = self.queue.as_ref().ok_or(Error::Stopped)?;
            let (answer, told) = oneshot::channel();
            queue.send(Job { decision, answer }).await.map_err(|_| Error::Stopped)?;
            told.await.map_err(|_| Error::Stopped)?
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has told so already; there is nothing left to save.
            drop(writer.join());
        }
    }
}

fn write(mut journal: impl Journal, mut jobs: mpsc::Receiver<Job>, published: &ArcSwap<State>) {
    while let Some(first) = jobs.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH_MAX {
            let Ok(next) = jobs.try_recv() else { break };
            batch.push(next);
        }
        let mut head = State::clone(&published.load());
        let mut rows = Vec::new();
        let mut answers = Vec::with_capacity(batch.len());
        for Job { decision, answer } in batch {
            let verdict = run(decision, &head).and_then(|changes| {
                rows.extend(changes.rows().map_err(|why| Error::Commit(why.to_string()))?);
                changes.apply(&mut head);
                Ok(())
            });
            answers.push((answer, verdict));
        }
        let kept = if rows.is_empty() { Ok(()) } else { journal.commit(&rows) };
        match &kept {
            Ok(()) => published.store(Arc::new(head)),
            Err(why) => tracing::error!(%why, "a commit failed; none of its decisions counts"),
        }
        for (answer, verdict) in answers {
            // Nobody waits any more for an answer that cannot be delivered.
            drop(answer.send(verdict.and_then(|()| kept.clone())));
        }
    }
}

/// A decision that panics must not take the writer with it: it alone fails, and changes nothing.
pub(crate) fn run(decision: Decision, state: &State) -> Result<Changes, Error> {
    catch_unwind(AssertUnwindSafe(|| decision(state)))
        .map_err(|_| Error::Commit("the decision panicked".into()))
}
