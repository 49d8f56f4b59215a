//! Log files, written by one thread that may lag behind: a slow disk holds up neither a model server nor the runtime.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use domain::instance::{FleetId, InstanceId};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A log begins anew beyond this size; the one before it is kept under `.log.1`. So an instance takes twice as much.
const LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Log files kept of one variant, the newest; an endpoint whose model crashes for days must not fill the disk.
const LOGS_PER_VARIANT_MAX: usize = 200;

/// Pieces of work that wait for the thread, and their bytes, of all instances together.
const WAITING_MAX: usize = 1024;
const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How long the end of an instance waits for its log. Losing lines of a log is better than a fleet that cannot move.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

enum Work {
    Append(Arc<LogFile>, Vec<u8>),
    Flush(oneshot::Sender<()>),
}

/// All logs of a driver.
#[derive(Debug)]
pub(crate) struct Logs {
    folder: PathBuf,
    queue: Queue,
}

/// The way to the thread.
#[derive(Debug, Clone)]
struct Queue {
    work: SyncSender<Work>,
    bytes_waiting: Arc<AtomicUsize>,
}

/// The log of one instance.
#[derive(Debug)]
pub(crate) struct Log {
    file: Arc<LogFile>,
    queue: Queue,
}

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    bytes_max: u64,
    /// Lines that found the queue full since the last one that did not.
    dropped: AtomicU64,
    /// Only the writing thread takes it.
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    bytes: u64,
}

impl Logs {
    /// Logs below `folder`. The thread ends when nobody can write any more.
    pub(crate) fn new(folder: PathBuf) -> io::Result<Self> {
        let (queue, work) = queue(WAITING_MAX);
        let bytes_waiting = Arc::clone(&queue.bytes_waiting);
        let write = move || write_all(&work, &bytes_waiting);
        thread::Builder::new().name("instance-logs".to_owned()).spawn(write)?;
        Ok(Self { folder, queue })
    }

    /// The log of an instance. Nothing is created before there is a line.
    pub(crate) fn log(&self, fleet: &FleetId, id: &InstanceId) -> Log {
        let folder = self.folder.join(fleet.endpoint.as_str()).join(fleet.variant.as_str());
        let path = folder.join(format!("{id}.log"));
        let (dropped, open) = (AtomicU64::new(0), Mutex::new(None));
        let file = LogFile { path, bytes_max: LOG_BYTES_MAX, dropped, open };
        Log { file: Arc::new(file), queue: self.queue.clone() }
    }
}

fn queue(pieces_max: usize) -> (Queue, Receiver<Work>) {
    let (work, received) = sync_channel(pieces_max);
    (Queue { work, bytes_waiting: Arc::default() }, received)
}

impl Queue {
    /// Gives the lines back if there is no room.
    fn append(&self, file: &Arc<LogFile>, lines: Vec<u8>) -> Result<(), Vec<u8>> {
        let bytes = lines.len();
        let waiting = self.bytes_waiting.fetch_add(bytes, Ordering::Relaxed);
        let refused = if waiting + bytes > WAITING_BYTES_MAX {
            lines
        } else {
            match self.work.try_send(Work::Append(Arc::clone(file), lines)) {
                Err(
                    TrySendError::Full(Work::Append(_, lines))
                    | TrySendError::Disconnected(Work::Append(_, lines)),
                ) => lines,
                _ => return Ok(()),
            }
        };
        self.bytes_waiting.fetch_sub(bytes, Ordering::Relaxed);
        Err(refused)
    }
}

impl Log {
    /// Hands whole lines to the thread, or drops them if it is far behind.
    pub(crate) fn append(&self, lines: Vec<u8>) {
        if lines.is_empty() {
            return;
        }
        if let Err(refused) = self.queue.append(&self.file, lines) {
            let count = refused.split(|byte| *byte == b'\n').count() as u64 - 1;
            self.file.dropped.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Waits until all that was handed over is written, for `FLUSH_TIMEOUT` at most.
    pub(crate) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.work.try_send(Work::Flush(done)).is_ok() {
            let _ = timeout(FLUSH_TIMEOUT, written).await;
        }
    }
}

fn write_all(work: &Receiver<Work>, bytes_waiting: &AtomicUsize) {
    while let Ok(next) = work.recv() {
        match next {
            Work::Append(file, lines) => {
                bytes_waiting.fetch_sub(lines.len(), Ordering::Relaxed);
                if let Err(error) = file.append(&lines) {
                    tracing::warn!(log = %file.path.display(), %error, "cannot write a model server's log");
                }
            }
            Work::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}

impl LogFile {
    fn append(&self, lines: &[u8]) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(|open| open.bytes + lines.len() as u64 > self.bytes_max) {
            *open = None;
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
        }
        let open = match &mut *open {
            Some(open) => open,
            none => none.insert(self.create()?),
        };
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let stamp = lines.split(|byte| *byte == b' ').next().unwrap_or_default();
            let note = format!(
                " err tidegate: {dropped} lines were dropped here, for the disk could not keep up\n"
            );
            open.write(&[stamp, note.as_bytes()].concat())?;
        }
        open.write(lines)
    }

    fn create(&self) -> io::Result<Open> {
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        prune(folder);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path)?;
        let bytes = file.metadata()?.len();
        Ok(Open { file, bytes })
    }
}

