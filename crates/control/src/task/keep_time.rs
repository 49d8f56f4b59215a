//! Keeps server time, so that it never goes back over a restart.

use std::sync::Arc;
use std::time::Duration;

use domain::time::Clock;
use store::{Changes, State, Store, decide};
use tokio_util::sync::CancellationToken;

/// Wall time between two marks of a clock that runs faster than the wall.
const FAST_PERIOD: Duration = Duration::from_secs(5);

/// The same for a clock that is the wall's: after a restart the wall has moved on by itself.
const PLAIN_PERIOD: Duration = Duration::from_mins(1);

/// Marks ahead of time what clocks may reach before the next mark, and at the end what they did reach.
pub async fn keep_time(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    time_scale: f64,
    stop: CancellationToken,
) {
    let period = if time_scale > 1.0 { FAST_PERIOD } else { PLAIN_PERIOD };
    let ahead = FAST_PERIOD.mul_f64(2.0 * (time_scale - 1.0).max(0.0));
    loop {
        mark(&*store, clock.now().plus(ahead)).await;
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(period) => {}
        }
    }
    mark(&*store, clock.now()).await;
}

async fn mark(store: &dyn Store, reached: domain::time::Timestamp) {
    let kept = decide(store, move |_: &State| -> Result<_, std::convert::Infallible> {
        Ok((Changes::none().keep_time(reached), ()))
    });
    if let Err(why) = kept.await {
        tracing::warn!(%why, "the server's time could not be kept");
    }
}
