//! Why a model's artefacts are not there. The texts end up in an endpoint's `FailureReason`, so they read well on their own.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::bucket::BucketError;
use crate::unpack::{Refusal, UnpackError};

/// What kept a model's artefacts from being prepared.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not a URL this program can fetch.
    #[error("cannot fetch \"{url}\": {rule}")]
    Unsupported {
        /// As given.
        url: String,
        /// What would be accepted.
        rule: &'static str,
    },
    /// Nothing is there.
    #[error("there is nothing at \"{url}\": {what}")]
    NotFound {
        /// As given.
        url: String,
        /// Which part is missing.
        what: String,
    },
    /// Something is there that cannot be read.
    #[error("cannot read \"{url}\": {source}")]
    Unreadable {
        /// As given.
        url: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Something is there that must not be read.
    #[error("\"{url}\" lies in {}, which no model may read", folder.display())]
    Forbidden {
        /// As given.
        url: String,
        /// The folder that is closed.
        folder: PathBuf,
    },
    /// The archive or folder is not acceptable; names the entry.
    #[error("the artefacts at \"{url}\" are refused: {refusal}")]
    Refused {
        /// As given.
        url: String,
        /// Which entry, and why.
        refusal: Refusal,
    },
    /// Not done in time.
    #[error("\"{url}\" was not fetched and unpacked within {} s", deadline.as_secs())]
    TooSlow {
        /// As given.
        url: String,
        /// The time allowed.
        deadline: Duration,
    },
    /// No room for the unpacked copy.
    #[error("the disk is full: no room to unpack \"{url}\"")]
    DiskFull {
        /// As given.
        url: String,
    },
    /// The instance's folder cannot be written.
    #[error("cannot write the unpacked copy of \"{url}\": {source}")]
    Unwritable {
        /// As given.
        url: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The bucket store failed.
    #[error("the object store failed for \"{url}\": {source}")]
    Store {
        /// As given.
        url: String,
        /// Its reason.
        source: Box<BucketError>,
    },
    /// A server was reached and gave no artefact.
    #[error("the server of \"{url}\" answered {answer}")]
    Answered {
        /// As given, without a query.
        url: String,
        /// Status, and S3's code and message where there is one.
        answer: String,
    },
    /// No server was reached, or the connection broke.
    #[error("cannot fetch \"{url}\": {why}")]
    Unreachable {
        /// As given, without a query.
        url: String,
        /// The innermost reason.
        why: String,
    },
    /// More comes than any archive within the limits has.
    #[error("\"{url}\" has more than {limit} bytes")]
    TooLong {
        /// As given, without a query.
        url: String,
        /// Bytes that would be taken.
        limit: u64,
    },
    /// The caller gave up before it was done.
    #[error("fetching \"{url}\" was given up")]
    Stopped {
        /// As given.
        url: String,
    },
}

impl FetchError {
    pub(super) fn reading(url: &str, error: io::Error) -> Self {
        let url = url.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => {
                Self::NotFound { url, what: "no such file or folder".to_owned() }
            }
            _ => Self::Unreadable { url, source: error },
        }
    }

    pub(super) fn writing(url: &str, error: io::Error) -> Self {
        let url = url.to_owned();
        if is_disk_full(&error) {
            Self::DiskFull { url }
        } else {
            Self::Unwritable { url, source: error }
        }
    }

    pub(super) fn unpacking(url: &str, error: UnpackError) -> Self {
        match error {
            UnpackError::Refused(refusal) => Self::Refused { url: url.to_owned(), refusal },
            UnpackError::Write(error) => Self::writing(url, error),
            UnpackError::Read(error) => Self::reading(url, error),
            UnpackError::Stopped(_) => Self::Stopped { url: url.to_owned() },
        }
    }
}

/// No space, no quota, or a file larger than the file system takes.
pub(crate) fn is_disk_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
