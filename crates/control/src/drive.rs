//! Runs the tasks: on a timer, when nudged, and never twice at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::task::fleets::{Fleets, Report};

/// The longest pause between two looks: what no nudge told of is seen after it.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The pause while instances are draining: nobody tells when a request ends.
const DRAINING_PAUSE: Duration = Duration::from_millis(50);

/// After a failure of the store there is no hurry to fail again.
const FAILURE_PAUSE: Duration = Duration::from_millis(500);

/// Wakes the loop; says nothing about why. Nudges that come together are one.
#[derive(Debug, Clone, Default)]
pub struct Nudge(Arc<Notify>);

impl Nudge {
    pub fn nudge(&self) {
        self.0.notify_one();
    }
}

/// Runs until `stop`. Instances are left as they are: ending them is the driver's shutdown.
pub async fn drive(mut fleets: Fleets, nudge: Nudge, stop: CancellationToken) {
    loop {
        let report = fleets.activate().await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = nudge.0.notified() => {}
            () = tokio::time::sleep(pause(&report)) => {}
        }
    }
}

fn pause(report: &Report) -> Duration {
    let next = match report {
        Report { failed: true, .. } => FAILURE_PAUSE,
        Report { changed: true, .. } => Duration::ZERO,
        Report { draining: 1.., .. } => DRAINING_PAUSE,
        Report { .. } => LONGEST_PAUSE,
    };
    report.wake_after.map_or(next, |after| next.min(after))
}
