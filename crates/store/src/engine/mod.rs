//! The single writer: runs decisions in order, shares commits between those that wait together, publishes the result.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use crate::record::Row;
use crate::state::{Changes, State};
use crate::{Decision, Error};

/// Decisions that may wait for the writer; those beyond it wait to be let in.
const QUEUE_MAX: usize = 1024;

/// Decisions that share one commit: enough that one sync serves a burst, few enough that the first is not kept waiting.
const BATCH_MAX: usize = 256;

/// Between two tries to settle what a failing disk has left. Decisions wait that long at most.
const SETTLE_PAUSE: Duration = Duration::from_millis(50);

/// Takes a row that is kept: kind, version, body.
pub(crate) type TakeRow<'a> = dyn FnMut(&str, u32, &[u8]) -> Result<(), Error> + 'a;

/// Where rows are kept for good.
pub(crate) trait Journal: Send + 'static {
    /// Hands over every row that is kept.
    fn load(&mut self, each: &mut TakeRow<'_>) -> Result<(), Error>;

    /// Keeps all rows or none, and returns when they are safe. After an error the next start may find them all the same,
    /// until something has been kept since.
    fn commit(&mut self, rows: &[Row]) -> Result<(), Error>;

    /// Keeps nothing new, but makes sure that the next start does not find what failed.
    fn settle(&mut self) -> Result<(), Error>;
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
    let mut settled = true;
    while let Some(first) = next(&mut jobs, &mut journal, &mut settled) {
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
            Ok(()) => {
                settled |= !rows.is_empty();
                published.store(Arc::new(head));
            }
            Err(why) => {
                tracing::error!(%why, "a commit failed; none of its decisions counts");
                settled = journal.settle().is_ok();
            }
        }
        for (answer, verdict) in answers {
            // Nobody waits any more for an answer that cannot be delivered.
            drop(answer.send(verdict.and_then(|()| kept.clone())));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the writer's thread is its own, and no runtime is on it"
)]
fn pause() {
    std::thread::sleep(SETTLE_PAUSE);
}

/// The next job. While what failed is not settled, that is tried again whenever there is none.
fn next(
    jobs: &mut mpsc::Receiver<Job>,
    journal: &mut impl Journal,
    settled: &mut bool,
) -> Option<Job> {
    while !*settled {
        match jobs.try_recv() {
            Ok(job) => return Some(job),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {
                pause();
                *settled = journal.settle().is_ok();
            }
        }
    }
    jobs.blocking_recv()
}

/// A decision that panics must not take the writer with it: it alone fails, and changes nothing.
pub(crate) fn run(decision: Decision, state: &State) -> Result<Changes, Error> {
    catch_unwind(AssertUnwindSafe(|| decision(state)))
        .map_err(|_| Error::Commit("the decision panicked".into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use domain::time::Timestamp;

    use super::*;

    /// What a journal is to fail at, and what it was told.
    #[derive(Debug, Default)]
    struct Told {
        failing: usize,
        calls: Vec<&'static str>,
    }

    struct Failing(Arc<Mutex<Told>>);

    impl Failing {
        fn call(&self, what: &'static str) -> Result<(), Error> {
            let mut told = self.0.lock().unwrap();
            told.calls.push(what);
            if told.failing == 0 {
                return Ok(());
            }
            told.failing -= 1;
            Err(Error::Disk("no sync".into()))
        }
    }

    impl Journal for Failing {
        fn load(&mut self, _: &mut TakeRow<'_>) -> Result<(), Error> {
            Ok(())
        }

        fn commit(&mut self, _: &[Row]) -> Result<(), Error> {
            self.call("commit")
        }

        fn settle(&mut self) -> Result<(), Error> {
            self.call("settle")
        }
    }

    async fn set(engine: &Engine, millis: i64) -> Result<(), Error> {
        let at = Timestamp::from_millis(millis);
        engine.submit(Box::new(move |_| Changes::none().keep_time(at))).await
    }

    #[tokio::test]
    async fn what_failed_is_settled_as_soon_as_the_disk_takes_something() {
        // The commit fails, and so does settling, twice.
        let told = Arc::new(Mutex::new(Told { failing: 3, calls: Vec::new() }));
        let engine = Engine::start(Failing(Arc::clone(&told))).unwrap();
        assert!(set(&engine, 1).await.is_err());
        assert_eq!(engine.state().server_time(), None, "nothing of it counts");
        let calls = || told.lock().unwrap().calls.clone();
        let until = tokio::time::Instant::now() + Duration::from_secs(30);
        while calls().len() < 4 {
            assert!(tokio::time::Instant::now() < until, "it gives up: {:?}", calls());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        set(&engine, 2).await.unwrap();
        assert_eq!(calls(), ["commit", "settle", "settle", "settle", "commit"]);
        assert_eq!(engine.state().server_time(), Some(Timestamp::from_millis(2)));
    }
}
