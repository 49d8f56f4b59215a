//! Who may sign, and what a signer may do: asked of whoever runs the service, before an operation reads or changes anything.
//!
//! Most operations are known from the head of the request. Sources of copies, what a listing asks for and the keys of
//! `DeleteObjects` are taken as `s3s` has parsed them, so that what is asked about is what is done.

use std::sync::Arc;

use http::{Extensions, HeaderMap, Uri};
use percent_encoding::percent_decode_str;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{Credentials, S3Auth, SecretKey};
use s3s::dto::{
    CopyObjectInput, CopySource, DeleteObjectsInput, ListMultipartUploadsInput, ListObjectsInput,
    ListObjectsV2Input, UploadPartCopyInput,
};
use s3s::path::S3Path;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};

/// Operations that are asked about when their input is parsed.
const ASKED_LATER: [&str; 4] =
    ["DeleteObjects", "ListMultipartUploads", "ListObjects", "ListObjectsV2"];

const TOKEN: &str = "x-amz-security-token";

/// Who may sign requests, and what they may do.
pub trait Guard: Send + Sync + 'static {
    /// The secret of an access key; `None` if there is no such key, or it is not active.
    fn secret(&self, access_key: &str) -> Option<String>;

    /// Whether the owner of the key may do this. The signature has been found good, the session token has not been
    /// looked at yet.
    fn admit(&self, asked: &Asked<'_>) -> Result<(), Denied>;
}

/// A table of keys whose owners may do everything.
impl<F: Fn(&str) -> Option<String> + Send + Sync + 'static> Guard for F {
    fn secret(&self, access_key: &str) -> Option<String> {
        self(access_key)
    }

    fn admit(&self, _: &Asked<'_>) -> Result<(), Denied> {
        Ok(())
    }
}

/// One thing that a request wants to do; a request may want several.
#[derive(Debug)]
pub struct Asked<'a> {
    pub access_key: &'a str,
    /// `PutObject`; for the source of a copy `GetObject`, for each key of `DeleteObjects` `DeleteObject`.
    pub operation: &'a str,
    /// Empty for `ListBuckets`.
    pub bucket: &'a str,
    /// Empty for an operation on a bucket.
    pub key: &'a str,
    /// Whether an object is created with tags.
    pub tagged: bool,
    pub listing: Listing<'a>,
    /// The session token that came with the request.
    pub token: Option<&'a str>,
    pub headers: &'a HeaderMap,
    /// What the server has attached to the request.
    pub extensions: &'a Extensions,
}

/// What a listing asks for, if it does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listing<'a> {
    pub prefix: Option<&'a str>,
    pub delimiter: Option<&'a str>,
    pub max_keys: Option<i32>,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// No policy allows it, or one denies it; in which words.
    Access(String),
    /// The session token is missing, or not that of the key.
    BadToken,
    ExpiredToken,
    /// The key went away while the request was read.
    UnknownKey,
}

impl From<Denied> for S3Error {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Access(message) => Self::with_message(S3ErrorCode::AccessDenied, message),
            Denied::BadToken => {
                s3_error!(InvalidToken, "The provided token is malformed or otherwise invalid.")
            }
            Denied::ExpiredToken => s3_error!(ExpiredToken, "The provided token has expired."),
            Denied::UnknownKey => s3_error!(InvalidAccessKeyId),
        }
    }
}

/// A key of `DeleteObjects` that the caller may not delete; the answer tells so beside what was deleted.
#[derive(Debug, Clone)]
pub(in super::super) struct KeptBack {
    pub(in super::super) key: String,
    pub(in super::super) version: Option<String>,
    pub(in super::super) error: Arc<str>,
}

/// The keys that were taken out of a `DeleteObjects`.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct AllKeptBack(pub(in super::super) Vec<KeptBack>);

/// A guard as `s3s` asks it.
pub(super) struct Gatekeeper(pub(super) Arc<dyn Guard>);

#[async_trait::async_trait]
impl S3Auth for Gatekeeper {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match self.0.secret(access_key) {
            // An empty secret would verify for anyone.
            Some(secret) if !secret.is_empty() => Ok(SecretKey::from(secret)),
            _ => Err(s3_error!(InvalidAccessKeyId)),
        }
    }
}

/// The parts of a request that every question about it repeats.
struct Signed<'a> {
    credentials: Option<&'a Credentials>,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> Signed<'a> {
    fn of<T>(request: &'a S3Request<T>) -> Self {
        Self {
            credentials: request.credentials.as_ref(),
            uri: &request.uri,
            headers: &request.headers,
            extensions: &request.extensions,
        }
    }
}

