//! The journal of a run under way: a file, and lines on stderr.

use domain::safe_update::Run;
use safe_update::Journal;

use crate::journal::Held;
use crate::output::Output;

#[derive(Debug)]
pub(super) struct Keeper<'a> {
    held: Held,
    last: Run,
    output: &'a Output,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(held: Held, run: Run, output: &'a Output) -> Self {
        Self { held, last: run, output }
    }

    /// The run as it was kept last, or was to be.
    pub(super) fn run(&self) -> &Run {
        &self.last
    }

    pub(super) fn path(&self) -> String {
        self.held.place().path().display().to_string()
    }
}

impl Journal for Keeper<'_> {
    /// Without a wait in between: an interruption does not find it half done.
    async fn keep(&mut self, run: &Run) -> Result<(), String> {
        self.last = run.clone();
        self.held.write(run)
    }

    fn tell(&mut self, line: &str) {
        self.output.note(line);
    }
}
