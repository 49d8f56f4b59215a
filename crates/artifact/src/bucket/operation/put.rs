//! `PutObject`, and what `PutObject` and `UploadPart` have in common.

use http::HeaderMap;
use s3s::dto::{ChecksumType, PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::digest::Algorithm;
use super::super::ingest::{Declared, land};
use super::super::record::Checksums;
use super::attributes::attributes;
use super::{Answer, Operations, etag, write_condition};

/// The checksums that an input carries, by name; five members of the same names in many shapes.
macro_rules! checksums_of {
    ($input:expr) => {
        $crate::bucket::record::Checksums {
            crc32: $input.checksum_crc32.take(),
            crc32c: $input.checksum_crc32c.take(),
            crc64nvme: $input.checksum_crc64nvme.take(),
            sha1: $input.checksum_sha1.take(),
            sha256: $input.checksum_sha256.take(),
            composite: false,
        }
    };
}
pub(super) use checksums_of;

/// The reverse of [`checksums_of`].
macro_rules! with_checksums {
    ($output:expr, $checksums:expr) => {{
        let mut output = $output;
        let checksums = $checksums;
        output.checksum_crc32 = checksums.crc32.clone();
        output.checksum_crc32c = checksums.crc32c.clone();
        output.checksum_crc64nvme = checksums.crc64nvme.clone();
        output.checksum_sha1 = checksums.sha1.clone();
        output.checksum_sha256 = checksums.sha256.clone();
        output
    }};
}
pub(super) use with_checksums;

impl Operations {
    pub(super) async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> Answer<PutObjectOutput> {
        let _permit = self.upload_permit()?;
        let S3Request { mut input, headers, trailing_headers, .. } = request;
        if input.write_offset_bytes.is_some() {
            return Err(s3_error!(NotImplemented, "Appending to an object is not implemented"));
        }
        let mut attributes = attributes!(input);
        let condition = write_condition(input.if_match.take(), input.if_none_match.take())?;
        let given = checksums_of!(input);
        let named =
            input.checksum_algorithm.as_ref().map(|algorithm| algorithm.as_str().to_owned());
        let mut declared = declared(
            &headers,
            input.content_length,
            input.content_md5.take(),
            &given,
            named.as_deref(),
        )?;
        if declared.algorithms.is_empty() {
            // What S3 computes of its own accord.
            declared.algorithms.push(Algorithm::Crc64Nvme);
        }
        self.require_bucket(input.bucket.clone()).await?;
        let landed = land(&self.buckets, input.body.take(), &declared, trailing_headers).await?;
        attributes.checksums = landed.checksums.clone();
        let output = PutObjectOutput {
            e_tag: Some(etag(&landed.etag)),
            checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
            server_side_encryption: attributes.server_side_encryption.clone().map(Into::into),
            ssekms_key_id: attributes.kms_key_id.clone(),
            ..Default::default()
        };
        let output = with_checksums!(output, &landed.checksums);
        let (bucket, key) = (input.bucket, input.key);
        self.on_store(move |buckets| {
            buckets.put_object(
                (&bucket, &key),
                landed.sealed,
                &landed.etag,
                &attributes,
                &condition,
            )
        })
        .await?;
        Ok(S3Response::new(output))
    }
}

/// What the headers of `PutObject` or `UploadPart` say of the body.
pub(super) fn declared(
    headers: &HeaderMap,
    content_length: Option<i64>,
    md5: Option<String>,
    given: &Checksums,
    named: Option<&str>,
) -> S3Result<Declared> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let decoded =
        text("x-amz-decoded-content-length").and_then(|length| length.parse::<u64>().ok());
    let length = decoded.or_else(|| content_length.and_then(|length| u64::try_from(length).ok()));
    let mut checksums = Vec::new();
    let mut trailing = Vec::new();
    for algorithm in Algorithm::ALL {
        if let Some(value) = algorithm.of(given) {
            checksums.push((algorithm, value.to_owned()));
        }
    }
    for name in
        text("x-amz-trailer").unwrap_or_default().split(',').filter(|name| !name.trim().is_empty())
    {
        let algorithm = Algorithm::from_header(name).ok_or_else(|| {
            s3_error!(
                InvalidRequest,
                "The value specified in the x-amz-trailer header is not supported"
            )
        })?;
        trailing.push(algorithm);
    }
    if checksums.len() + trailing.len() > 1 {
        return Err(s3_error!(
            InvalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        ));
    }
    let mut algorithms: Vec<_> =
        checksums.iter().map(|(algorithm, _)| *algorithm).chain(trailing.iter().copied()).collect();
    if let Some(algorithm) = named.and_then(Algorithm::from_name)
        && algorithms.is_empty()
    {
        algorithms.push(algorithm);
    }
    Ok(Declared { length, md5, checksums, algorithms, trailing })
}
