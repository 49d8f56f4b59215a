//! Reads that take long, away from the threads that serve requests.

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::Error;

/// Reads that run at once; others wait. One may hold a hundred megabytes (`domain::metric::math::WORK_MAX`) and keep a
/// core busy for half a second.
const READS_MAX: usize = 4;

static READS: Semaphore = Semaphore::const_new(READS_MAX);

/// Runs a read where it may block. A caller that goes away lets it end, and its place is taken until then.
pub(super) async fn apart<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let internal = |why: &dyn std::fmt::Display| Error::Internal(why.to_string());
    let place = READS.acquire().await.map_err(|why| internal(&why))?;
    let run = move || {
        let found = read();
        drop(place);
        found
    };
    spawn_blocking(run).await.map_err(|why| internal(&why))
}

/// What went wrong with metrics that is not the caller's fault.
pub(super) fn failed(why: metrics::Error) -> Error {
    match why {
        metrics::Error::Full => Error::DiskFull,
        metrics::Error::TooManyMetrics => super::Refusal::TooManyMetrics(why).into(),
        metrics::Error::Read(_) | metrics::Error::Write(_) | metrics::Error::Stopped => {
            Error::Internal(why.to_string())
        }
    }
}
