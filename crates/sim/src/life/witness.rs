//! What is told of a life: a digest of everything, the last lines, and the first thing that must not happen.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::time::{Clock, Timestamp};

use crate::SimClock;

/// Lines that are kept of a life which is not written down whole: enough to see what led to a violation.
const LINES_KEPT: usize = 60;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its short name, by which tests know it.
    pub law: &'static str,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.law, self.what)
    }
}

/// Shared by everything that sees a part of a life.
#[derive(Debug, Clone)]
pub(super) struct Witness {
    clock: Arc<SimClock>,
    began: Timestamp,
    book: Arc<Mutex<Book>>,
}

#[derive(Debug)]
struct Book {
    whole: bool,
    lines: VecDeque<String>,
    digest: u64,
    violation: Option<Violation>,
}

/// FNV-1a, of 64 bits: the same everywhere and for ever.
const DIGEST_SEED: u64 = 0xcbf2_9ce4_8422_2325;
const DIGEST_PRIME: u64 = 0x0000_0100_0000_01b3;

impl Witness {
    /// `whole` keeps every line.
    pub(super) fn new(clock: Arc<SimClock>, whole: bool) -> Self {
        let book = Book { whole, lines: VecDeque::new(), digest: DIGEST_SEED, violation: None };
        Self { began: clock.now(), clock, book: Arc::new(Mutex::new(book)) }
    }

    pub(super) fn tell(&self, what: fmt::Arguments<'_>) {
        let millis = self.clock.now().since(self.began).as_millis();
        let line = format!("{:>6}.{:03} {what}", millis / 1000, millis % 1000);
        self.take(&line);
        let mut book = self.book();
        if !book.whole && book.lines.len() >= LINES_KEPT {
            book.lines.pop_front();
        }
        book.lines.push_back(line);
    }

    /// Takes into the digest what is too long to be told.
    pub(super) fn take(&self, what: &str) {
        let mut book = self.book();
        book.digest = what.bytes().fold(book.digest, |digest, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(DIGEST_PRIME)
        });
    }

    /// Says that a law was broken. The first one counts: others may follow from it.
    pub(super) fn accuse(&self, law: &'static str, what: impl fmt::Display) {
        if self.book().violation.is_some() {
            return;
        }
        let violation = Violation { law, what: what.to_string() };
        self.tell(format_args!("VIOLATION of {violation}"));
        self.book().violation = Some(violation);
    }

    pub(super) fn is_over(&self) -> bool {
        self.book().violation.is_some()
    }

    pub(super) fn violation(&self) -> Option<Violation> {
        self.book().violation.clone()
    }

    pub(super) fn digest(&self) -> u64 {
        self.book().digest
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.book().lines.iter().cloned().collect()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
