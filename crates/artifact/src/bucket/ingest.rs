//! A request's body onto the disk: counted, hashed, checked, and never held in memory beyond one batch.

use std::future::poll_fn;
use std::io::Read as _;
use std::pin::Pin;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_core::Stream as _;
use http::StatusCode;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Result, StdError, TrailingHeaders, s3_error};

use super::blob::{Draft, Sealed};
use super::digest::{Algorithm, Digester, hex};
use super::error::{custom, hash_mismatch};
use super::record::Checksums;
use super::{BucketError, Buckets, ObjectReader, PUT_BYTES_MAX};

/// Bytes collected before they go to disk in one go on a blocking thread. Large enough to make the hand-over cheap.
const BATCH_BYTES: usize = 1 << 20;

/// A client that sends nothing for this long is cut off; S3 does so after about 20 s.
const IDLE_WAIT: Duration = Duration::from_secs(30);

/// What the request says of its body.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// Bytes, from Content-Length or x-amz-decoded-content-length.
    pub(super) length: Option<u64>,
    /// Content-MD5.
    pub(super) md5: Option<String>,
    /// Checksums given before the body.
    pub(super) checksums: Vec<(Algorithm, String)>,
    /// Checksums to compute.
    pub(super) algorithms: Vec<Algorithm>,
    /// Checksums announced to come behind the body.
    pub(super) trailing: Vec<Algorithm>,
}

/// A body on the disk, not yet named by the index.
#[derive(Debug)]
pub(super) struct Landed {
    pub(super) sealed: Sealed,
    /// The MD5 in hexadecimal.
    pub(super) etag: String,
    pub(super) checksums: Checksums,
}

/// The state that wanders between the task and the blocking threads.
struct Sink {
    draft: Draft,
    digester: Digester,
}

impl Sink {
    fn write(&mut self, batch: &[Bytes]) -> Result<(), BucketError> {
        for bytes in batch {
            self.digester.update(bytes);
            self.draft.write(bytes)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(Sealed, [u8; 16], Checksums), BucketError> {
        let (md5, checksums) = self.digester.finish();
        Ok((self.draft.seal()?, md5, checksums))
    }
}

/// Brings `body` to the disk. Whatever goes wrong, nothing of it stays.
pub(super) async fn land(
    buckets: &Buckets,
    body: Option<StreamingBlob>,
    declared: &Declared,
    trailers: Option<TrailingHeaders>,
) -> S3Result<Landed> {
    let length = declared.length.ok_or_else(|| s3_error!(MissingContentLength))?;
    if length > PUT_BYTES_MAX {
        return Err(s3_error!(EntityTooLarge));
    }
    let expected_md5 = declared.md5.as_deref().map(decode_md5).transpose()?;
    let draft = {
        let buckets = buckets.clone();
        blocking(move || buckets.draft()).await?
    };
    let mut sink = Sink { draft, digester: Digester::new(&declared.algorithms) };
    let mut received = 0_u64;
    if let Some(mut body) = body {
        let mut batch = Vec::new();
        let mut waiting = 0_usize;
        while let Some(bytes) = next(&mut body).await? {
            received += bytes.len() as u64;
            if received > length {
                return Err(s3_error!(
                    IncompleteBody,
                    "The request body is longer than its headers say."
                ));
            }
            waiting += bytes.len();
            batch.push(bytes);
            if waiting >= BATCH_BYTES {
                sink = write(sink, std::mem::take(&mut batch)).await?;
                waiting = 0;
            }
        }
        if !batch.is_empty() {
            sink = write(sink, batch).await?;
        }
    }
    if received != length {
        return Err(s3_error!(IncompleteBody));
    }
    // Only a body that is what it claims to be is worth a sync: so the checks come between.
    let (draft, md5, checksums) = {
        let Sink { draft, digester } = sink;
        let (md5, checksums) = digester.finish();
        (draft, md5, checksums)
    };
    if expected_md5.is_some_and(|expected| expected != md5) {
        return Err(s3_error!(
            BadDigest,
            "The Content-MD5 you specified did not match what we received."
        ));
    }
    for (algorithm, expected) in &declared.checksums {
        check(*algorithm, expected, &checksums)?;
    }
    check_trailers(declared, trailers, &checksums)?;
    let sealed = blocking(move || draft.seal().map_err(BucketError::from)).await?;
    Ok(Landed { sealed, etag: hex(&md5), checksums })
}

/// Copies a stretch of an object into a blob of its own. Blocks.
pub(super) fn land_copy(
    buckets: &Buckets,
    mut reader: ObjectReader,
    algorithms: &[Algorithm],
) -> Result<Landed, BucketError> {
    let mut sink = Sink { draft: buckets.draft()?, digester: Digester::new(algorithms) };
    let mut buffer = vec![0; BATCH_BYTES];
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        sink.digester.update(&buffer[..count]);
        sink.draft.write(&buffer[..count])?;
    }
    let (sealed, md5, checksums) = sink.finish()?;
    Ok(Landed { sealed, etag: hex(&md5), checksums })
}

/// Runs `work` where blocking is allowed.
pub(super) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> S3Result<T>
where
    T: Send + 'static,
    E: Into<S3Error> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(join) if join.is_panic() => std::panic::resume_unwind(join.into_panic()),
        Err(_) => Err(s3_error!(ServiceUnavailable, "The server is shutting down.")),
    }
}

