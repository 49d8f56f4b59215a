//! Runs the tasks: on a timer, when nudged, and never twice at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::task::fleets::{Fleets, Report};
use crate::task::scale::Scaling;

/// The longest pause between two looks: what no nudge told of is seen after it.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The pause while instances are draining: nobody tells when a request ends.
const DRAINING_PAUSE: Duration = Duration::from_millis(50);

/// After a failure of the store there is no hurry to fail again.
const FAILURE_PAUSE: Duration = Duration::from_millis(500);

/// Wakes the loops; says nothing about why. Nudges that come together are one.
#[derive(Debug, Clone, Default)]
pub struct Nudge(Arc<Bells>);

#[derive(Debug, Default)]
struct Bells {
    fleets: Notify,
    scaling: Notify,
}

impl Nudge {
    pub fn nudge(&self) {
        self.0.fleets.notify_one();
        self.0.scaling.notify_one();
    }
}

/// Keeps fleets what they should be, until `stop`. Instances are left as they are: ending them is the driver's shutdown.
pub async fn drive_fleets(mut fleets: Fleets, nudge: Nudge, stop: CancellationToken) {
    loop {
        let report = fleets.activate().await;
        if report.changed {
            // An endpoint that has come to rest ends the scaling activity that moved it.
            nudge.0.scaling.notify_one();
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = nudge.0.fleets.notified() => {}
            () = tokio::time::sleep(pause(&report)) => {}
        }
    }
}

/// Measures, watches and scales, until `stop`: on a grid of server time, and when nudged. It runs beside the fleets'
/// loop, so that neither waits for the other.
pub async fn drive_scaling(mut scaling: Scaling, nudge: Nudge, stop: CancellationToken) {
    loop {
        let report = scaling.activate().await;
        if report.changed {
            nudge.0.fleets.notify_one();
        }
        let pause = if report.failed { FAILURE_PAUSE } else { report.wake_after };
        tokio::select! {
            () = stop.cancelled() => return,
            () = nudge.0.scaling.notified() => {}
            () = tokio::time::sleep(pause) => {}
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