impl Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// Removes the logs that have not been written to for longest, so that one more has room.
fn prune(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let dated = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
    });
    let mut logs: Vec<_> = dated.collect();
    logs.sort_unstable();
    for (_, path) in logs.iter().rev().skip(LOGS_PER_VARIANT_MAX - 1) {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::instance::DeploymentId;

    fn fleet() -> FleetId {
        let (endpoint, variant) = ("chat".parse().unwrap(), "AllTraffic".parse().unwrap());
        FleetId { endpoint, deployment: DeploymentId(1), variant }
    }

    fn file(folder: &Path, bytes_max: u64) -> LogFile {
        let path = folder.join("i-0.log");
        LogFile { path, bytes_max, dropped: AtomicU64::new(0), open: Mutex::new(None) }
    }

    #[tokio::test]
    async fn what_is_appended_is_there_after_a_flush() {
        let folder = tempfile::tempdir().unwrap();
        let logs = Logs::new(folder.path().to_owned()).unwrap();
        let log = logs.log(&fleet(), &InstanceId::from_entropy(7));
        log.append(b"1 out a\n".to_vec());
        log.append(Vec::new());
        log.append(b"2 err b\n".to_vec());
        log.flush().await;
        let path = folder.path().join("chat/AllTraffic/i-00000000000000007.log");
        assert_eq!(fs::read_to_string(path).unwrap(), "1 out a\n2 err b\n");
    }

    #[test]
    fn a_log_never_grows_beyond_its_bound_and_keeps_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let log = file(folder.path(), 100);
        for number in 0..50 {
            log.append(format!("{number:02} out x\n").as_bytes()).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let (now, before) = (read("i-0.log"), read("i-0.log.1"));
        assert!(now.len() <= 100 && before.len() <= 100);
        assert!(now.ends_with("49 out x\n"));
        let joined = before + &now;
        let first: usize = joined[..2].parse().unwrap();
        let expected: Vec<_> = (first..50).map(|number| format!("{number:02} out x")).collect();
        assert_eq!(joined.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn lines_that_found_no_room_are_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let log = file(folder.path(), 1000);
        log.dropped.store(3, Ordering::Relaxed);
        log.append(b"17 out a\n").unwrap();
        log.append(b"18 out b\n").unwrap();
        let text = fs::read_to_string(&log.path).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(text.starts_with("17 err tidegate: 3 lines were dropped"), "{text}");
    }

    #[test]
    fn a_full_queue_drops_lines_and_does_not_wait() {
        let folder = tempfile::tempdir().unwrap();
        let (queue, work) = queue(2);
        let log = Log { file: Arc::new(file(folder.path(), 1000)), queue };
        let dropped = || log.file.dropped.load(Ordering::Relaxed);
        log.append(vec![b'\n'; WAITING_BYTES_MAX - 7]);
        log.append(b"2 out b\n".to_vec());
        assert_eq!(dropped(), 1, "too many bytes");
        log.append(b"3 out\n".to_vec());
        log.append(b"\n".to_vec());
        assert_eq!(dropped(), 2, "too many pieces");
        drop(work);
    }

    #[test]
    fn only_the_newest_logs_of_a_variant_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..LOGS_PER_VARIANT_MAX + 5 {
            let file = File::create(folder.path().join(format!("i-{number:03}.log"))).unwrap();
            let age = Duration::from_secs(1_000_000 + number as u64);
            file.set_modified(std::time::UNIX_EPOCH + age).unwrap();
        }
        file(folder.path(), 1000).append(b"1 out a\n").unwrap();
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort_unstable();
        assert_eq!(names.len(), LOGS_PER_VARIANT_MAX);
        assert_eq!(names[0], "i-0.log");
        assert_eq!(names[1], "i-006.log");
    }
}
