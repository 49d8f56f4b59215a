//! S3: objects and buckets, by the names that S3's authorization reference gives its actions.

use super::super::need::Need;

/// A call of S3 as the embedded one has read it. Sources of copies and the keys of `DeleteObjects` come as calls of
/// their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct S3Call<'a> {
    /// `PutObject`
    pub operation: &'a str,
    pub bucket: &'a str,
    /// Empty for an operation on a bucket.
    pub key: &'a str,
    /// Whether the object is created with tags.
    pub tagged: bool,
    pub listing: Bucket<'a>,
}

/// What a listing of a bucket asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bucket<'a> {
    pub prefix: Option<&'a str>,
    pub delimiter: Option<&'a str>,
    pub max_keys: Option<&'a str>,
}

/// The actions that a call needs, with their resources; `None` for an operation that has no case.
pub fn actions(call: &S3Call<'_>) -> Option<Vec<(String, String)>> {
    let needs = needs(call)?.into_iter();
    Some(needs.map(|need| (need.action.to_string(), need.resource)).collect())
}

/// What a call needs; `None` for an operation that has no case.
pub(in super::super) fn needs(call: &S3Call<'_>) -> Option<Vec<Need>> {
    let object =
        |action| vec![Need::on("s3", action, format!("arn:aws:s3:::{}/{}", call.bucket, call.key))];
    let bucket = |action| vec![Need::on("s3", action, format!("arn:aws:s3:::{}", call.bucket))];
    let needs = match call.operation {
        "AbortMultipartUpload" => object("AbortMultipartUpload"),
        "CopyObject" | "CreateMultipartUpload" | "PutObject" => {
            let mut needs = object("PutObject");
            needs.extend(call.tagged.then(|| object("PutObjectTagging")).into_iter().flatten());
            needs
        }
        "CompleteMultipartUpload" | "UploadPart" | "UploadPartCopy" => object("PutObject"),
        "CreateBucket" => bucket("CreateBucket"),
        "DeleteBucket" => bucket("DeleteBucket"),
        "DeleteObject" => object("DeleteObject"),
        // Asked for each key: see `S3Call`.
        "DeleteObjects" => Vec::new(),
        "DeleteObjectTagging" => object("DeleteObjectTagging"),
        "GetBucketLocation" => bucket("GetBucketLocation"),
        "GetBucketVersioning" => bucket("GetBucketVersioning"),
        "GetObject" | "HeadObject" => object("GetObject"),
        "GetObjectAttributes" => [object("GetObject"), object("GetObjectAttributes")].concat(),
        "GetObjectTagging" => object("GetObjectTagging"),
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => listed(bucket("ListBucket"), call),
        "ListBuckets" => vec![Need::on("s3", "ListAllMyBuckets", "arn:aws:s3:::*".to_owned())],
        "ListMultipartUploads" => listed(bucket("ListBucketMultipartUploads"), call),
        "ListParts" => object("ListMultipartUploadParts"),
        "PutObjectTagging" => object("PutObjectTagging"),
        _ => return None,
    };
    Some(needs)
}

fn listed(needs: Vec<Need>, call: &S3Call<'_>) -> Vec<Need> {
    let Bucket { prefix, delimiter, max_keys } = call.listing;
    let of = |value: Option<&str>| value.map(str::to_owned);
    let with = |need: Need| {
        need.with("s3:prefix", of(prefix))
            .with("s3:delimiter", of(delimiter))
            .with("s3:max-keys", of(max_keys))
    };
    needs.into_iter().map(with).collect()
}