impl Gatekeeper {
    fn ask(
        &self,
        signed: &Signed<'_>,
        (operation, bucket, key): (&str, &str, &str),
        listing: Listing<'_>,
    ) -> S3Result<()> {
        let Some(credentials) = signed.credentials else {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        };
        let token = token(signed.headers, signed.uri);
        let asked = Asked {
            access_key: &credentials.access_key,
            operation,
            bucket,
            key,
            tagged: signed.headers.contains_key("x-amz-tagging"),
            listing,
            token: token.as_deref(),
            headers: signed.headers,
            extensions: signed.extensions,
        };
        Ok(self.0.admit(&asked)?)
    }

    fn source(&self, signed: &Signed<'_>, source: &CopySource) -> S3Result<()> {
        match source {
            CopySource::Bucket { bucket, key, .. } => {
                self.ask(signed, ("GetObject", bucket, key), Listing::default())
            }
            // The operation says that it knows no such place.
            CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => Ok(()),
        }
    }
}

/// The session token, from wherever the signature came.
fn token(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    if let Some(token) = headers.get(TOKEN) {
        return token.to_str().ok().map(str::to_owned);
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    uri.query().unwrap_or_default().split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        decoded(name).eq_ignore_ascii_case(TOKEN).then(|| decoded(value))
    })
}

#[async_trait::async_trait]
impl S3Access for Gatekeeper {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = cx.s3_op().name().to_owned();
        let (bucket, key) = match cx.s3_path() {
            S3Path::Root => (String::new(), String::new()),
            S3Path::Bucket { bucket } => (bucket.to_string(), String::new()),
            S3Path::Object { bucket, key } => (bucket.to_string(), key.to_string()),
        };
        let (uri, headers) = (cx.uri().clone(), cx.headers().clone());
        let credentials = cx.credentials().cloned();
        let signed = Signed {
            credentials: credentials.as_ref(),
            uri: &uri,
            headers: &headers,
            extensions: cx.extensions_mut(),
        };
        if signed.credentials.is_some() && ASKED_LATER.contains(&&*operation) {
            return Ok(());
        }
        self.ask(&signed, (&operation, &bucket, &key), Listing::default())
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        self.source(&Signed::of(request), &request.input.copy_source)
    }

    async fn upload_part_copy(&self, request: &mut S3Request<UploadPartCopyInput>) -> S3Result<()> {
        self.source(&Signed::of(request), &request.input.copy_source)
    }

    async fn list_objects(&self, request: &mut S3Request<ListObjectsInput>) -> S3Result<()> {
        let input = &request.input;
        let listing = Listing {
            prefix: input.prefix.as_deref(),
            delimiter: input.delimiter.as_deref(),
            max_keys: input.max_keys,
        };
        self.ask(&Signed::of(request), ("ListObjects", &input.bucket, ""), listing)
    }

    async fn list_objects_v2(&self, request: &mut S3Request<ListObjectsV2Input>) -> S3Result<()> {
        let input = &request.input;
        let listing = Listing {
            prefix: input.prefix.as_deref(),
            delimiter: input.delimiter.as_deref(),
            max_keys: input.max_keys,
        };
        self.ask(&Signed::of(request), ("ListObjectsV2", &input.bucket, ""), listing)
    }

    async fn list_multipart_uploads(
        &self,
        request: &mut S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<()> {
        let input = &request.input;
        let listing = Listing {
            prefix: input.prefix.as_deref(),
            delimiter: input.delimiter.as_deref(),
            max_keys: input.max_uploads,
        };
        self.ask(&Signed::of(request), ("ListMultipartUploads", &input.bucket, ""), listing)
    }

    async fn delete_objects(&self, request: &mut S3Request<DeleteObjectsInput>) -> S3Result<()> {
        let bucket = request.input.bucket.clone();
        // The session itself is judged even if the list is empty.
        self.ask(&Signed::of(request), ("DeleteObjects", &bucket, ""), Listing::default())?;
        let (mut allowed, mut kept) = (Vec::new(), Vec::new());
        for object in std::mem::take(&mut request.input.delete.objects) {
            let signed = Signed::of(request);
            match self.ask(&signed, ("DeleteObject", &bucket, &object.key), Listing::default()) {
                Ok(()) => allowed.push(object),
                Err(error) => kept.push(KeptBack {
                    key: object.key,
                    version: object.version_id,
                    error: error.message().unwrap_or("Access Denied").into(),
                }),
            }
        }
        request.input.delete.objects = allowed;
        request.extensions.insert(AllKeptBack(kept));
        Ok(())
    }
}
