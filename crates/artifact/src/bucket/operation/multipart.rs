//! Multipart uploads.

use std::collections::HashMap;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CommonPrefix, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, Initiator, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Part,
    StorageClass, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::super::digest::{Algorithm, composite, full_object, hex, multipart_etag};
use super::super::ingest::land;
use super::super::record::{Checksums, UploadChecksum};
use super::super::{
    Attributes, BucketError, Completion, PART_BYTES_MIN, PARTS_MAX, PartRecord, UploadRecord,
};
use super::attributes::{attributes, check_customer_key};
use super::list::Spelling;
use super::put::{checksums_of, declared, with_checksums};
use super::{
    Answer, OWNER_ID, Operations, etag, owner, page_size, size, timestamp, write_condition,
};

/// Sorts behind every upload id (they are hexadecimal), so that a marker without an id stands for all uploads of its key.
const BEHIND_EVERY_ID: &str = "~";

impl Operations {
    pub(super) async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        let mut input = request.input;
        let attributes = attributes!(input);
        let checksum = announced(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy)
            .map_err(|error| s3_error!(InternalError, "no randomness: {error}"))?;
        let upload = UploadRecord {
            id: hex(&entropy),
            key: input.key.clone(),
            started_ms: self.buckets.now_ms(),
            attributes,
            checksum,
        };
        let output = CreateMultipartUploadOutput {
            bucket: Some(input.bucket.clone()),
            key: Some(input.key),
            upload_id: Some(upload.id.clone()),
            checksum_algorithm: upload.checksum.as_ref().map(algorithm),
            checksum_type: upload.checksum.as_ref().map(kind),
            server_side_encryption: upload
                .attributes
                .server_side_encryption
                .clone()
                .map(Into::into),
            ssekms_key_id: upload.attributes.kms_key_id.clone(),
            ..Default::default()
        };
        let bucket = input.bucket;
        self.on_store(move |buckets| buckets.create_upload(&bucket, &upload)).await?;
        Ok(S3Response::new(output))
    }

    pub(super) async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> Answer<UploadPartOutput> {
        let _permit = self.upload_permit()?;
        let S3Request { mut input, headers, trailing_headers, .. } = request;
        check_part_number(input.part_number)?;
        check_customer_key(input.sse_customer_algorithm.as_deref())?;
        let (bucket, key, id, number) =
            (input.bucket, input.key, input.upload_id, input.part_number);
        let target = (bucket.clone(), key.clone(), id.clone());
        let upload =
            self.on_store(move |buckets| buckets.upload(&target.0, &target.1, &target.2)).await?;
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
        if let Some(wanted) =
            upload.checksum.and_then(|checksum| Algorithm::from_name(&checksum.algorithm))
            && !declared.algorithms.contains(&wanted)
        {
            declared.algorithms.push(wanted);
        }
        let landed = land(&self.buckets, input.body.take(), &declared, trailing_headers).await?;
        let part = self
            .on_store(move |buckets| {
                buckets.put_part(
                    (&bucket, &key, &id),
                    landed.sealed,
                    number,
                    (landed.etag, landed.checksums),
                )
            })
            .await?;
        let output = UploadPartOutput { e_tag: Some(etag(&part.etag)), ..Default::default() };
        Ok(S3Response::new(with_checksums!(output, &part.checksums)))
    }

    pub(super) async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let mut input = request.input;
        let condition = write_condition(input.if_match.take(), input.if_none_match.take())?;
        let given = checksums_of!(input);
        let expected_size = input.mpu_object_size;
        let named =
            input.multipart_upload.take().and_then(|upload| upload.parts).unwrap_or_default();
        if named.is_empty() {
            return Err(s3_error!(MalformedXML));
        }
        let (bucket, key, id) = (input.bucket, input.key, input.upload_id);
        let location = format!("/{bucket}/{key}");
        let (in_bucket, under_key) = (bucket.clone(), key.clone());
        let record = self
            .on_store(move |buckets| {
                let target = Completion {
                    bucket: &in_bucket,
                    key: &under_key,
                    id: &id,
                    condition: &condition,
                };
                buckets.complete_upload(&target, |upload, parts| {
                    assemble(upload, parts, &named, &given, expected_size)
                })
            })
            .await?;
        let checksums = &record.attributes.checksums;
        let composite =
            if checksums.composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
        let output = CompleteMultipartUploadOutput {
            bucket: Some(bucket),
            key: Some(key),
            location: Some(location),
            e_tag: Some(etag(&record.etag)),
            checksum_type: (*checksums != Checksums::default())
                .then(|| ChecksumType::from_static(composite)),
            ..Default::default()
        };
        Ok(S3Response::new(with_checksums!(output, checksums)))
    }

    pub(super) async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        let input = request.input;
        self.on_store(move |buckets| {
            buckets.abort_upload(&input.bucket, &input.key, &input.upload_id)
        })
        .await?;
        Ok(S3Response::with_status(
            AbortMultipartUploadOutput::default(),
            http::StatusCode::NO_CONTENT,
        ))
    }

    pub(super) async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> Answer<ListPartsOutput> {
        let input = request.input;
        let most = page_size(input.max_parts, "max-parts")?;
        let after = input.part_number_marker.unwrap_or(0);
        let target = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
        let wanted = usize::try_from(most).unwrap_or(0) + 1;
        let (upload, mut parts) = self
            .on_store(move |buckets| {
                buckets.parts((&target.0, &target.1, &target.2), after, wanted)
            })
            .await?;
        let more = parts.len() == wanted && most > 0;
        parts.truncate(wanted - 1);
        let next = parts.last().map(|part| part.number);
        let parts = parts.iter().map(listed_part).collect::<S3Result<Vec<_>>>()?;
        let output = ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            checksum_algorithm: upload.checksum.as_ref().map(algorithm),
            checksum_type: upload.checksum.as_ref().map(kind),
            initiator: Some(initiator()),
            owner: Some(owner()),
            is_truncated: Some(more),
            max_parts: Some(most),
            part_number_marker: Some(after),
            next_part_number_marker: next,
            parts: Some(parts),
            storage_class: Some(class(&upload)),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }

    pub(super) async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        let input = request.input;
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let most = page_size(input.max_uploads, "max-uploads")?;
        if input.delimiter.as_ref().is_some_and(|delimiter| !delimiter.is_empty()) {
            return Err(s3_error!(
                NotImplemented,
                "ListMultipartUploads with a delimiter is not implemented"
            ));
        }
        let prefix = input.prefix.unwrap_or_default();
        let key_marker = input.key_marker.unwrap_or_default();
        let id_marker = input.upload_id_marker.filter(|_| !key_marker.is_empty());
        let (bucket, within) = (input.bucket.clone(), prefix.clone());
        let after =
            (key_marker.clone(), id_marker.clone().unwrap_or_else(|| BEHIND_EVERY_ID.to_owned()));
        let wanted = usize::try_from(most).unwrap_or(0);
        let page = self
            .on_store(move |buckets| {
                buckets.uploads(&bucket, &within, (&after.0, &after.1), wanted)
            })
            .await?;
        let more = page.more && most > 0;
        let last = page.uploads.last().filter(|_| more);
        let output = ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            common_prefixes: Some(Vec::<CommonPrefix>::new()),
            encoding_type: spelling.kind(),
            is_truncated: Some(more),
            key_marker: Some(spelling.write(&key_marker)),
            max_uploads: Some(most),
            next_key_marker: last.map(|upload| spelling.write(&upload.key)),
            next_upload_id_marker: last.map(|upload| upload.id.clone()),
            prefix: Some(spelling.write(&prefix)),
            upload_id_marker: Some(id_marker.unwrap_or_default()),
            uploads: Some(
                page.uploads.iter().map(|upload| listed_upload(upload, spelling)).collect(),
            ),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }
}

