//! What model servers write. It is always read, whatever becomes of it: a server that writes much must neither block
//! nor fill memory or disk.
//!
//! A log is lines of the form `MILLIS out|err TEXT`, where MILLIS is server time: what a reader needs to tell events.

mod lines;
mod log;
mod tail;

use std::sync::{Arc, Mutex, PoisonError};

use domain::time::Clock;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use lines::Lines;
pub(crate) use log::{Log, Logs};
use tail::Tail;

/// Bytes read at once from a model server's output, and held of each of its two streams.
const READ_BYTES: usize = 8 * 1024;

/// Where one instance's output goes.
#[derive(Debug)]
pub(crate) struct Sink {
    log: Log,
    clock: Arc<dyn Clock>,
    out: Mutex<Tail>,
    err: Mutex<Tail>,
}

/// One of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

impl Sink {
    pub(crate) fn new(log: Log, clock: Arc<dyn Clock>) -> Self {
        Self { log, clock, out: Mutex::default(), err: Mutex::default() }
    }

    /// Reads a stream until it ends.
    pub(crate) async fn drain(&self, stream: Stream, mut from: impl AsyncRead + Unpin) {
        let mut buffer = vec![0; READ_BYTES];
        let mut lines = Lines::default();
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let bytes = buffer.get(..read).unwrap_or_default();
            self.tail(stream).lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
            let mut records = Vec::new();
            lines.feed(bytes, |line| self.record(stream, line, &mut records));
            self.log.append(records);
        }
        let mut records = Vec::new();
        lines.finish(|line| self.record(stream, line, &mut records));
        self.log.append(records);
    }

    /// Waits until the log holds what has been read, or until it is clear that the disk will not take it.
    pub(crate) async fn flush(&self) {
        self.log.flush().await;
    }

    /// The last lines it wrote to standard error, or else to standard output, for a `FailureReason`.
    pub(crate) fn last_words(&self) -> String {
        let words =
            |stream| self.tail(stream).lock().unwrap_or_else(PoisonError::into_inner).last_words();
        let errors = words(Stream::Err);
        if errors.is_empty() { words(Stream::Out) } else { errors }
    }

    fn tail(&self, stream: Stream) -> &Mutex<Tail> {
        match stream {
            Stream::Out => &self.out,
            Stream::Err => &self.err,
        }
    }

    fn record(&self, stream: Stream, line: &[u8], into: &mut Vec<u8>) {
        let name = match stream {
            Stream::Out => "out",
            Stream::Err => "err",
        };
        into.extend(format!("{} {name} ", self.clock.now().as_millis()).bytes());
        into.extend_from_slice(line);
        into.push(b'\n');
    }
}
