//! A model's artefacts into an instance's own folder.
//!
//! Every instance gets its own copy: no instance can change what another one reads. A cache may come between (unpack once,
//! copy or share blocks per instance) without changing [`Artifacts::prepare`]. This must not keep a half-made folder, reach
//! over the network but through `network`, or know what the files mean.

mod error;
mod folder;
mod location;
mod pipe;
mod real;
#[cfg(test)]
mod tests;
mod web;
#[cfg(test)]
mod web_tests;

pub use error::FetchError;
pub(crate) use error::is_disk_full;
pub use real::{AccessKey, Keys, RealBucket, RealBucketError};

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::bucket::BucketError;
use crate::network::Network;
use crate::unpack::{Limits, Refusal, unpack};
use crate::{Buckets, Stop};
use location::{Location, presentable};
use pipe::{Drain, Feed, pipe};

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
    real: Vec<RealBucket>,
    network: Arc<Network>,
    limits: Limits,
    closed: Vec<PathBuf>,
}

/// What unpacks on a thread of its own.
enum Source {
    Path(PathBuf),
    Object { bucket: String, key: String },
    Download(Drain),
}

/// What downloads meanwhile.
enum Download {
    Nothing,
    Web { from: url::Url, feed: Feed },
    Object { real: RealBucket, bucket: String, key: String, feed: Feed },
}

/// Gzip makes what does not compress longer by a few bytes for every 16 KiB, and tar pads: beyond this an archive's files
/// cannot be within `limits`.
fn download_bytes_max(limits: &Limits) -> u64 {
    const PADDING_BYTES: u64 = 64 << 20;
    limits.bytes.saturating_add(limits.bytes / 256).saturating_add(PADDING_BYTES)
}

impl Artifacts {
    /// `closed`: folders that no `file://` URL may reach, above all the data directory with its credentials.
    pub fn new(buckets: Buckets, limits: Limits, closed: Vec<PathBuf>) -> Self {
        Self::with_real_buckets(buckets, limits, closed, Vec::new())
    }

    /// As [`Artifacts::new`]; buckets that one of `real` matches, the first, are fetched from there instead.
    pub fn with_real_buckets(
        buckets: Buckets,
        limits: Limits,
        closed: Vec<PathBuf>,
        real: Vec<RealBucket>,
    ) -> Self {
        let network = Arc::new(Network::default());
        Self { shared: Arc::new(Shared { buckets, real, network, limits, closed }) }
    }

    /// Makes the folder `into` hold the artefacts at `url`: `file:///abs/model.tar.gz`, a `file://` folder,
    /// `s3://bucket/key` of the embedded or a real S3, or `https://…`. `into` must not exist or be empty; its parent must
    /// exist.
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
        let shown = presentable(url);
        let location = Location::parse(url).map_err(|_| location::unsupported(&shown))?;
        let (source, download) = self.shared.plan(location);
        let stop = Stop::default();
        let _guard = stop.on_drop();
        let work = {
            let (shared, stop) = (Arc::clone(&self.shared), stop.clone());
            let (url, into) = (shown.clone(), into.to_owned());
            move || shared.unpack(source, &url, &into, &stop)
        };
        let mut work = tokio::task::spawn_blocking(work);
        let both = async { tokio::join!(self.shared.download(download, &shown), &mut work) };
        let Ok((downloaded, unpacked)) = tokio::time::timeout(deadline, both).await else {
            stop.stop();
            return match tokio::time::timeout(CLEAN_UP_WAIT, work).await {
                // It was done in the very moment: what is there is whole.
                Ok(Ok(Ok(()))) => Ok(()),
                _ => Err(FetchError::TooSlow { url: shown, deadline }),
            };
        };
        // A download that failed is why the archive was cut short.
        downloaded?;
        match unpacked {
            Ok(result) => result,
            Err(join) if join.is_panic() => std::panic::resume_unwind(join.into_panic()),
            Err(_) => Err(FetchError::Stopped { url: shown }),
        }
    }
}

impl Shared {
    fn plan(&self, location: Location) -> (Source, Download) {
        let most = download_bytes_max(&self.limits);
        match location {
            Location::File(path) => (Source::Path(path), Download::Nothing),
            Location::Web(from) => {
                let (feed, drain) = pipe(most);
                (Source::Download(drain), Download::Web { from, feed })
            }
            Location::Object { bucket, key } => {
                match self.real.iter().find(|real| real.holds(&bucket)) {
                    Some(real) => {
                        let (feed, drain) = pipe(most);
                        let real = real.clone();
                        let download = Download::Object { real, bucket, key, feed };
                        (Source::Download(drain), download)
                    }
                    None => (Source::Object { bucket, key }, Download::Nothing),
                }
            }
        }
    }

    /// Ends when everything has come, or when the unpacker has seen enough.
    async fn download(&self, download: Download, url: &str) -> Result<(), FetchError> {
        let most = download_bytes_max(&self.limits);
        match download {
            Download::Nothing => Ok(()),
            Download::Web { from, feed } => {
                let gone = feed.gone();
                let whole = web::download(&self.network, url, &from, most, feed);
                tokio::select! { biased; done = whole => done, () = gone => Ok(()) }
            }
            Download::Object { real, bucket, key, feed } => {
                let gone = feed.gone();
                let whole = real.download(&self.network, (url, &bucket, &key), most, feed);
                tokio::select! { biased; done = whole => done, () = gone => Ok(()) }
            }
        }
    }

    fn unpack(
        &self,
        source: Source,
        url: &str,
        into: &Path,
        stop: &Stop,
    ) -> Result<(), FetchError> {
        match source {
            Source::Path(path) => self.unpack_path(url, &path, into, stop),
            Source::Object { bucket, key } => self.unpack_object(url, &bucket, &key, into, stop),
            Source::Download(drain) => unpack(drain, into, &self.limits, stop)
                .map_err(|error| FetchError::unpacking(url, error)),
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
