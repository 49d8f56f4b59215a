//! The end of a server in good order: no new requests, the running ones finish, then the instances end.

use std::time::Duration;

use cli::ServerFile;
use tokio::signal::unix::{SignalKind, signal};

use crate::assemble::Server;

/// How long running requests may take to finish: an invocation's 60 s, and some for the way.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(65);

/// Waits for SIGTERM or SIGINT.
pub(crate) async fn asked() -> std::io::Result<()> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

impl Server {
    /// Stops. A second signal meanwhile ends the process at once; the supervisors then end the instances.
    pub(crate) async fn shut_down(self) {
        tracing::info!("stopping: running requests finish first");
        let drained = self.gateway.drain(DRAIN_TIME_MAX).await;
        if drained.cut_off > 0 {
            tracing::warn!(
                connections = drained.cut_off,
                "connections were still busy and were cut off"
            );
        }
        self.stop.cancel();
        for task in self.tasks {
            if let Err(why) = task.await {
                tracing::error!(%why, "a task ended badly");
            }
        }
        if !self.driver.shutdown().await {
            tracing::warn!("some instances had to be left to their supervisors");
        }
        // Clients look for the server here; one that is gone should not be found.
        drop(std::fs::remove_file(ServerFile::path(self.data_dir.path())));
    }
}
