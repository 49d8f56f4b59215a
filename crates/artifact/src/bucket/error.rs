//! What the object store can refuse or suffer, and its one translation into S3's errors.

use std::io;

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

use crate::fetch::is_disk_full;

/// A refusal or failure of the object store.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// No bucket of that name.
    #[error("the bucket does not exist")]
    NoSuchBucket,
    /// No object under that key.
    #[error("the object does not exist")]
    NoSuchKey,
    /// No such multipart upload, or it was completed or aborted.
    #[error("the multipart upload does not exist")]
    NoSuchUpload,
    /// `DeleteBucket` while objects or uploads remain.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// `CreateBucket` beyond [`super::BUCKETS_MAX`].
    #[error("there are too many buckets")]
    TooManyBuckets,
    /// If-Match or If-None-Match does not hold.
    #[error("the precondition {0} does not hold")]
    Precondition(&'static str),
    /// A part that `CompleteMultipartUpload` names is not there, or is another one.
    #[error("part {0} is missing or is not the one that was uploaded")]
    InvalidPart(i32),
    /// Parts not in ascending order, or none.
    #[error("the parts are not in ascending order")]
    InvalidPartOrder,
    /// A part other than the last is below S3's minimum.
    #[error("part {number} has {size} bytes; all but the last need {minimum}")]
    PartTooSmall {
        /// Which.
        number: i32,
        /// Its bytes.
        size: u64,
        /// S3's minimum.
        minimum: u64,
    },
    /// A checksum of the whole is not what the caller says.
    #[error("the checksum given for the whole object is not that of its parts")]
    BadDigest,
    /// No room, or too little left.
    #[error("the disk is full")]
    DiskFull,
    /// The disk failed.
    #[error("the disk failed")]
    Io(#[source] io::Error),
    /// The index failed.
    #[error("the index failed")]
    Index(#[source] rusqlite::Error),
    /// What is on disk cannot be: `what` names it.
    #[error("the bucket folder is damaged: {what}")]
    Damaged {
        /// What does not fit.
        what: String,
    },
}

impl From<io::Error> for BucketError {
    fn from(error: io::Error) -> Self {
        if is_disk_full(&error) { Self::DiskFull } else { Self::Io(error) }
    }
}

impl From<rusqlite::Error> for BucketError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull,
            _ => Self::Index(error),
        }
    }
}

impl From<BucketError> for S3Error {
    fn from(error: BucketError) -> Self {
        let code = match &error {
            BucketError::NoSuchBucket => S3ErrorCode::NoSuchBucket,
            BucketError::NoSuchKey => S3ErrorCode::NoSuchKey,
            BucketError::NoSuchUpload => S3ErrorCode::NoSuchUpload,
            BucketError::BucketNotEmpty => S3ErrorCode::BucketNotEmpty,
            BucketError::TooManyBuckets => S3ErrorCode::TooManyBuckets,
            BucketError::Precondition(_) => S3ErrorCode::PreconditionFailed,
            BucketError::InvalidPart(_) => S3ErrorCode::InvalidPart,
            BucketError::InvalidPartOrder => S3ErrorCode::InvalidPartOrder,
            BucketError::PartTooSmall { .. } => S3ErrorCode::EntityTooSmall,
            BucketError::BadDigest => S3ErrorCode::BadDigest,
            BucketError::DiskFull => return disk_full(),
            BucketError::Io(_) | BucketError::Index(_) | BucketError::Damaged { .. } => {
                return Self::with_source(S3ErrorCode::InternalError, Box::new(error));
            }
        };
        Self::new(code)
    }
}

/// AWS has no such error; 507 says it best, and SDKs do not retry it.
fn disk_full() -> S3Error {
    custom(
        "InsufficientStorage",
        StatusCode::INSUFFICIENT_STORAGE,
        "The server's disk is full. Delete objects or make room, then try again.",
    )
}

/// A body is not the one whose hash was signed.
pub(super) fn hash_mismatch() -> S3Error {
    let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    custom("XAmzContentSHA256Mismatch", StatusCode::BAD_REQUEST, message)
}

/// A code that `s3s` has no name for.
pub(super) fn custom(code: &'static str, status: StatusCode, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}
