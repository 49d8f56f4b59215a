//! `ListObjectsV2` and its predecessor.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CommonPrefix, EncodingType, ListObjectsInput,
    ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::digest::Algorithm;
use super::super::index::list::after_marker;
use super::super::{Cursor, Listed, ObjectRecord, Page, Query};
use super::{Answer, Operations, etag, owner, page_size, size, timestamp};

/// What `encoding-type=url` leaves as it is.
const URL: AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');

/// How names are written in an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spelling {
    url: bool,
}

impl Spelling {
    pub(super) fn of(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Self { url: false }),
            Some(EncodingType::URL) => Ok(Self { url: true }),
            Some(_) => {
                Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request"))
            }
        }
    }

    pub(super) fn write(self, name: &str) -> String {
        if self.url { utf8_percent_encode(name, &URL).to_string() } else { name.to_owned() }
    }

    pub(super) fn kind(self) -> Option<EncodingType> {
        self.url.then(|| EncodingType::from_static(EncodingType::URL))
    }
}

impl Operations {
    pub(super) async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> Answer<ListObjectsV2Output> {
        let input = request.input;
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let max_keys = page_size(input.max_keys, "maxKeys")?;
        let from = match (&input.continuation_token, &input.start_after) {
            (Some(token), _) => Some(cursor(token)?),
            (None, Some(after)) if !after.is_empty() => {
                Some(Cursor::After(after.clone().into_bytes()))
            }
            _ => None,
        };
        let prefix = input.prefix.unwrap_or_default();
        let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
        let page = self.page(&input.bucket, &prefix, delimiter.as_deref(), from, max_keys).await?;
        let next = page.next.as_ref().map(token);
        let (contents, prefixes) = lines(page.lines, spelling, input.fetch_owner == Some(true))?;
        let output = ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(spelling.write(&prefix)),
            max_keys: Some(max_keys),
            key_count: i32::try_from(contents.len() + prefixes.len()).ok(),
            continuation_token: input.continuation_token,
            is_truncated: Some(next.is_some()),
            next_continuation_token: next,
            contents: Some(contents),
            common_prefixes: Some(prefixes),
            delimiter: delimiter.map(|delimiter| spelling.write(&delimiter)),
            encoding_type: spelling.kind(),
            start_after: input.start_after.map(|after| spelling.write(&after)),
            request_charged: None,
        };
        Ok(S3Response::new(output))
    }

    pub(super) async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> Answer<ListObjectsOutput> {
        let input = request.input;
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let max_keys = page_size(input.max_keys, "max-keys")?;
        let prefix = input.prefix.unwrap_or_default();
        let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
        let marker = input.marker.unwrap_or_default();
        let query = Query {
            prefix: &prefix,
            delimiter: delimiter.as_deref().unwrap_or_default(),
            from: None,
            most: 0,
        };
        let from = after_marker(&marker, &query);
        let page = self.page(&input.bucket, &prefix, delimiter.as_deref(), from, max_keys).await?;
        let truncated = page.next.is_some();
        // S3 names the next marker only with a delimiter; without one the last key is it.
        let next_marker =
            page.lines.last().filter(|_| truncated && delimiter.is_some()).map(|line| match line {
                Listed::Object(key, _) => spelling.write(key),
                Listed::Prefix(prefix) => spelling.write(prefix),
            });
        let (contents, prefixes) = lines(page.lines, spelling, true)?;
        let output = ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(spelling.write(&prefix)),
            marker: Some(spelling.write(&marker)),
            max_keys: Some(max_keys),
            is_truncated: Some(truncated),
            contents: Some(contents),
            common_prefixes: Some(prefixes),
            delimiter: delimiter.map(|delimiter| spelling.write(&delimiter)),
            next_marker,
            encoding_type: spelling.kind(),
            request_charged: None,
        };
        Ok(S3Response::new(output))
    }

    async fn page(
        &self,
        bucket: &str,
        prefix: &str,
        delimiter: Option<&str>,
        from: Option<Cursor>,
        most: i32,
    ) -> S3Result<Page> {
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        let delimiter = delimiter.unwrap_or_default().to_owned();
        let most = usize::try_from(most).unwrap_or(0);
        self.on_store(move |buckets| {
            buckets.list(&bucket, &Query { prefix: &prefix, delimiter: &delimiter, from, most })
        })
        .await
    }
}

fn lines(
    lines: Vec<Listed>,
    spelling: Spelling,
    with_owner: bool,
) -> S3Result<(Vec<Object>, Vec<CommonPrefix>)> {
    let (mut contents, mut prefixes) = (Vec::new(), Vec::new());
    for line in lines {
        match line {
            Listed::Object(key, record) => {
                contents.push(object(&key, &record, spelling, with_owner)?);
            }
            Listed::Prefix(prefix) => {
                prefixes.push(CommonPrefix { prefix: Some(spelling.write(&prefix)) });
            }
        }
    }
    Ok((contents, prefixes))
}

fn object(
    key: &str,
    record: &ObjectRecord,
    spelling: Spelling,
    with_owner: bool,
) -> S3Result<Object> {
    let attributes = &record.attributes;
    let algorithms: Vec<_> = Algorithm::ALL
        .into_iter()
        .filter(|algorithm| algorithm.of(&attributes.checksums).is_some())
        .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name()))
        .collect();
    let kind = if attributes.checksums.composite {
        ChecksumType::COMPOSITE
    } else {
        ChecksumType::FULL_OBJECT
    };
    let class =
        attributes.storage_class.clone().unwrap_or_else(|| ObjectStorageClass::STANDARD.to_owned());
    Ok(Object {
        checksum_type: (!algorithms.is_empty()).then(|| ChecksumType::from_static(kind)),
        checksum_algorithm: Some(algorithms),
        e_tag: Some(etag(&record.etag)),
        key: Some(spelling.write(key)),
        last_modified: Some(timestamp(record.modified_ms)),
        owner: with_owner.then(owner),
        restore_status: None,
        size: Some(size(record.size)?),
        storage_class: Some(class.into()),
    })
}

/// A continuation token: where to go on, unreadable on purpose so that nobody makes one up.
fn token(cursor: &Cursor) -> String {
    let (kind, key) = match cursor {
        Cursor::At(key) => (b'=', key),
        Cursor::After(key) => (b'>', key),
    };
    let mut bytes = vec![kind];
    bytes.extend(key);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn cursor(token: &str) -> S3Result<Cursor> {
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    match bytes.split_first() {
        Some((b'=', key)) => Ok(Cursor::At(key.to_vec())),
        Some((b'>', key)) => Ok(Cursor::After(key.to_vec())),
        _ => Err(s3_error!(InvalidArgument, "The continuation token provided is incorrect")),
    }
}
