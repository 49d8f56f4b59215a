//! `CopyObject` and `UploadPartCopy`.

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource, ETagCondition,
    Timestamp, UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::super::condition::{ReadCondition, Verdict};
use super::super::digest::Algorithm;
use super::super::ingest::land_copy;
use super::super::{Attributes, BucketError, PUT_BYTES_MAX, WriteCondition};
use super::attributes::attributes;
use super::multipart::check_part_number;
use super::put::with_checksums;
use super::{Answer, Operations, check_version, etag, seconds, tag, timestamp};

impl Operations {
    pub(super) async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> Answer<CopyObjectOutput> {
        let mut input = request.input;
        let source = source(&input.copy_source)?;
        let read = read_condition(
            (input.copy_source_if_match.take(), input.copy_source_if_none_match.take()),
            (
                input.copy_source_if_modified_since.as_ref(),
                input.copy_source_if_unmodified_since.as_ref(),
            ),
        );
        let replace_metadata =
            replaces(input.metadata_directive.as_ref().map(s3s::dto::MetadataDirective::as_str))?;
        let replace_tags =
            replaces(input.tagging_directive.as_ref().map(s3s::dto::TaggingDirective::as_str))?;
        let given = attributes!(input);
        let target = (input.bucket, input.key);
        let changes_something = replace_metadata
            || replace_tags
            || given.storage_class.is_some()
            || given.server_side_encryption.is_some();
        if source == target && !changes_something {
            return Err(s3_error!(
                InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."
            ));
        }
        let record = self
            .on_store(move |buckets| {
                let (before, _) = buckets.object(&source.0, &source.1)?;
                check_source(&read, &before.etag, before.modified_ms)?;
                if before.size > PUT_BYTES_MAX {
                    return Err(s3_error!(InvalidRequest, "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"));
                }
                let read_etag = before.etag;
                let (from, to) = ((source.0.as_str(), source.1.as_str()), (target.0.as_str(), target.1.as_str()));
                let copied = buckets.copy_object(from, to, &WriteCondition::None, |record| {
                    // The conditions were checked on what was there a moment ago; it must still be that.
                    if record.etag != read_etag {
                        return Err(BucketError::Precondition("If-Match"));
                    }
                    Ok(merged(given, &record.attributes, replace_metadata, replace_tags))
                })?;
                Ok::<_, S3Error>(copied)
            })
            .await?;
        let result = CopyObjectResult {
            e_tag: Some(etag(&record.etag)),
            last_modified: Some(timestamp(record.modified_ms)),
            ..Default::default()
        };
        let result = with_checksums!(result, &record.attributes.checksums);
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(result),
            ..Default::default()
        }))
    }

    pub(super) async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> Answer<UploadPartCopyOutput> {
        let _permit = self.upload_permit()?;
        let mut input = request.input;
        let source = source(&input.copy_source)?;
        check_part_number(input.part_number)?;
        let read = read_condition(
            (input.copy_source_if_match.take(), input.copy_source_if_none_match.take()),
            (
                input.copy_source_if_modified_since.as_ref(),
                input.copy_source_if_unmodified_since.as_ref(),
            ),
        );
        let range = input.copy_source_range.as_deref().map(parse_range).transpose()?;
        let (number, bucket, key, id) =
            (input.part_number, input.bucket, input.key, input.upload_id);
        let part = self
            .on_store(move |buckets| {
                let upload = buckets.upload(&bucket, &key, &id)?;
                let (_, reader) = buckets.open_stretch(&source.0, &source.1, |record, _| {
                    check_source(&read, &record.etag, record.modified_ms)?;
                    match range {
                        None => Ok(0..record.size),
                        Some((first, last)) if last < record.size => Ok(first..last + 1),
                        Some(_) => Err(s3_error!(
                            InvalidArgument,
                            "Range specified is not valid for source object of size: {}",
                            record.size
                        )),
                    }
                })?;
                if reader.left() > PUT_BYTES_MAX {
                    return Err(s3_error!(EntityTooLarge));
                }
                let algorithm =
                    upload.checksum.and_then(|checksum| Algorithm::from_name(&checksum.algorithm));
                let landed = land_copy(buckets, reader, algorithm.as_slice())?;
                let kept = (landed.etag, landed.checksums);
                Ok::<_, S3Error>(buckets.put_part(
                    (&bucket, &key, &id),
                    landed.sealed,
                    number,
                    kept,
                )?)
            })
            .await?;
        let result = CopyPartResult {
            e_tag: Some(etag(&part.etag)),
            last_modified: Some(timestamp(part.modified_ms)),
            ..Default::default()
        };
        let result = with_checksums!(result, &part.checksums);
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(result),
            ..Default::default()
        }))
    }
}

