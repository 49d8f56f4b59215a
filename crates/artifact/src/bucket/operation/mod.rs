//! S3's operations on [`Buckets`]: one file per group, and the list of what there is.
//!
//! What is not in the list below is answered `NotImplemented` by `s3s`, in S3's form.

mod attributes;
mod bucket;
mod copy;
mod delete;
mod get;
mod list;
mod multipart;
mod put;
mod tagging;

use std::sync::Arc;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CreateBucketInput,
    CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteBucketInput,
    DeleteBucketOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectTaggingInput,
    DeleteObjectTaggingOutput, DeleteObjectsInput, DeleteObjectsOutput, ETag, ETagCondition,
    GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, GetObjectInput, GetObjectOutput, GetObjectTaggingInput,
    GetObjectTaggingOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
    ListBucketsInput, ListBucketsOutput, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput,
    ListPartsOutput, Owner, PutObjectInput, PutObjectOutput, PutObjectTaggingInput,
    PutObjectTaggingOutput, Timestamp, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::condition::Tag;
use super::ingest::blocking;
use super::record::from_ms;
use super::{Buckets, WriteCondition};

/// Bodies on their way to disk at once. Each holds about a megabyte; the AWS CLI sends ten at a time.
const UPLOADS_AT_ONCE: usize = 128;

/// S3's largest page.
const PAGE_MAX: i32 = 1_000;

/// The one owner there is. S3's canonical user ids are 64 hexadecimal digits that mean nothing to anyone.
const OWNER_ID: &str = "7469646567617465000000000000000000000000000000000000000000000000";

/// S3's operations, on one store and for one region.
#[derive(Debug)]
pub(super) struct Operations {
    buckets: Buckets,
    region: Arc<str>,
    uploads: Arc<Semaphore>,
}

type Answer<T> = S3Result<S3Response<T>>;

impl Operations {
    pub(super) fn new(buckets: Buckets, region: &str) -> Self {
        Self { buckets, region: region.into(), uploads: Arc::new(Semaphore::new(UPLOADS_AT_ONCE)) }
    }

    /// Runs `work` on the store where blocking is allowed.
    async fn on_store<T, E>(
        &self,
        work: impl FnOnce(&Buckets) -> Result<T, E> + Send + 'static,
    ) -> S3Result<T>
    where
        T: Send + 'static,
        E: Into<S3Error> + Send + 'static,
    {
        let buckets = self.buckets.clone();
        blocking(move || work(&buckets)).await
    }

    /// Leave to take a body in; hold it until the body has landed.
    fn upload_permit(&self) -> S3Result<OwnedSemaphorePermit> {
        Arc::clone(&self.uploads).try_acquire_owned().map_err(|_| s3_error!(SlowDown))
    }
}

fn owner() -> Owner {
    Owner { display_name: None, id: Some(OWNER_ID.to_owned()) }
}

fn etag(value: &str) -> ETag {
    ETag::Strong(value.to_owned())
}

fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from(from_ms(ms))
}

/// Seconds since 1970; what cannot be told is long ago.
fn seconds(timestamp: &Timestamp) -> i64 {
    milliseconds(timestamp).div_euclid(1000)
}

fn milliseconds(timestamp: &Timestamp) -> i64 {
    let mut text = Vec::new();
    if timestamp.format(s3s::dto::TimestampFormat::EpochSeconds, &mut text).is_err() {
        return i64::MIN;
    }
    let text = String::from_utf8_lossy(&text);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = format!("{fraction:0<3}");
    let ms = fraction.get(..3).and_then(|digits| digits.parse::<i64>().ok()).unwrap_or(0);
    whole.parse::<i64>().map_or(i64::MIN, |whole| whole.saturating_mul(1000).saturating_add(ms))
}

fn size(bytes: u64) -> S3Result<i64> {
    i64::try_from(bytes).map_err(S3Error::internal_error)
}

fn tag(condition: ETagCondition) -> Tag {
    match condition {
        ETagCondition::Any => Tag::Any,
        ETagCondition::ETag(etag) => Tag::Is(etag.into_value()),
    }
}

/// If-Match and If-None-Match of a write. S3 knows only `*` for the latter.
fn write_condition(
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
) -> S3Result<WriteCondition> {
    match (if_match, if_none_match) {
        (None, None) => Ok(WriteCondition::None),
        (None, Some(ETagCondition::Any)) => Ok(WriteCondition::Absent),
        (Some(ETagCondition::Any), None) => Ok(WriteCondition::Present),
        (Some(ETagCondition::ETag(etag)), None) => Ok(WriteCondition::Matches(etag.into_value())),
        _ => Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented"
        )),
    }
}

/// There are no versions: the only one has no name but `null`.
fn check_version(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("null" | "") => Ok(()),
        Some(_) => Err(s3_error!(NoSuchVersion)),
    }
}

/// A page size as S3 takes it.
fn page_size(wanted: Option<i32>, name: &str) -> S3Result<i32> {
    match wanted {
        None => Ok(PAGE_MAX),
        Some(wanted) if wanted < 0 => Err(s3_error!(
            InvalidArgument,
            "Argument {name} must be an integer between 0 and 2147483647"
        )),
        Some(wanted) => Ok(wanted.min(PAGE_MAX)),
    }
}

/// Every operation there is, each in the file of its group.
macro_rules! operations {
    ($($name:ident: $input:ident => $output:ident),* $(,)?) => {
        /// The inputs of the operations that there are: `PutObjectInput`.
        const INPUTS: &[&str] = &[$(stringify!($input)),*];

        #[async_trait::async_trait]
        impl S3 for Operations {
            $(async fn $name(&self, request: S3Request<$input>) -> Answer<$output> {
                Operations::$name(self, request).await
            })*
        }
    };
}

operations! {
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput,
    complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput,
    copy_object: CopyObjectInput => CopyObjectOutput,
    create_bucket: CreateBucketInput => CreateBucketOutput,
    create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput,
    delete_bucket: DeleteBucketInput => DeleteBucketOutput,
    delete_object: DeleteObjectInput => DeleteObjectOutput,
    delete_object_tagging: DeleteObjectTaggingInput => DeleteObjectTaggingOutput,
    delete_objects: DeleteObjectsInput => DeleteObjectsOutput,
    get_bucket_location: GetBucketLocationInput => GetBucketLocationOutput,
    get_bucket_versioning: GetBucketVersioningInput => GetBucketVersioningOutput,
    get_object: GetObjectInput => GetObjectOutput,
    get_object_tagging: GetObjectTaggingInput => GetObjectTaggingOutput,
    head_bucket: HeadBucketInput => HeadBucketOutput,
    head_object: HeadObjectInput => HeadObjectOutput,
    list_buckets: ListBucketsInput => ListBucketsOutput,
    list_multipart_uploads: ListMultipartUploadsInput => ListMultipartUploadsOutput,
    list_objects: ListObjectsInput => ListObjectsOutput,
    list_objects_v2: ListObjectsV2Input => ListObjectsV2Output,
    list_parts: ListPartsInput => ListPartsOutput,
    put_object: PutObjectInput => PutObjectOutput,
    put_object_tagging: PutObjectTaggingInput => PutObjectTaggingOutput,
    upload_part: UploadPartInput => UploadPartOutput,
    upload_part_copy: UploadPartCopyInput => UploadPartCopyOutput,
}

/// The names of the operations that there are: `PutObject`. A guard has a case for each.
pub fn operation_names() -> impl Iterator<Item = &'static str> {
    INPUTS.iter().map(|input| input.strip_suffix("Input").unwrap_or(input))
}
