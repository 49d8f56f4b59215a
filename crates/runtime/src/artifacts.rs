//! How a driver gets at a model's files. The drivers know folders, not archives or buckets: whoever assembles the
//! server hands them something that does.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

/// A future that can be kept behind a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why an artefact is not there. The text names the artefact and what to do, for it ends in a `FailureReason`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ArtifactError {
    pub message: String,
}

/// Fetches and unpacks artefacts of models.
pub trait Artifacts: Send + Sync {
    /// Fetches the archive at `url` and unpacks it into the folder `into`, which exists and is empty.
    ///
    /// Fails when it takes longer than `timeout` of wall time. When the future is dropped the work ends soon after:
    /// the folder is about to be removed.
    fn prepare<'a>(
        &'a self,
        url: &'a str,
        into: &'a Path,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<(), ArtifactError>>;
}
