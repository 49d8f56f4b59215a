//! `GetObject` and `HeadObject`.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use s3s::dto::{
    ChecksumMode, ChecksumType, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    StreamingBlob,
};
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{S3Error, S3Request, S3Response, S3Result, StdError, s3_error};
use std::io::Read as _;
use tokio::task::JoinHandle;

use super::super::condition::{ReadCondition, Verdict};
use super::super::error::custom;
use super::super::{ObjectReader, ObjectRecord, Piece};
use super::attributes::check_customer_key;
use super::put::with_checksums;
use super::{Answer, Operations, check_version, etag, seconds, size, tag, timestamp};

/// What S3 says of an object whose uploader did not say what it is.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// Bytes read at a time for a download.
const READ_BYTES: usize = 256 << 10;

/// The members that describe an object, of `GetObject`'s and `HeadObject`'s outputs alike.
macro_rules! described {
    ($output:ident, $record:expr, $choice:expr, $with_checksums:expr) => {{
        let record: &ObjectRecord = $record;
        let choice: &Choice = $choice;
        let attributes = &record.attributes;
        let output = $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: attributes.cache_control.clone(),
            content_disposition: attributes.content_disposition.clone(),
            content_encoding: attributes.content_encoding.clone(),
            content_language: attributes.content_language.clone(),
            content_length: Some(size(choice.range.end - choice.range.start)?),
            content_range: choice.partial.then(|| content_range(&choice.range, record.size)),
            content_type: Some(
                attributes.content_type.clone().unwrap_or_else(|| DEFAULT_CONTENT_TYPE.to_owned()),
            ),
            e_tag: Some(etag(&record.etag)),
            expires: attributes.expires_ms.map(timestamp),
            last_modified: Some(timestamp(record.modified_ms)),
            metadata: Some(attributes.user.clone().into_iter().collect()),
            parts_count: choice.by_part.then_some(attributes.parts).flatten(),
            server_side_encryption: attributes.server_side_encryption.clone().map(Into::into),
            ssekms_key_id: attributes.kms_key_id.clone(),
            storage_class: attributes
                .storage_class
                .clone()
                .filter(|class| class != "STANDARD")
                .map(Into::into),
            website_redirect_location: attributes.website_redirect.clone(),
            ..Default::default()
        };
        // A checksum of the whole says nothing about a part of it.
        if $with_checksums && !choice.partial && !attributes.checksums.is_empty() {
            let kind = if attributes.checksums.composite {
                ChecksumType::COMPOSITE
            } else {
                ChecksumType::FULL_OBJECT
            };
            let mut output = with_checksums!(output, &attributes.checksums);
            output.checksum_type = Some(ChecksumType::from_static(kind));
            output
        } else {
            output
        }
    }};
}

/// The stretch that a request wants.
#[derive(Clone, Debug, Default)]
struct Choice {
    range: Range<u64>,
    partial: bool,
    by_part: bool,
}

/// What decides whether, and what, is answered.
#[derive(Debug)]
struct Wish {
    condition: ReadCondition,
    range: Option<s3s::dto::Range>,
    part: Option<i32>,
}

impl Wish {
    fn choose(&self, record: &ObjectRecord, pieces: &[Piece]) -> S3Result<Choice> {
        match self.condition.check(&record.etag, record.modified_ms) {
            Verdict::Go => {}
            Verdict::NotModified => return Err(not_modified(record)?),
            Verdict::Failed(_) => return Err(s3_error!(PreconditionFailed)),
        }
        let whole = Choice { range: 0..record.size, partial: false, by_part: false };
        match (&self.range, self.part) {
            (Some(_), Some(_)) => Err(s3_error!(
                InvalidRequest,
                "Cannot specify both Range header and partNumber query parameter"
            )),
            (Some(range), None) => {
                let range = range.check(record.size)?;
                Ok(Choice { range, partial: true, by_part: false })
            }
            (None, Some(part)) => choose_part(part, record, pieces),
            (None, None) => Ok(whole),
        }
    }
}

fn choose_part(part: i32, record: &ObjectRecord, pieces: &[Piece]) -> S3Result<Choice> {
    let unsatisfiable = || {
        custom(
            "InvalidPartNumber",
            http::StatusCode::RANGE_NOT_SATISFIABLE,
            "The requested partnumber is not satisfiable",
        )
    };
    let index = usize::try_from(part)
        .ok()
        .and_then(|part| part.checked_sub(1))
        .ok_or_else(unsatisfiable)?;
    if record.attributes.parts.is_none() {
        // Not a multipart object: it is its own first part.
        let whole = Choice { range: 0..record.size, partial: record.size > 0, by_part: true };
        return if index == 0 { Ok(whole) } else { Err(unsatisfiable()) };
    }
    let piece = pieces.get(index).ok_or_else(unsatisfiable)?;
    let start: u64 = pieces.iter().take(index).map(|piece| piece.size).sum();
    Ok(Choice { range: start..start + piece.size, partial: true, by_part: true })
}

