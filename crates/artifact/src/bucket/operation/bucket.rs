//! Buckets themselves.

use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::BucketError;
use super::{Answer, Operations, owner, timestamp};

/// The region that existed before there were regions: its buckets have no location, and making one twice is fine.
const CLASSIC_REGION: &str = "us-east-1";

impl Operations {
    pub(super) async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> Answer<CreateBucketOutput> {
        let input = request.input;
        let constraint = input
            .create_bucket_configuration
            .and_then(|configuration| configuration.location_constraint);
        self.check_location(constraint.as_ref().map(BucketLocationConstraint::as_str))?;
        if input.object_lock_enabled_for_bucket == Some(true) {
            return Err(s3_error!(NotImplemented, "Object Lock is not implemented"));
        }
        if input.acl.is_some_and(|acl| acl.as_str() != "private") {
            return Err(s3_error!(
                InvalidBucketAclWithObjectOwnership,
                "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
            ));
        }
        let name = input.bucket.clone();
        let made = self.on_store(move |buckets| buckets.create_bucket(&name)).await?;
        if !made && *self.region != *CLASSIC_REGION {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        let output = CreateBucketOutput { location: Some(format!("/{}", input.bucket)) };
        Ok(S3Response::new(output))
    }

    fn check_location(&self, constraint: Option<&str>) -> S3Result<()> {
        match constraint {
            Some(region) if region == CLASSIC_REGION => Err(s3_error!(InvalidLocationConstraint)),
            Some(region) if region != &*self.region => Err(s3_error!(
                IllegalLocationConstraintException,
                "The {region} location constraint is incompatible for the region specific endpoint this request was sent to."
            )),
            None if *self.region != *CLASSIC_REGION => Err(s3_error!(
                IllegalLocationConstraintException,
                "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."
            )),
            _ => Ok(()),
        }
    }

    pub(super) async fn delete_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> Answer<DeleteBucketOutput> {
        let name = request.input.bucket;
        self.on_store(move |buckets| buckets.delete_bucket(&name)).await?;
        Ok(S3Response::with_status(DeleteBucketOutput::default(), http::StatusCode::NO_CONTENT))
    }

    pub(super) async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> Answer<HeadBucketOutput> {
        self.require_bucket(request.input.bucket).await?;
        let output = HeadBucketOutput {
            bucket_region: Some((*self.region).to_owned()),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }

    pub(super) async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        self.require_bucket(request.input.bucket).await?;
        let constraint = (*self.region != *CLASSIC_REGION)
            .then(|| BucketLocationConstraint::from((*self.region).to_owned()));
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint: constraint }))
    }

    /// Never enabled, which S3 says with an empty answer.
    pub(super) async fn get_bucket_versioning(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> Answer<GetBucketVersioningOutput> {
        self.require_bucket(request.input.bucket).await?;
        Ok(S3Response::new(GetBucketVersioningOutput::default()))
    }

    pub(super) async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> Answer<ListBucketsOutput> {
        let ListBucketsInput { bucket_region, continuation_token, max_buckets, prefix } =
            request.input;
        let most = match max_buckets {
            None => usize::MAX,
            Some(most) => usize::try_from(most)
                .ok()
                .filter(|most| (1..=10_000).contains(most))
                .ok_or_else(|| {
                    s3_error!(
                        InvalidArgument,
                        "Argument max-buckets must be an integer between 1 and 10000"
                    )
                })?,
        };
        let elsewhere = bucket_region.as_deref().is_some_and(|region| region != &*self.region);
        let all = self.on_store(super::Buckets::buckets).await?;
        let mut found: Vec<_> = all
            .into_iter()
            .filter(|(name, _)| {
                !elsewhere && prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()))
            })
            .filter(|(name, _)| continuation_token.as_ref().is_none_or(|token| name > token))
            .collect();
        let more = found.len() > most;
        found.truncate(most);
        let token = found.last().filter(|_| more).map(|(name, _)| name.clone());
        let buckets = found
            .into_iter()
            .map(|(name, created_ms)| Bucket {
                bucket_region: max_buckets.is_some().then(|| (*self.region).to_owned()),
                creation_date: Some(timestamp(created_ms)),
                name: Some(name),
            })
            .collect();
        let output = ListBucketsOutput {
            buckets: Some(buckets),
            continuation_token: token,
            owner: Some(owner()),
            prefix,
        };
        Ok(S3Response::new(output))
    }

    pub(super) async fn require_bucket(&self, name: String) -> S3Result<()> {
        let found = self.on_store(move |buckets| buckets.has_bucket(&name)).await?;
        if found { Ok(()) } else { Err(BucketError::NoSuchBucket.into()) }
    }
}
