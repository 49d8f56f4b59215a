//! What model servers write. It is always read, whatever becomes of it: a server that writes much must neither block
//! nor fill memory or disk. What is kept of it, and where, is `logs`'s business.

mod lines;
mod tail;

use std::sync::{Arc, Mutex, PoisonError};

use domain::time::Clock;
use logs::{Log, Output};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use lines::Lines;
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

impl Sink {
    pub(crate) fn new(log: Log, clock: Arc<dyn Clock>) -> Self {
        Self { log, clock, out: Mutex::default(), err: Mutex::default() }
    }

    /// Reads a stream until it ends.
    pub(crate) async fn drain(&self, stream: Output, mut from: impl AsyncRead + Unpin) {
        let mut buffer = vec![0; READ_BYTES];
        let mut lines = Lines::default();
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let bytes = buffer.get(..read).unwrap_or_default();
            self.tail(stream).lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
            let mut whole = Vec::new();
            lines.feed(bytes, |line| add(line, &mut whole));
            self.log.append(self.clock.now(), stream, whole);
        }
        let mut whole = Vec::new();
        lines.finish(|line| add(line, &mut whole));
        self.log.append(self.clock.now(), stream, whole);
    }

    /// Waits until the log holds what has been read, or until it is clear that the disk will not take it.
    pub(crate) async fn flush(&self) {
        self.log.flush().await;
    }

    /// The last lines it wrote to standard error, or else to standard output, for a `FailureReason`.
    pub(crate) fn last_words(&self) -> String {
        let words =
            |stream| self.tail(stream).lock().unwrap_or_else(PoisonError::into_inner).last_words();
        let errors = words(Output::Err);
        if errors.is_empty() { words(Output::Out) } else { errors }
    }

    fn tail(&self, stream: Output) -> &Mutex<Tail> {
        match stream {
            Output::Out => &self.out,
            Output::Err => &self.err,
        }
    }
}

fn add(line: &[u8], lines: &mut Vec<u8>) {
    lines.extend_from_slice(line);
    lines.push(b'\n');
}
