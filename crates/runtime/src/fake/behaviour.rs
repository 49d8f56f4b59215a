//! What a pretended model server does, as a function of time since its order.

use std::time::Duration;

use domain::instance::{ExitCause, Order};

use crate::driver::Usage;

/// A script for the instances of an image or a fleet. Spans are wall time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// How long fetching the artefact takes.
    pub preparing: Duration,
    /// What preparing fails with, if it does: [`ExitCause::Artifact`], [`ExitCause::UnknownImage`] or
    /// [`ExitCause::Launch`].
    pub refusal: Option<ExitCause>,
    /// From launch to the first good `/ping`; none never gets there.
    pub ready_after: Option<Duration>,
    /// From launch to the end by itself, and its status; none stays.
    pub ends_after: Option<(Duration, String)>,
    /// From the order to stop to the exit.
    pub stopping: Duration,
    /// What it uses from its launch to its exit: processor time in each second, and memory.
    pub usage: Usage,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self::ready_after(Duration::ZERO)
    }
}

impl Behaviour {
    /// Prepared at once, ready `after` its launch, and gone at once when told to stop.
    pub fn ready_after(after: Duration) -> Self {
        let zero = Duration::ZERO;
        Self {
            preparing: zero,
            refusal: None,
            ready_after: Some(after),
            ends_after: None,
            stopping: zero,
            usage: Usage::default(),
        }
    }

    /// Runs and never answers `/ping`.
    pub fn never_ready() -> Self {
        Self { ready_after: None, ..Self::default() }
    }

    /// Ends by itself `after` its launch with `status`, without having been ready.
    pub fn ends_after(after: Duration, status: &str) -> Self {
        Self { ends_after: Some((after, status.to_owned())), ..Self::never_ready() }
    }

    /// Its artefact cannot be had.
    pub fn artifact_fails(message: &str) -> Self {
        Self { refusal: Some(ExitCause::Artifact(message.to_owned())), ..Self::default() }
    }

    /// Its image is not known.
    pub fn unknown_image(message: &str) -> Self {
        Self { refusal: Some(ExitCause::UnknownImage(message.to_owned())), ..Self::default() }
    }

    /// The same, but fetching the artefact takes `preparing`.
    #[must_use]
    pub fn preparing(self, preparing: Duration) -> Self {
        Self { preparing, ..self }
    }

    /// The same, but it takes `stopping` to end when it is told to.
    #[must_use]
    pub fn stopping(self, stopping: Duration) -> Self {
        Self { stopping, ..self }
    }

    /// The same, but it uses so much processor time in each second of its life, and so much memory all the time.
    #[must_use]
    pub fn using(self, cpu: Duration, memory_bytes: u64) -> Self {
        Self { usage: Usage { cpu, memory_bytes }, ..self }
    }

    /// What happens of itself to an instance, in order of time, each with its distance from the order to start.
    pub(crate) fn course(&self, order: &Order) -> Vec<(Duration, Event)> {
        if let Some(cause) = &self.refusal {
            return vec![(self.preparing, Event::Exit(cause.clone()))];
        }
        let launched = (self.preparing, Event::Launch);
        let (waited, last_words) = (order.startup_timeout, String::new());
        let give_up = (waited, ExitCause::NeverReady { waited, last_words });
        let end = self.ends_after.as_ref().map(|(after, status)| {
            (*after, ExitCause::Ended { status: status.clone(), last_words: String::new() })
        });
        let ready = self.ready_after.filter(|after| *after <= order.startup_timeout);
        let exit = match (end, ready) {
            (Some(end), Some(_)) => Some(end),
            (Some(end), None) if end.0 < give_up.0 => Some(end),
            (_, None) => Some(give_up),
            (None, Some(_)) => None,
        };
        let ready = ready.filter(|ready| exit.as_ref().is_none_or(|(at, _)| ready < at));
        let later = ready.map(|after| (after, Event::Ready)).into_iter();
        let later = later.chain(exit.map(|(after, cause)| (after, Event::Exit(cause))));
        let later = later.map(|(after, event)| (self.preparing.saturating_add(after), event));
        std::iter::once(launched).chain(later).collect()
    }
}

/// Something that happens to an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Launch,
    Ready,
    Exit(ExitCause),
}
