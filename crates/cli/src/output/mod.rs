//! Where commands write: data to stdout, everything said about it to stderr.

mod age;
mod ink;
mod progress;
mod table;
mod wrap;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use wire::Shape;

pub(crate) use age::{age, duration, instant};
pub(crate) use ink::Ink;
pub(crate) use progress::Progress;
pub(crate) use table::{fields, table};
pub(crate) use wrap::{visible, wrapped};

use crate::Error;

/// The two streams of a command. Locked only for the length of one write.
pub(crate) struct Output {
    data: Mutex<Box<dyn Write + Send>>,
    notes: Mutex<Box<dyn Write + Send>>,
    /// Whether a person looks at the data.
    pub(crate) data_is_terminal: bool,
    /// Whether a person looks at the notes, so that they may move.
    pub(crate) notes_are_terminal: bool,
    pub(crate) json: bool,
}

impl Output {
    /// The process's own streams.
    pub(crate) fn of_process(json: bool) -> Self {
        Self {
            data: Mutex::new(Box::new(io::stdout())),
            notes: Mutex::new(Box::new(io::stderr())),
            data_is_terminal: io::stdout().is_terminal(),
            notes_are_terminal: io::stderr().is_terminal(),
            json,
        }
    }

    /// One piece of data with a line end behind it.
    pub(crate) fn data(&self, text: impl Display) -> Result<(), Error> {
        let mut data = lock(&self.data);
        writeln!(data, "{text}")?;
        data.flush()?;
        Ok(())
    }

    /// Data exactly as it is.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut data = lock(&self.data);
        data.write_all(bytes)?;
        data.flush()?;
        Ok(())
    }

    /// JSON for programs: indented where a person looks, a line of its own otherwise.
    pub(crate) fn json(&self, value: &Value) -> Result<(), Error> {
        if self.data_is_terminal { self.data(format_args!("{value:#}")) } else { self.data(value) }
    }

    /// Something said about the work. That nobody listens is no reason to fail.
    pub(crate) fn note(&self, text: impl Display) {
        let mut notes = lock(&self.notes);
        let _ = writeln!(notes, "{text}");
        let _ = notes.flush();
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Output").field("json", &self.json).finish_non_exhaustive()
    }
}

fn lock<T: ?Sized>(stream: &Mutex<T>) -> MutexGuard<'_, T> {
    // A stream that another thread panicked on is still a stream.
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A shape in AWS's JSON.
pub(crate) fn json_of<S: Shape>(shape: &S) -> Value {
    shape.to_document().to_json(S::schema())
}

/// Streams into memory, for tests of what a command says.
#[cfg(test)]
pub(crate) mod memory {
    use std::sync::Arc;

    use super::*;

    #[derive(Debug, Clone, Default)]
    pub(crate) struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Memory {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(lock(&self.0).clone()).unwrap()
        }
    }

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            lock(&self.0).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Output {
        /// An output with its data and its notes.
        pub(crate) fn in_memory(json: bool) -> (Self, Memory, Memory) {
            let (data, notes) = (Memory::default(), Memory::default());
            let output = Self {
                data: Mutex::new(Box::new(data.clone())),
                notes: Mutex::new(Box::new(notes.clone())),
                data_is_terminal: false,
                notes_are_terminal: false,
                json,
            };
            (output, data, notes)
        }
    }
}
