//! Metrics as CloudWatch keeps them: samples in, datapoints out.
//!
//! What alarms look at is in memory, and all of it in one SQLite database, whose rows are rolled up as they age
//! (`reference/autoscaling-and-cloudwatch.md`, section 6.2). One thread writes; readers share a lock that it holds only
//! to put finished buckets in place. Nothing here judges a value: that is `domain`'s, and the texts of refusals are `api`'s.

mod disk;
mod memory;
pub mod metric_definitions;
mod read;
mod sample;
mod sink;
#[cfg(test)]
mod suite;
mod tier;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use domain::time::{Clock, Timestamp};

pub use read::{Bucket, Data, DataError, Filter, Message, Order, SeriesHandle};
pub use sample::{Resolution, Sample, SeriesKey};

use disk::Disk;
use memory::Memory;
use writer::{Job, Queue, Writer};

/// Metrics that are kept. Samples of new ones beyond it are refused: only dimensions that never repeat make so many,
/// and each takes some hundred bytes of memory.
pub const METRICS_MAX: usize = 1_000_000;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing of what was to be written is.
    #[error("the disk is full")]
    Full,
    #[error("there are {METRICS_MAX} metrics already")]
    TooManyMetrics,
    #[error("metrics cannot be read: {0}")]
    Read(String),
    #[error("metrics cannot be written: {0}")]
    Write(String),
    #[error("the writer of metrics has stopped")]
    Stopped,
}

/// Every series of one server. Reads may go to the disk: call them by `spawn_blocking`, but for
/// [`points_of`](Metrics::points_of) within the last half hour, which only looks into memory.
pub struct Metrics {
    memory: Arc<RwLock<Memory>>,
    disk: Arc<Disk>,
    clock: Arc<dyn Clock>,
    path: WritePath,
}

/// How samples come to the writer.
#[derive(Debug)]
enum WritePath {
    /// By a queue, to its thread.
    Queue(Queue),
    /// At once, by whoever brings them: deterministic, for tests and the simulator.
    Direct(Mutex<Writer>),
}

impl Metrics {
    /// Opens `metrics.sqlite` in a folder, and makes it if it is not there. Blocks until the last half hour is in memory.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let disk = Arc::new(Disk::open(&folder.join("metrics.sqlite"))?);
        let writer = Writer::load(disk, Arc::clone(&clock))?;
        let (memory, disk) = (writer.memory(), writer.disk());
        let queue = Queue::start(writer)?;
        Ok(Self { memory, disk, clock, path: WritePath::Queue(queue) })
    }

    /// The same without a file and without a thread: what is handed over is visible when the call returns.
    pub fn in_memory(clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let writer = Writer::load(Arc::new(Disk::in_memory()?), Arc::clone(&clock))?;
        let (memory, disk) = (writer.memory(), writer.disk());
        Ok(Self { memory, disk, clock, path: WritePath::Direct(Mutex::new(writer)) })
    }

    /// Keeps all samples or none, and returns when they are safe and visible (`PutMetricData`).
    pub async fn put(&self, samples: Vec<Sample>) -> Result<(), Error> {
        match &self.path {
            WritePath::Queue(queue) => queue.put(samples).await,
            WritePath::Direct(writer) => direct(writer).put(vec![samples]).pop().unwrap_or(Ok(())),
        }
    }

    /// Takes samples that are visible soon, and safe within ten seconds of wall time. Never blocks: what the queue
    /// cannot take is lost, counted and logged.
    pub fn record(&self, samples: Vec<Sample>) {
        self.hand_over(Job::Record(samples));
    }

    /// A sample of value 0 for each series, in the bucket of its resolution in which `window` lies. It counts only as
    /// long as the bucket has no other sample, whichever comes first, unless that one is hours late. Otherwise as [`record`](Metrics::record).
    pub fn idle(&self, series: Vec<SeriesKey>, window: Timestamp) {
        self.hand_over(Job::Idle(series, window));
    }

    /// Returns when everything handed over before is visible and safe.
    pub async fn flush(&self) -> Result<(), Error> {
        match &self.path {
            WritePath::Queue(queue) => queue.flush().await,
            WritePath::Direct(writer) => direct(writer).flush(),
        }
    }

    /// How many batches of samples were lost since the start because the queue was full.
    pub fn lost(&self) -> u64 {
        match &self.path {
            WritePath::Queue(queue) => queue.lost(),
            WritePath::Direct(_) => 0,
        }
    }

    /// A round of sweeping, as far as there is no thread that does it by the time.
    #[cfg(test)]
    fn sweep(&self) {
        if let WritePath::Direct(writer) = &self.path {
            direct(writer).sweep();
        }
    }

    fn hand_over(&self, job: Job) {
        match &self.path {
            WritePath::Queue(queue) => queue.offer(job),
            WritePath::Direct(writer) => {
                let mut writer = direct(writer);
                writer.take(vec![job]);
                writer.sweep_if_due();
            }
        }
    }
}

impl domain::metric::Sink for Metrics {
    fn offer(&self, measured: Vec<domain::metric::Measured>) {
        self.hand_over(Job::Measured(measured));
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metrics = self.read_memory().metric_count();
        out.debug_struct("Metrics").field("metrics", &metrics).finish_non_exhaustive()
    }
}

/// A writer that panicked has changed nothing but by whole lanes: what is there can be read and written on.
fn direct(writer: &Mutex<Writer>) -> std::sync::MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}
