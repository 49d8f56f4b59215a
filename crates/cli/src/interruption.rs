//! The user, or the system, wants a command to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::Error;

/// The exit code of a program that was interrupted, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// What says so: Ctrl-C, SIGTERM, and the terminal that is gone.
#[derive(Debug)]
pub(crate) struct Interruption {
    signals: [Signal; 3],
}

impl Interruption {
    /// From here on the signals no longer end the program by themselves.
    pub(crate) fn listen() -> Result<Self, Error> {
        let listen = |kind| {
            signal(kind)
                .map_err(|cause| Error::Failed(format!("cannot listen for signals: {cause}")))
        };
        let signals = [
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        ];
        Ok(Self { signals })
    }

    pub(crate) async fn comes(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
