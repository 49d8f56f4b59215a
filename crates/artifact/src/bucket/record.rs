//! What the index keeps of an object besides its bytes.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// One stretch of an object's bytes: a whole blob. Objects from one PUT have one, multipart objects one per part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub(super) blob: u64,
    /// Bytes.
    pub size: u64,
}

/// An object as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRecord {
    /// Bytes.
    pub size: u64,
    /// Without quotes: the MD5 in hexadecimal, `-N` behind it for N parts.
    pub etag: String,
    /// Milliseconds since 1970, wall clock.
    pub modified_ms: i64,
    /// What the uploader said of it.
    pub attributes: Attributes,
}

/// What the uploader said of an object. Stored as JSON: a member that is added later reads as absent in older records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website_redirect: Option<String>,
    /// Kept and given back; nothing here encrypts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_side_encryption: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub user: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Checksums::is_empty")]
    pub checksums: Checksums,
    /// Number of parts, for objects from a multipart upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<i32>,
}

/// S3's additional checksums, base64 as in the protocol. Composite ones end in `-N`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checksums {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc32: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc32c: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Made of the parts' checksums rather than of the bytes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub composite: bool,
}

impl Checksums {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A multipart upload in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRecord {
    pub id: String,
    pub key: String,
    /// Milliseconds since 1970, wall clock.
    pub started_ms: i64,
    pub attributes: Attributes,
    /// The checksum announced at the start.
    pub checksum: Option<UploadChecksum>,
}

/// What `CreateMultipartUpload` announced about checksums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadChecksum {
    /// As S3 spells it, `CRC32` for instance.
    pub algorithm: String,
    /// The whole object's rather than one made of the parts'.
    pub full_object: bool,
}

/// One part of an upload in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartRecord {
    pub number: i32,
    pub(super) blob: u64,
    /// Bytes.
    pub size: u64,
    /// The MD5 in hexadecimal.
    pub etag: String,
    /// Milliseconds since 1970, wall clock.
    pub modified_ms: i64,
    pub checksums: Checksums,
}

/// Milliseconds since 1970; 0 for a clock before that.
pub(super) fn to_ms(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The reverse of [`to_ms`].
pub(super) fn from_ms(ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