async fn write(mut sink: Sink, batch: Vec<Bytes>) -> S3Result<Sink> {
    blocking(move || sink.write(&batch).map(|()| sink)).await
}

async fn next(body: &mut StreamingBlob) -> S3Result<Option<Bytes>> {
    let next = poll_fn(|cx| Pin::new(&mut *body).poll_next(cx));
    match tokio::time::timeout(IDLE_WAIT, next).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
        Ok(Some(Err(error))) => Err(body_error(&error)),
        Err(_) => Err(s3_error!(RequestTimeout)),
    }
}

/// `s3s` checks payload hashes and chunk signatures while the body is read, and reports them as errors of types that it keeps
/// to itself; their texts are what there is to tell them apart.
pub(super) fn body_error(error: &StdError) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        return hash_mismatch();
    }
    if text.contains("SignatureMismatch") {
        return s3_error!(SignatureDoesNotMatch);
    }
    if text.contains("ChunkTooLarge") {
        return custom(
            "InvalidChunkSizeError",
            StatusCode::BAD_REQUEST,
            "A signed chunk of the request body is too large.",
        );
    }
    if text.contains("FormatError") || text.contains("TooLarge") || text.contains("TooMany") {
        return s3_error!(InvalidRequest, "The request body is not well-formed aws-chunked.");
    }
    s3_error!(IncompleteBody)
}

fn decode_md5(text: &str) -> S3Result<[u8; 16]> {
    let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid."))
}

fn check(algorithm: Algorithm, expected: &str, computed: &Checksums) -> S3Result<()> {
    if algorithm.of(computed) == Some(expected) {
        return Ok(());
    }
    Err(s3_error!(
        BadDigest,
        "The {} you specified did not match the calculated checksum.",
        algorithm.name()
    ))
}

/// A checksum announced by x-amz-trailer must be there, and right.
fn check_trailers(
    declared: &Declared,
    trailers: Option<TrailingHeaders>,
    computed: &Checksums,
) -> S3Result<()> {
    if declared.trailing.is_empty() {
        return Ok(());
    }
    let headers = trailers.and_then(|trailers| trailers.take()).unwrap_or_default();
    for algorithm in &declared.trailing {
        let value = headers.get(algorithm.header()).and_then(|value| value.to_str().ok());
        let value = value.ok_or_else(|| {
            let message = "The request contained trailing data that was not well-formed or did not conform to our published schema.";
            custom("MalformedTrailerError", StatusCode::BAD_REQUEST, message)
        })?;
        check(*algorithm, value, computed)?;
    }
    Ok(())
}
