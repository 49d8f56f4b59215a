//! `DeleteObject` and `DeleteObjects`.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETag, Error,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::super::service::guard::{AllKeptBack, KeptBack};
use super::super::{Buckets, WriteCondition};
use super::{Answer, Operations, check_version, write_condition};

/// S3's limit for one `DeleteObjects`.
const DELETES_MAX: usize = 1_000;

impl Operations {
    pub(super) async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> Answer<DeleteObjectOutput> {
        let input = request.input;
        check_version(input.version_id.as_deref())?;
        if input.if_match_last_modified_time.is_some() || input.if_match_size.is_some() {
            return Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented"
            ));
        }
        let condition = write_condition(input.if_match, None)?;
        let (bucket, key) = (input.bucket, input.key);
        self.on_store(move |buckets| buckets.delete_object(&bucket, &key, &condition)).await?;
        Ok(S3Response::with_status(DeleteObjectOutput::default(), http::StatusCode::NO_CONTENT))
    }

    pub(super) async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        let kept = request.extensions.get::<AllKeptBack>().cloned().unwrap_or_default().0;
        let DeleteObjectsInput { bucket, delete, .. } = request.input;
        let count = delete.objects.len() + kept.len();
        if count == 0 || count > DELETES_MAX {
            return Err(s3_error!(MalformedXML));
        }
        self.require_bucket(bucket.clone()).await?;
        let quiet = delete.quiet == Some(true);
        let mut deleted = Vec::new();
        let mut errors: Vec<Error> = kept.into_iter().map(denied).collect();
        for object in delete.objects {
            let (bucket, key) = (bucket.clone(), object.key.clone());
            let (version, etag) = (object.version_id.clone(), object.e_tag);
            let outcome = self
                .on_store(move |buckets| one(buckets, (&bucket, &key), version.as_deref(), etag))
                .await;
            match outcome {
                Ok(()) if quiet => {}
                Ok(()) => deleted.push(DeletedObject {
                    key: Some(object.key),
                    version_id: object.version_id,
                    ..Default::default()
                }),
                Err(error) => errors.push(Error {
                    code: Some(error.code().as_str().to_owned()),
                    key: Some(object.key),
                    message: Some(error.message().unwrap_or_default().to_owned()),
                    version_id: object.version_id,
                }),
            }
        }
        let output = DeleteObjectsOutput {
            deleted: Some(deleted),
            errors: Some(errors),
            request_charged: None,
        };
        Ok(S3Response::new(output))
    }
}

fn denied(kept: KeptBack) -> Error {
    Error {
        code: Some("AccessDenied".to_owned()),
        key: Some(kept.key),
        message: Some((*kept.error).to_owned()),
        version_id: kept.version,
    }
}

fn one(
    buckets: &Buckets,
    target: (&str, &str),
    version: Option<&str>,
    etag: Option<ETag>,
) -> S3Result<()> {
    check_version(version)?;
    let condition =
        etag.map_or(WriteCondition::None, |etag| WriteCondition::Matches(etag.into_value()));
    buckets.delete_object(target.0, target.1, &condition).map_err(S3Error::from)
}