impl Operations {
    pub(super) async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> Answer<GetObjectOutput> {
        let input = request.input;
        check_version(input.version_id.as_deref())?;
        check_customer_key(input.sse_customer_algorithm.as_deref())?;
        let wish = Wish {
            condition: ReadCondition {
                matching: input.if_match.map(tag),
                none_matching: input.if_none_match.map(tag),
                modified_since_secs: input.if_modified_since.as_ref().map(seconds),
                unmodified_since_secs: input.if_unmodified_since.as_ref().map(seconds),
            },
            range: input.range,
            part: input.part_number,
        };
        let checksums = wants_checksums(input.checksum_mode.as_ref());
        let (bucket, key) = (input.bucket, input.key);
        let (record, choice, reader) = self
            .on_store(move |buckets| {
                let mut choice = Choice::default();
                let (record, reader) = buckets.open_stretch(&bucket, &key, |record, pieces| {
                    choice = wish.choose(record, pieces)?;
                    Ok::<_, S3Error>(choice.range.clone())
                })?;
                Ok::<_, S3Error>((record, choice, reader))
            })
            .await?;
        let mut output = described!(GetObjectOutput, &record, &choice, checksums);
        output.tag_count =
            i32::try_from(record.attributes.tags.len()).ok().filter(|count| *count > 0);
        output.body = Some(StreamingBlob::new(Download::new(reader)));
        Ok(S3Response::new(output))
    }

    pub(super) async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> Answer<HeadObjectOutput> {
        let input = request.input;
        check_version(input.version_id.as_deref())?;
        check_customer_key(input.sse_customer_algorithm.as_deref())?;
        let wish = Wish {
            condition: ReadCondition {
                matching: input.if_match.map(tag),
                none_matching: input.if_none_match.map(tag),
                modified_since_secs: input.if_modified_since.as_ref().map(seconds),
                unmodified_since_secs: input.if_unmodified_since.as_ref().map(seconds),
            },
            range: input.range,
            part: input.part_number,
        };
        let (bucket, key) = (input.bucket, input.key);
        let (record, pieces) = self.on_store(move |buckets| buckets.object(&bucket, &key)).await?;
        let choice = wish.choose(&record, &pieces)?;
        let output = described!(
            HeadObjectOutput,
            &record,
            &choice,
            wants_checksums(input.checksum_mode.as_ref())
        );
        let mut response = S3Response::new(output);
        if choice.partial {
            response.status = Some(http::StatusCode::PARTIAL_CONTENT);
        }
        Ok(response)
    }
}

fn wants_checksums(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

/// 304 says which object it is that has not changed.
fn not_modified(record: &ObjectRecord) -> S3Result<S3Error> {
    let mut headers = http::HeaderMap::new();
    headers.insert(
        http::header::ETAG,
        etag(&record.etag).to_http_header().map_err(S3Error::internal_error)?,
    );
    let mut error = s3_error!(NotModified);
    error.set_headers(headers);
    Ok(error)
}

/// An object's bytes as a stream: read on blocking threads, one buffer at a time, only as fast as the client takes them.
struct Download {
    left: u64,
    state: State,
}

enum State {
    Idle(Box<ObjectReader>),
    Reading(JoinHandle<std::io::Result<(Box<ObjectReader>, Bytes)>>),
    Over,
}

impl Download {
    fn new(reader: ObjectReader) -> Self {
        Self { left: reader.left(), state: State::Idle(Box::new(reader)) }
    }
}

fn read(mut reader: Box<ObjectReader>) -> std::io::Result<(Box<ObjectReader>, Bytes)> {
    let wanted = usize::try_from(reader.left()).unwrap_or(usize::MAX).min(READ_BYTES);
    let mut buffer = vec![0; wanted];
    reader.read_exact(&mut buffer)?;
    Ok((reader, buffer.into()))
}

impl Stream for Download {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Idle(_) if self.left == 0 => return Poll::Ready(None),
                State::Idle(reader) => {
                    self.state = State::Reading(tokio::task::spawn_blocking(move || read(reader)));
                }
                State::Reading(mut task) => match Pin::new(&mut task).poll(cx) {
                    Poll::Pending => {
                        self.state = State::Reading(task);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(Ok((reader, bytes)))) => {
                        self.left -= bytes.len() as u64;
                        self.state = State::Idle(reader);
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                    Poll::Ready(Ok(Err(error))) => return Poll::Ready(Some(Err(Box::new(error)))),
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(Box::new(error)))),
                },
            }
        }
    }
}

impl ByteStream for Download {
    fn remaining_length(&self) -> RemainingLength {
        usize::try_from(self.left)
            .map_or_else(|_| RemainingLength::unknown(), RemainingLength::new_exact)
    }
}
