//! The writer's thread, and the bounded queue before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::{Job, Writer};
use crate::Error;
use crate::sample::Sample;

/// Messages that may wait: a minute's worth of a machine with sixteen gateway threads. Puts beyond it wait to be let in;
/// what nobody waits for is lost.
const QUEUE_MAX: usize = 1024;

/// Messages that share one commit: enough that one sync serves a burst, few enough that the first is not kept waiting.
const BATCH_MAX: usize = 256;

/// How long what nobody waits for may stay unwritten: half of what may be lost (promise T2).
const FLUSH_AFTER: Duration = Duration::from_secs(5);

/// Between two steps of sweeping: often enough for rows that live three hours, at sixty times the speed too.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// Between two complaints about losses.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

type Answer = oneshot::Sender<Result<(), Error>>;

#[derive(Debug)]
enum Message {
    Put(Vec<Sample>, Answer),
    Flush(Answer),
    Job(Job),
}

/// Dropping it ends the thread, after what waits is written.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: Option<mpsc::Sender<Message>>,
    thread: Option<JoinHandle<()>>,
    lost: Arc<AtomicU64>,
}

impl Queue {
    pub(crate) fn start(writer: Writer) -> Result<Self, Error> {
        let unstartable = |why: std::io::Error| {
            Error::Read(format!("the writer's thread cannot be started: {why}"))
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(unstartable)?;
        let (sender, messages) = mpsc::channel(QUEUE_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        let thread = std::thread::Builder::new()
            .name("metrics".into())
            .spawn(move || runtime.block_on(run(writer, messages, &counted)))
            .map_err(unstartable)?;
        Ok(Self { sender: Some(sender), thread: Some(thread), lost })
    }

    pub(crate) async fn put(&self, samples: Vec<Sample>) -> Result<(), Error> {
        self.ask(|answer| Message::Put(samples, answer)).await
    }

    pub(crate) async fn flush(&self) -> Result<(), Error> {
        self.ask(Message::Flush).await
    }

    async fn ask(&self, message: impl FnOnce(Answer) -> Message) -> Result<(), Error> {
        let sender = self.sender.as_ref().ok_or(Error::Stopped)?;
        let (answer, told) = oneshot::channel();
        sender.send(message(answer)).await.map_err(|_| Error::Stopped)?;
        told.await.map_err(|_| Error::Stopped)?
    }

    pub(crate) fn offer(&self, job: Job) {
        let taken =
            self.sender.as_ref().is_some_and(|queue| queue.try_send(Message::Job(job)).is_ok());
        if !taken {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has told so already; there is nothing left to save.
            drop(thread.join());
        }
    }
}

async fn run(mut writer: Writer, mut messages: mpsc::Receiver<Message>, lost: &AtomicU64) {
    let start = Instant::now();
    let (mut flush_at, mut sweep_at, mut complain_at) = (None, start + SWEEP_EVERY, start);
    let mut complained = 0;
    loop {
        let wake = flush_at.unwrap_or(sweep_at).min(sweep_at);
        match timeout_at(wake, messages.recv()).await {
            Ok(None) => break,
            Ok(Some(first)) => handle(&mut writer, first, &mut messages),
            Err(_) => {}
        }
        let now = Instant::now();
        if flush_at.is_some_and(|at| at <= now) {
            if let Err(why) = writer.flush() {
                tracing::error!(%why, "metrics cannot be written; they stay in memory for now");
            }
            // Where it failed, the next try is as far away as this one was.
            flush_at = None;
        }
        if sweep_at <= now {
            writer.sweep();
            sweep_at = now + SWEEP_EVERY;
        }
        flush_at = flush_at.filter(|_| writer.is_dirty());
        if writer.is_dirty() {
            flush_at = flush_at.or(Some(now + FLUSH_AFTER));
        }
        let all = lost.load(Ordering::Relaxed);
        if all > complained && complain_at <= now {
            tracing::warn!(
                batches = all - complained,
                "measurements came faster than they can be kept; some are lost"
            );
            (complained, complain_at) = (all, now + COMPLAIN_EVERY);
        }
    }
    if let Err(why) = writer.flush() {
        tracing::error!(%why, "the last metrics cannot be written");
    }
}

/// A message and those that wait behind it: what nobody waits for first, so that a flush covers it.
fn handle(writer: &mut Writer, first: Message, messages: &mut mpsc::Receiver<Message>) {
    let (mut jobs, mut puts, mut answers, mut flushes) = (vec![], vec![], vec![], vec![]);
    let waiting = std::iter::from_fn(|| messages.try_recv().ok()).take(BATCH_MAX - 1);
    for message in std::iter::once(first).chain(waiting) {
        match message {
            Message::Job(job) => jobs.push(job),
            Message::Put(samples, answer) => {
                puts.push(samples);
                answers.push(answer);
            }
            Message::Flush(answer) => flushes.push(answer),
        }
    }
    if !jobs.is_empty() {
        writer.take(jobs);
    }
    if !puts.is_empty() {
        for (answer, verdict) in answers.into_iter().zip(writer.put(puts)) {
            // Nobody waits any more for an answer that cannot be delivered.
            drop(answer.send(verdict));
        }
    }
    if !flushes.is_empty() {
        let verdict = writer.flush();
        for answer in flushes {
            drop(answer.send(verdict.clone()));
        }
    }
}
