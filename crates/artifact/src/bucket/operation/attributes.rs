//! What an uploader may say of an object, taken from the three inputs that say it.

use std::collections::{BTreeMap, HashMap};

use percent_encoding::percent_decode_str;
use s3s::dto::ObjectCannedACL;
use s3s::{S3Result, s3_error};

use super::super::error::custom;

/// S3's limit for names and values of user metadata together.
const USER_METADATA_BYTES_MAX: usize = 2 << 10;

/// S3's limits for tags.
const TAGS_MAX: usize = 10;
const TAG_KEY_CHARS_MAX: usize = 128;
const TAG_VALUE_CHARS_MAX: usize = 256;

/// The members that `PutObject`, `CreateMultipartUpload` and `CopyObject` share, by name.
macro_rules! attributes {
    ($input:expr) => {{
        let input = &mut $input;
        $crate::bucket::operation::attributes::check_acl(
            input.acl.as_ref(),
            [
                &input.grant_full_control,
                &input.grant_read,
                &input.grant_read_acp,
                &input.grant_write_acp,
            ]
            .iter()
            .any(|grant| grant.is_some()),
        )?;
        $crate::bucket::operation::attributes::check_lock(
            input.object_lock_legal_hold_status.is_some()
                || input.object_lock_mode.is_some()
                || input.object_lock_retain_until_date.is_some(),
        )?;
        $crate::bucket::operation::attributes::check_customer_key(
            input.sse_customer_algorithm.as_deref(),
        )?;
        $crate::bucket::record::Attributes {
            content_type: input.content_type.take(),
            content_encoding: $crate::bucket::operation::attributes::content_encoding(
                input.content_encoding.take(),
            ),
            content_language: input.content_language.take(),
            content_disposition: input.content_disposition.take(),
            cache_control: input.cache_control.take(),
            expires_ms: input.expires.take().as_ref().map($crate::bucket::operation::milliseconds),
            storage_class: input.storage_class.take().map(|class| class.as_str().to_owned()),
            website_redirect: input.website_redirect_location.take(),
            server_side_encryption: input
                .server_side_encryption
                .take()
                .map(|kind| kind.as_str().to_owned()),
            kms_key_id: input.ssekms_key_id.take(),
            user: $crate::bucket::operation::attributes::user_metadata(input.metadata.take())?,
            tags: $crate::bucket::operation::attributes::tags(input.tagging.take().as_deref())?,
            ..Default::default()
        }
    }};
}
pub(super) use attributes;

/// Buckets here are as S3 makes them since 2023: the owner owns everything, ACLs are off.
pub(in super::super) fn check_acl(acl: Option<&ObjectCannedACL>, grants: bool) -> S3Result<()> {
    let harmless =
        acl.is_none_or(|acl| matches!(acl.as_str(), "private" | "bucket-owner-full-control"));
    if harmless && !grants { Ok(()) } else { Err(s3_error!(AccessControlListNotSupported)) }
}

/// A lock that does not hold would be worse than none.
pub(in super::super) fn check_lock(asked: bool) -> S3Result<()> {
    if asked {
        Err(s3_error!(InvalidRequest, "Bucket is missing Object Lock Configuration"))
    } else {
        Ok(())
    }
}

/// Who gives a key expects that nobody reads without it.
pub(in super::super) fn check_customer_key(algorithm: Option<&str>) -> S3Result<()> {
    match algorithm {
        Some(_) => Err(s3_error!(
            NotImplemented,
            "Server-side encryption with customer keys is not implemented"
        )),
        None => Ok(()),
    }
}

/// `aws-chunked` describes the transfer, not the object.
pub(in super::super) fn content_encoding(value: Option<String>) -> Option<String> {
    let value = value?;
    let kept: Vec<_> = value
        .split(',')
        .map(str::trim)
        .filter(|part| !part.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    let kept = kept.join(",");
    (!kept.is_empty()).then_some(kept)
}

pub(in super::super) fn user_metadata(
    given: Option<HashMap<String, String>>,
) -> S3Result<BTreeMap<String, String>> {
    let user: BTreeMap<_, _> = given.unwrap_or_default().into_iter().collect();
    let bytes: usize = user.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > USER_METADATA_BYTES_MAX { Err(s3_error!(MetadataTooLarge)) } else { Ok(user) }
}

/// The header form: `key=value&key=value`, percent-encoded.
pub(in super::super) fn tags(header: Option<&str>) -> S3Result<BTreeMap<String, String>> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " ")).decode_utf8().map(std::borrow::Cow::into_owned)
    };
    let mut pairs = Vec::new();
    for pair in header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Ok(key), Ok(value)) = (decode(key), decode(value)) else {
            return Err(s3_error!(
                InvalidArgument,
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates."
            ));
        };
        pairs.push((key, value));
    }
    checked_tags(pairs)
}

pub(in super::super) fn checked_tags(
    pairs: Vec<(String, String)>,
) -> S3Result<BTreeMap<String, String>> {
    if pairs.len() > TAGS_MAX {
        return Err(custom(
            "BadRequest",
            http::StatusCode::BAD_REQUEST,
            "Object tags cannot be greater than 10",
        ));
    }
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        if key.is_empty() || key.chars().count() > TAG_KEY_CHARS_MAX || key.starts_with("aws:") {
            return Err(s3_error!(InvalidTag, "The TagKey you have provided is invalid"));
        }
        if value.chars().count() > TAG_VALUE_CHARS_MAX {
            return Err(s3_error!(InvalidTag, "The TagValue you have provided is invalid"));
        }
        if tags.insert(key, value).is_some() {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_encoding_loses_only_the_transfer() {
        let table = [
            (None, None),
            (Some("aws-chunked"), None),
            (Some("gzip"), Some("gzip")),
            (Some("aws-chunked, gzip"), Some("gzip")),
            (Some("gzip,AWS-Chunked,br"), Some("gzip,br")),
        ];
        for (given, kept) in table {
            assert_eq!(content_encoding(given.map(str::to_owned)).as_deref(), kept);
        }
    }

    #[test]
    fn tag_headers_are_decoded_and_bounded() {
        let tags_of =
            |header: &str| tags(Some(header)).map_err(|error| error.code().as_str().to_owned());
        assert_eq!(
            tags_of("a=1&b%20c=x+y&d").unwrap().into_iter().collect::<Vec<_>>(),
            [("a".into(), "1".into()), ("b c".into(), "x y".into()), ("d".into(), String::new())]
        );
        assert_eq!(tags_of("a=1&a=2").unwrap_err(), "InvalidTag");
        assert_eq!(tags_of("aws:x=2").unwrap_err(), "InvalidTag");
        assert_eq!(tags_of("%ff=2").unwrap_err(), "InvalidArgument");
        assert_eq!(tags_of(&"k=v&".repeat(11)).unwrap_err(), "BadRequest");
    }
}
