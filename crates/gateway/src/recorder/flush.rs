//! Offers what was counted, for as long as its thread serves.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{self, Instant};

use crate::route_table::Routes;

use super::Recorder;

/// Offers each window soon after it is over, and not more often than every `pause`. `looks` is for one thread of all:
/// it counts what is busy at the beginning of each window.
pub(crate) async fn keep_offering(recorder: Recorder, pause: Duration, looks: Option<Arc<Routes>>) {
    while let Some(edge) = recorder.edge() {
        time::sleep_until(edge.max(Instant::now() + pause)).await;
        recorder.offer();
        if let Some(routes) = &looks {
            recorder.look(routes);
        }
    }
}
