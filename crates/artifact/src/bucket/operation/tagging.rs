//! Tags of objects.

use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput,
    GetObjectTaggingOutput, PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3Request, S3Response};

use super::attributes::checked_tags;
use super::{Answer, Operations, check_version};

impl Operations {
    pub(super) async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> Answer<GetObjectTaggingOutput> {
        let input = request.input;
        check_version(input.version_id.as_deref())?;
        let (record, _) =
            self.on_store(move |buckets| buckets.object(&input.bucket, &input.key)).await?;
        let tags = record.attributes.tags;
        let tag_set = tags
            .into_iter()
            .map(|(key, value)| Tag { key: Some(key), value: Some(value) })
            .collect();
        Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: None }))
    }

    pub(super) async fn put_object_tagging(
        &self,
        request: S3Request<PutObjectTaggingInput>,
    ) -> Answer<PutObjectTaggingOutput> {
        let input = request.input;
        check_version(input.version_id.as_deref())?;
        let pairs = input.tagging.tag_set.into_iter();
        let tags = checked_tags(
            pairs.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect(),
        )?;
        self.on_store(move |buckets| {
            buckets
                .update_attributes(&input.bucket, &input.key, |attributes| attributes.tags = tags)
        })
        .await?;
        Ok(S3Response::new(PutObjectTaggingOutput::default()))
    }

    pub(super) async fn delete_object_tagging(
        &self,
        request: S3Request<DeleteObjectTaggingInput>,
    ) -> Answer<DeleteObjectTaggingOutput> {
        let input = request.input;
        check_version(input.version_id.as_deref())?;
        self.on_store(move |buckets| {
            buckets
                .update_attributes(&input.bucket, &input.key, |attributes| attributes.tags.clear())
        })
        .await?;
        Ok(S3Response::with_status(
            DeleteObjectTaggingOutput::default(),
            http::StatusCode::NO_CONTENT,
        ))
    }
}
