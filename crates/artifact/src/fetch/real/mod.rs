//! Buckets that a real S3 holds: which they are, and one GET from there.
//!
//! The configuration names them by pattern; every other bucket is the embedded S3's. Only models are read from there: calls
//! of S3's API to this server never reach it.

mod keys;
#[cfg(test)]
mod tests;

pub use keys::{AccessKey, Keys};

use std::sync::Arc;
use std::time::Duration;

use globset::{Glob, GlobMatcher};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStoreExt as _, RetryConfig};
use s3s::validation::{AwsNameValidation, NameValidation as _};
use url::{Host, Url};

use super::FetchError;
use super::pipe::Feed;
use super::web::pump;
use crate::network::{self, Connector, Network};
use crate::unpack::shown;

/// As for `https://`: what fails for that long is down.
const RETRY: RetryConfig = RetryConfig {
    backoff: BackoffConfig {
        init_backoff: Duration::from_millis(300),
        max_backoff: Duration::from_secs(2),
        base: 2.0,
    },
    max_retries: 3,
    retry_timeout: Duration::from_mins(1),
};

/// Which buckets are real, where, and whose key opens them.
#[derive(Clone, Debug)]
pub struct RealBucket {
    pattern: GlobMatcher,
    endpoint: Option<String>,
    region: String,
    keys: Keys,
}

/// Why an entry of the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RealBucketError {
    /// Not a glob.
    #[error("bucket = \"{pattern}\" is not a pattern: {why}")]
    Pattern {
        /// As given.
        pattern: String,
        /// The glob's fault.
        why: String,
    },
    /// Not an endpoint that a key may be sent to.
    #[error(
        "endpoint = \"{0}\" must be https://host or https://host:port; http:// is accepted for 127.0.0.1, [::1] and localhost"
    )]
    Endpoint(String),
}

impl RealBucket {
    /// `pattern`: a glob over bucket names. `endpoint`: of an S3 that is not AWS's; buckets are named in the path.
    ///
    /// # Errors
    /// [`RealBucketError`], which names the setting.
    pub fn new(
        pattern: &str,
        endpoint: Option<&str>,
        region: &str,
        keys: Keys,
    ) -> Result<Self, RealBucketError> {
        let glob = Glob::new(pattern).map_err(|error| RealBucketError::Pattern {
            pattern: pattern.to_owned(),
            why: error.kind().to_string(),
        })?;
        if let Some(endpoint) = endpoint.filter(|endpoint| !is_endpoint(endpoint)) {
            return Err(RealBucketError::Endpoint(endpoint.to_owned()));
        }
        Ok(Self {
            pattern: glob.compile_matcher(),
            endpoint: endpoint.map(|endpoint| endpoint.trim_end_matches('/').to_owned()),
            region: region.to_owned(),
            keys,
        })
    }

    pub(super) fn holds(&self, bucket: &str) -> bool {
        self.pattern.is_match(bucket)
    }

    /// Downloads an object into `feed`; `limit` is what `feed` takes. `url` is for messages.
    pub(super) async fn download(
        &self,
        network: &Arc<Network>,
        (url, bucket, key): (&str, &str, &str),
        limit: u64,
        feed: Feed,
    ) -> Result<(), FetchError> {
        let path = path(url, bucket, key)?;
        let store = self.open(network, url, bucket).await?;
        let got = store.get(&path).await.map_err(|error| told(url, bucket, key, &error))?;
        if got.meta.size > limit {
            return Err(FetchError::TooLong { url: url.to_owned(), limit });
        }
        pump(url, limit, feed, got.into_stream()).await
    }

    async fn open(
        &self,
        network: &Arc<Network>,
        url: &str,
        bucket: &str,
    ) -> Result<AmazonS3, FetchError> {
        let unreachable = |why| FetchError::Unreachable { url: url.to_owned(), why };
        let plain = self.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
        let builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&self.region)
            .with_retry(RETRY)
            .with_client_options(ClientOptions::new().with_allow_http(plain))
            .with_http_connector(Connector(Arc::clone(network)));
        let builder = match &self.endpoint {
            Some(endpoint) => builder.with_endpoint(endpoint),
            None => builder,
        };
        let keys = self.keys.clone();
        let builder = tokio::task::spawn_blocking(move || keys.apply(builder))
            .await
            .map_err(|error| unreachable(error.to_string()))?
            .map_err(unreachable)?;
        builder.build().map_err(|error| unreachable(network::root_cause(&error)))
    }
}

/// `https://` anywhere, `http://` on this machine; a key goes there, so nothing else.
fn is_endpoint(endpoint: &str) -> bool {
    let Ok(url) = Url::parse(endpoint) else { return false };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    plain && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
}

/// `object_store` tidies keys: one that would come out as another is refused rather than read from elsewhere.
fn path(url: &str, bucket: &str, key: &str) -> Result<Path, FetchError> {
    let unsupported = |rule| FetchError::Unsupported { url: url.to_owned(), rule };
    if !AwsNameValidation::new().validate_bucket_name(bucket) {
        return Err(unsupported("that is not a bucket's name"));
    }
    Path::parse(key).ok().filter(|path| path.as_ref() == key).ok_or_else(|| {
        unsupported(
            "the key of an object in a real S3 must not begin or end with a slash, nor hold \"//\", \"/./\", \"/../\" or \
             control characters",
        )
    })
}

/// What a failure comes to in a `FailureReason`.
fn told(url: &str, bucket: &str, key: &str, error: &object_store::Error) -> FetchError {
    let cause = network::root_cause(error);
    let said = s3_says(&cause);
    let url = url.to_owned();
    match error {
        object_store::Error::NotFound { .. } if cause.contains("NoSuchBucket") => {
            FetchError::NotFound { url, what: format!("no bucket \"{bucket}\" there") }
        }
        object_store::Error::NotFound { .. } => FetchError::NotFound {
            url,
            what: format!("no object \"{key}\" in bucket \"{bucket}\""),
        },
        object_store::Error::PermissionDenied { .. } => FetchError::Answered {
            url,
            answer: said.map_or_else(|| "403 Forbidden".to_owned(), |said| format!("403: {said}")),
        },
        object_store::Error::Unauthenticated { .. } => FetchError::Answered {
            url,
            answer: said
                .map_or_else(|| "401 Unauthorized".to_owned(), |said| format!("401: {said}")),
        },
        _ => match said {
            Some(answer) => FetchError::Answered { url, answer },
            None => FetchError::Unreachable { url, why: shown(cause.as_bytes()) },
        },
    }
}

/// Code and message of S3's error, which may also hold key ids and what was signed: those stay out of logs.
fn s3_says(text: &str) -> Option<String> {
    let member = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        Some(shown(value.as_bytes()))
    };
    let code = member("Code")?;
    Some(member("Message").map_or_else(|| code.clone(), |message| format!("{code}: {message}")))
}
