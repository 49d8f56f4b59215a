//! A model's artefacts into an instance's own folder.
//!
//! Every instance gets its own copy: no instance can change what another one reads. A cache may come between (unpack once,
//! copy or share blocks per instance) without changing [`Artifacts::prepare`]. This must not keep a half-made folder, reach
//! over the network, or know what the files mean.

mod error;
mod folder;
mod location;
#[cfg(test)]
mod tests;

pub use error::FetchError;
pub(crate) use error::is_disk_full;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::bucket::BucketError;
use crate::unpack::{Limits, Refusal, unpack};
use crate::{Buckets, Stop};
use location::Location;

/// How long a caller whose time is up waits for the working thread to notice and clean up. It looks every few megabytes;
/// only a disk that hangs takes longer, and then the thread cleans up when it wakes.
const CLEAN_UP_WAIT: Duration = Duration::from_secs(5);

/// Fetches artefacts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Artifacts {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    buckets: Buckets,
    limits: Limits,
    closed: Vec<PathBuf>,
}

impl Artifacts {
    /// `closed`: folders that no `file://` URL may reach, above all the data directory with its credentials.
    pub fn new(buckets: Buckets, limits: Limits, closed: Vec<PathBuf>) -> Self {
        Self { shared: Arc::new(Shared { buckets, limits, closed }) }
    }

    /// Makes the folder `into` hold the artefacts at `url`: `file:///abs/model.tar.gz`, a `file://` folder, or
    /// `s3://bucket/key` of the embedded S3. `into` must not exist or be empty; its parent must exist.
    ///
    /// Wall-clock time, at most about `deadline`. Dropping the future stops the work soon after.
    ///
    /// # Errors
    /// [`FetchError`]; `into` is then untouched and nothing else is left.
    pub async fn prepare(
        &self,
        url: &str,
        into: &Path,
        deadline: Duration,
    ) -> Result<(), FetchError> {
        let stop = Stop::default();
        let _guard = stop.on_drop();
        let work = {
            let (shared, stop) = (Arc::clone(&self.shared), stop.clone());
            let (url, into) = (url.to_owned(), into.to_owned());
            move || shared.prepare(&url, &into, &stop)
        };
        let mut work = tokio::task::spawn_blocking(work);
        let Ok(result) = tokio::time::timeout(deadline, &mut work).await else {
            stop.stop();
            return match tokio::time::timeout(CLEAN_UP_WAIT, work).await {
                // It was done in the very moment: what is there is whole.
                Ok(Ok(Ok(()))) => Ok(()),
                _ => Err(FetchError::TooSlow { url: url.to_owned(), deadline }),
            };
        };
        match result {
            Ok(result) => result,
            Err(join) if join.is_panic() => std::panic::resume_unwind(join.into_panic()),
            Err(_) => Err(FetchError::Stopped { url: url.to_owned() }),
        }
    }
}

impl Shared {
    fn prepare(&self, url: &str, into: &Path, stop: &Stop) -> Result<(), FetchError> {
        match Location::parse(url)? {
            Location::File(path) => self.unpack_path(url, &path, into, stop),
            Location::Object { bucket, key } => self.unpack_object(url, &bucket, &key, into, stop),
        }
    }

    fn unpack_path(
        &self,
        url: &str,
        path: &Path,
        into: &Path,
        stop: &Stop,
    ) -> Result<(), FetchError> {
        let path = fs::canonicalize(path).map_err(|error| FetchError::reading(url, error))?;
        for folder in &self.closed {
            let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
            if path.starts_with(&folder) || folder.starts_with(&path) {
                return Err(FetchError::Forbidden { url: url.to_owned(), folder });
            }
        }
        let metadata = fs::metadata(&path).map_err(|error| FetchError::reading(url, error))?;
        if metadata.is_dir() {
            return folder::copy(url, &path, into, &self.limits, stop);
        }
        let file = folder::open(&path).map_err(|error| FetchError::reading(url, error))?;
        let Some(file) = file else {
            let refusal = Refusal::Malformed("it is neither a file nor a folder".to_owned());
            return Err(FetchError::Refused { url: url.to_owned(), refusal });
        };
        unpack(file, into, &self.limits, stop).map_err(|error| FetchError::unpacking(url, error))
    }

    fn unpack_object(
        &self,
        url: &str,
        bucket: &str,
        key: &str,
        into: &Path,
        stop: &Stop,
    ) -> Result<(), FetchError> {
        let reader = self.buckets.open_object(bucket, key).map_err(|error| {
            let url = url.to_owned();
            match error {
                BucketError::NoSuchBucket => {
                    FetchError::NotFound { url, what: format!("no bucket \"{bucket}\"") }
                }
                BucketError::NoSuchKey => FetchError::NotFound {
                    url,
                    what: format!("no object \"{key}\" in bucket \"{bucket}\""),
                },
                error => FetchError::Store { url, source: Box::new(error) },
            }
        })?;
        unpack(reader, into, &self.limits, stop).map_err(|error| FetchError::unpacking(url, error))
    }
}
