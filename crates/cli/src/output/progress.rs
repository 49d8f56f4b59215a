//! What is shown while something takes longer than a moment.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use super::{Output, duration};

/// Ten frames a second: smooth enough for the eye, nothing to the machine.
const FRAME: Duration = Duration::from_millis(100);

/// One step of work: a spinner with a changing remark where a person looks at stderr, and a line when it is done.
pub(crate) struct Progress<'a> {
    output: &'a Output,
    bar: ProgressBar,
    title: Cow<'static, str>,
    started: Instant,
}

impl<'a> Progress<'a> {
    pub(crate) fn start(output: &'a Output, title: impl Into<Cow<'static, str>>) -> Self {
        let title = title.into();
        let target = if output.notes_are_terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{spinner} {prefix}  {elapsed:>4}  {wide_msg}")
            .expect("the template is a constant that indicatif reads");
        bar.set_style(style);
        bar.set_prefix(title.clone().into_owned());
        bar.enable_steady_tick(FRAME);
        Self { output, bar, title, started: Instant::now() }
    }

    /// What is going on right now.
    pub(crate) fn remark(&self, remark: impl Into<Cow<'static, str>>) {
        self.bar.set_message(remark);
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The step is done: its line stays, with the time it took and what came of it.
    pub(crate) fn done(self, result: impl AsRef<str>) {
        self.bar.finish_and_clear();
        let (title, result) = (&self.title, result.as_ref());
        let took = duration(self.elapsed());
        if result.is_empty() {
            self.output.note(format_args!("✓ {title} ({took})"));
        } else {
            self.output.note(format_args!("✓ {title}: {result} ({took})"));
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl std::fmt::Debug for Progress<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Progress").field("title", &self.title).finish_non_exhaustive()
    }
}
