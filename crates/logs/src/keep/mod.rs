//! Writing: one thread for all logs, which may lag behind. A slow disk holds up neither a model server nor the runtime.

pub(crate) mod index;
mod scan;
mod shelf;
#[cfg(test)]
pub(crate) mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use domain::instance::{FleetId, InstanceId};
use domain::time::Timestamp;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

pub(crate) use shelf::Shelf;

use crate::bounds::{
    READERS_MAX, WAITING_BYTES_MAX, WAITING_BYTES_PER_LOG_MAX, WAITING_PIECE_BYTES_MIN,
    WAITING_PIECES_MAX,
};
use crate::{Bounds, StreamKey, StreamName, event};

/// How long the end of an instance waits for its log. Losing lines of a log is better than a fleet that cannot move.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Which of its two streams a model server wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Out,
    Err,
}

impl Output {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Out => event::OUT,
            Self::Err => event::ERR,
        }
    }
}

/// All logs of a data directory. Clones share them.
#[derive(Debug, Clone)]
pub struct Logs {
    pub(crate) shelf: Arc<Shelf>,
    /// Who may read now.
    pub(crate) readers: Arc<Semaphore>,
    pub(crate) readers_waiting: Arc<AtomicUsize>,
    queue: Queue,
}

/// The log of one instance: its stream's writing end.
#[derive(Debug)]
pub struct Log {
    file: Arc<LogFile>,
    queue: Queue,
}

#[derive(Debug)]
pub(crate) struct LogFile {
    key: StreamKey,
    /// Lines that were not written since the last one that was.
    dropped: AtomicU64,
    /// Bytes in the queue, as they count.
    waiting: AtomicUsize,
    /// Only the writing thread takes it.
    open: Mutex<Option<shelf::Open>>,
}

impl LogFile {
    fn keep_open(&self, open: shelf::Open) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
    }
}

#[derive(Debug)]
enum Work {
    Begin(Arc<LogFile>, Timestamp),
    Append(Arc<LogFile>, Timestamp, Output, Vec<u8>),
    Flush(Arc<LogFile>, oneshot::Sender<()>),
}

/// The way to the thread.
#[derive(Debug, Clone)]
struct Queue {
    work: SyncSender<Work>,
    waiting: Arc<AtomicUsize>,
}

impl Logs {
    /// Logs below `folder`, which need not exist. What earlier servers left there is taken up in the background; who
    /// reads or writes meanwhile waits for it. The writing thread ends with the last clone and the last [`Log`].
    pub fn open(folder: PathBuf, bounds: Bounds) -> io::Result<Self> {
        let shelf = Arc::new(Shelf::new(folder, bounds));
        let (queue, work) = queue(WAITING_PIECES_MAX);
        let (waiting, writer) = (Arc::clone(&queue.waiting), Arc::clone(&shelf));
        let write = move || {
            writer.load();
            write_all(&writer, &work, &waiting);
        };
        thread::Builder::new().name("instance-logs".to_owned()).spawn(write)?;
        let readers = Arc::new(Semaphore::new(READERS_MAX));
        Ok(Self { shelf, readers, readers_waiting: Arc::default(), queue })
    }

    /// Begins the stream of an instance, or goes on with it. `at` is server time.
    pub fn log(&self, fleet: &FleetId, id: &InstanceId, at: Timestamp) -> Log {
        let stream = StreamName::new(&fleet.variant, id);
        let key = StreamKey { endpoint: fleet.endpoint.clone(), stream };
        let file = LogFile {
            key,
            dropped: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            open: Mutex::new(None),
        };
        let (file, queue) = (Arc::new(file), self.queue.clone());
        // With a full queue it begins with its first line.
        let _ = queue.work.try_send(Work::Begin(Arc::clone(&file), at));
        Log { file, queue }
    }
}

fn queue(pieces_max: usize) -> (Queue, Receiver<Work>) {
    let (work, received) = sync_channel(pieces_max);
    (Queue { work, waiting: Arc::default() }, received)
}

/// What a piece counts while it waits.
fn weight(lines: &[u8]) -> usize {
    lines.len().max(WAITING_PIECE_BYTES_MIN)
}

impl Log {
    /// Hands over whole lines, each without or with its end, said at `at` (server time). They are dropped and counted
    /// if the disk is far behind; this never waits.
    pub fn append(&self, at: Timestamp, output: Output, lines: Vec<u8>) {
        if lines.is_empty() {
            return;
        }
        if let Err(refused) = self.hand_over(at, output, lines) {
            self.file.dropped.fetch_add(shelf::count(&refused), Ordering::Relaxed);
        }
    }

    /// Gives the lines back if there is no room.
    fn hand_over(&self, at: Timestamp, output: Output, lines: Vec<u8>) -> Result<(), Vec<u8>> {
        let weight = weight(&lines);
        let own = self.file.waiting.fetch_add(weight, Ordering::Relaxed) + weight;
        let all = self.queue.waiting.fetch_add(weight, Ordering::Relaxed) + weight;
        let refused = if own > WAITING_BYTES_PER_LOG_MAX || all > WAITING_BYTES_MAX {
            lines
        } else {
            match self.queue.work.try_send(Work::Append(Arc::clone(&self.file), at, output, lines))
            {
                Err(
                    TrySendError::Full(Work::Append(_, _, _, lines))
                    | TrySendError::Disconnected(Work::Append(_, _, _, lines)),
                ) => lines,
                _ => return Ok(()),
            }
        };
        self.file.waiting.fetch_sub(weight, Ordering::Relaxed);
        self.queue.waiting.fetch_sub(weight, Ordering::Relaxed);
        Err(refused)
    }

    /// Waits until all that was handed over is written, and whatever was dropped is told, for `FLUSH_TIMEOUT` at most.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.work.try_send(Work::Flush(Arc::clone(&self.file), done)).is_ok() {
            let _ = timeout(FLUSH_TIMEOUT, written).await;
        }
    }
}

fn write_all(shelf: &Shelf, work: &Receiver<Work>, waiting: &AtomicUsize) {
    while let Ok(next) = work.recv() {
        let (file, written) = match next {
            Work::Begin(file, at) => {
                let begun = shelf.begin(&file, at.as_millis());
                (file, begun)
            }
            Work::Append(file, at, output, lines) => {
                let written = shelf.append(&file, at.as_millis(), output, &lines);
                file.waiting.fetch_sub(weight(&lines), Ordering::Relaxed);
                waiting.fetch_sub(weight(&lines), Ordering::Relaxed);
                (file, written)
            }
            Work::Flush(file, done) => {
                let told = shelf.tell_dropped(&file);
                let _ = done.send(());
                (file, told)
            }
        };
        if let Err(error) = written {
            let StreamKey { endpoint, stream } = &file.key;
            tracing::warn!(%endpoint, %stream, %error, "cannot write a model server's log");
        }
    }
}