pub(super) fn check_part_number(number: i32) -> S3Result<()> {
    if (1..=PARTS_MAX).contains(&number) {
        return Ok(());
    }
    Err(s3_error!(
        InvalidArgument,
        "Part number must be an integer between 1 and {PARTS_MAX}, inclusive"
    ))
}

/// What `CreateMultipartUpload`'s two members about checksums come to. S3 takes COMPOSITE unless told otherwise, and
/// CRC64NVME only whole.
fn announced(
    algorithm: Option<&ChecksumAlgorithm>,
    kind: Option<&ChecksumType>,
) -> S3Result<Option<UploadChecksum>> {
    let Some(name) = algorithm else {
        return match kind {
            Some(_) => Err(s3_error!(
                InvalidRequest,
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )),
            None => Ok(None),
        };
    };
    let algorithm = Algorithm::from_name(name.as_str()).ok_or_else(|| {
        s3_error!(InvalidRequest, "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
    })?;
    let full_object = match (kind.map(ChecksumType::as_str), algorithm) {
        (
            None | Some(ChecksumType::COMPOSITE),
            Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Sha1 | Algorithm::Sha256,
        ) => false,
        (None, Algorithm::Crc64Nvme)
        | (
            Some(ChecksumType::FULL_OBJECT),
            Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Crc64Nvme,
        ) => true,
        (Some(kind), algorithm) => {
            let algorithm = algorithm.name().to_lowercase();
            return Err(s3_error!(
                InvalidRequest,
                "The {kind} checksum type cannot be used with the {algorithm} checksum algorithm."
            ));
        }
    };
    Ok(Some(UploadChecksum { algorithm: algorithm.name().to_owned(), full_object }))
}

/// The parts that the caller names, checked against those that are there, and what the object of them is called.
fn assemble(
    upload: UploadRecord,
    parts: Vec<PartRecord>,
    named: &[CompletedPart],
    given: &Checksums,
    expected_size: Option<i64>,
) -> Result<(Vec<PartRecord>, String, Attributes), BucketError> {
    let mut there: HashMap<i32, PartRecord> =
        parts.into_iter().map(|part| (part.number, part)).collect();
    let mut chosen: Vec<PartRecord> = Vec::with_capacity(named.len());
    for wanted in named {
        let number = wanted.part_number.unwrap_or(0);
        if chosen.last().is_some_and(|last| last.number >= number) {
            return Err(BucketError::InvalidPartOrder);
        }
        let part = there.remove(&number).filter(|part| is_wanted(part, wanted));
        chosen.push(part.ok_or(BucketError::InvalidPart(number))?);
    }
    for part in chosen.iter().take(chosen.len() - 1) {
        if part.size < PART_BYTES_MIN {
            return Err(BucketError::PartTooSmall {
                number: part.number,
                size: part.size,
                minimum: PART_BYTES_MIN,
            });
        }
    }
    let total: u64 = chosen.iter().map(|part| part.size).sum();
    if expected_size.is_some_and(|expected| u64::try_from(expected).ok() != Some(total)) {
        return Err(BucketError::BadDigest);
    }
    let mut attributes = upload.attributes;
    attributes.parts = i32::try_from(chosen.len()).ok();
    attributes.checksums = checksums_of_whole(upload.checksum.as_ref(), &chosen);
    for algorithm in Algorithm::ALL {
        let (said, is) = (algorithm.of(given), algorithm.of(&attributes.checksums));
        // A composite may be given without its `-N`.
        let bare = |sum: &str| sum.split('-').next().unwrap_or_default().to_owned();
        if said.is_some() && said.map(bare) != is.map(bare) {
            return Err(BucketError::BadDigest);
        }
    }
    let etag = multipart_etag(&chosen);
    Ok((chosen, etag, attributes))
}

/// Whether the part is the one that the caller uploaded: same `ETag`, and same checksums as far as given.
fn is_wanted(part: &PartRecord, wanted: &CompletedPart) -> bool {
    let said = Checksums {
        crc32: wanted.checksum_crc32.clone(),
        crc32c: wanted.checksum_crc32c.clone(),
        crc64nvme: wanted.checksum_crc64nvme.clone(),
        sha1: wanted.checksum_sha1.clone(),
        sha256: wanted.checksum_sha256.clone(),
        composite: false,
    };
    wanted.e_tag.as_ref().is_some_and(|etag| etag.value() == part.etag)
        && Algorithm::ALL.into_iter().all(|algorithm| {
            algorithm
                .of(&said)
                .is_none_or(|sum| algorithm.of(&part.checksums).is_none_or(|is| is == sum))
        })
}

fn checksums_of_whole(announced: Option<&UploadChecksum>, parts: &[PartRecord]) -> Checksums {
    let mut checksums = Checksums::default();
    let Some(announced) = announced else { return checksums };
    let Some(algorithm) = Algorithm::from_name(&announced.algorithm) else { return checksums };
    let whole = if announced.full_object {
        full_object(algorithm, parts)
    } else {
        composite(algorithm, parts)
    };
    if let Some(whole) = whole {
        algorithm.set(&mut checksums, whole);
        checksums.composite = !announced.full_object;
    }
    checksums
}

fn listed_part(part: &PartRecord) -> S3Result<Part> {
    let listed = Part {
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(timestamp(part.modified_ms)),
        part_number: Some(part.number),
        size: Some(size(part.size)?),
        ..Default::default()
    };
    Ok::<_, S3Error>(with_checksums!(listed, &part.checksums))
}

fn listed_upload(upload: &UploadRecord, spelling: Spelling) -> MultipartUpload {
    MultipartUpload {
        checksum_algorithm: upload.checksum.as_ref().map(algorithm),
        checksum_type: upload.checksum.as_ref().map(kind),
        initiated: Some(timestamp(upload.started_ms)),
        initiator: Some(initiator()),
        key: Some(spelling.write(&upload.key)),
        owner: Some(owner()),
        storage_class: Some(class(upload)),
        upload_id: Some(upload.id.clone()),
    }
}

fn algorithm(checksum: &UploadChecksum) -> ChecksumAlgorithm {
    ChecksumAlgorithm::from(checksum.algorithm.clone())
}

fn kind(checksum: &UploadChecksum) -> ChecksumType {
    ChecksumType::from_static(if checksum.full_object {
        ChecksumType::FULL_OBJECT
    } else {
        ChecksumType::COMPOSITE
    })
}

fn class(upload: &UploadRecord) -> StorageClass {
    upload
        .attributes
        .storage_class
        .clone()
        .unwrap_or_else(|| StorageClass::STANDARD.to_owned())
        .into()
}

fn initiator() -> Initiator {
    Initiator { display_name: None, id: Some(OWNER_ID.to_owned()) }
}