/// Bucket and key.
fn source(source: &CopySource) -> S3Result<(String, String)> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => {
            check_version(version_id.as_deref())?;
            Ok((bucket.to_string(), key.to_string()))
        }
        _ => Err(s3_error!(NotImplemented, "Access points and Outposts are not implemented")),
    }
}

fn replaces(directive: Option<&str>) -> S3Result<bool> {
    match directive {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(_) => Err(s3_error!(InvalidArgument, "Unknown metadata directive.")),
    }
}

/// What the copy is said to be: the source's words, or the request's.
fn merged(
    given: Attributes,
    source: &Attributes,
    replace_metadata: bool,
    replace_tags: bool,
) -> Attributes {
    let mut made = if replace_metadata { given.clone() } else { source.clone() };
    made.storage_class = given.storage_class;
    made.website_redirect = given.website_redirect;
    made.server_side_encryption = given.server_side_encryption;
    made.kms_key_id = given.kms_key_id;
    made.tags = if replace_tags { given.tags } else { source.tags.clone() };
    made.checksums = source.checksums.clone();
    // The bytes keep their pieces, so parts can still be asked for by number.
    made.parts = source.parts;
    made
}

fn read_condition(
    tags: (Option<ETagCondition>, Option<ETagCondition>),
    dates: (Option<&Timestamp>, Option<&Timestamp>),
) -> ReadCondition {
    ReadCondition {
        matching: tags.0.map(tag),
        none_matching: tags.1.map(tag),
        modified_since_secs: dates.0.map(seconds),
        unmodified_since_secs: dates.1.map(seconds),
    }
}

/// For a copy, "not modified" is a failure like the others.
fn check_source(condition: &ReadCondition, etag: &str, modified_ms: i64) -> S3Result<()> {
    match condition.check(etag, modified_ms) {
        Verdict::Go => Ok(()),
        Verdict::NotModified | Verdict::Failed(_) => Err(s3_error!(PreconditionFailed)),
    }
}

/// `bytes=first-last`; S3 takes nothing else here.
fn parse_range(text: &str) -> S3Result<(u64, u64)> {
    let bad = || {
        s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
        )
    };
    let (first, last) =
        text.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(bad)?;
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last && last < u64::MAX => Ok((first, last)),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_ranges_have_one_form() {
        assert_eq!(parse_range("bytes=0-0").ok(), Some((0, 0)));
        assert_eq!(parse_range("bytes=5-10").ok(), Some((5, 10)));
        for bad in [
            "",
            "bytes=",
            "bytes=1",
            "bytes=1-",
            "bytes=-1",
            "bytes=2-1",
            "0-1",
            "bytes=a-b",
            "bytes=0-18446744073709551615",
        ] {
            assert!(parse_range(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_copy_keeps_what_it_is_not_told_to_replace() {
        let source = Attributes {
            content_type: Some("a/b".into()),
            storage_class: Some("GLACIER".into()),
            tags: [("k".to_owned(), "v".to_owned())].into(),
            ..Default::default()
        };
        let given = Attributes { content_type: Some("c/d".into()), ..Default::default() };
        let copied = merged(given.clone(), &source, false, false);
        assert_eq!(
            (copied.content_type.as_deref(), copied.tags.len(), copied.storage_class),
            (Some("a/b"), 1, None)
        );
        let replaced = merged(given, &source, true, true);
        assert_eq!((replaced.content_type.as_deref(), replaced.tags.len()), (Some("c/d"), 0));
    }
}
