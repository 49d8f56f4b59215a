//! Answers as S3 dresses them: request ids everywhere, and errors with message, resource and ids.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, Version, header};
use http_body_util::{BodyExt as _, Empty, Full};
use percent_encoding::percent_decode_str;

use super::super::digest::hex;
use super::{Body, BodyError};

/// Bytes of an error that `s3s` wrote; its messages repeat at most a header.
const ERROR_BYTES_MAX: usize = 64 << 10;

/// What S3 says when there is nothing particular to say (S3 User Guide, "Error responses").
const MESSAGES: &[(&str, &str)] = &[
    ("AccessControlListNotSupported", "The bucket does not allow ACLs"),
    ("AccessDenied", "Access Denied"),
    (
        "BadDigest",
        "The Content-MD5 or checksum value that you specified did not match what the server received.",
    ),
    (
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
    ),
    ("BucketNotEmpty", "The bucket you tried to delete is not empty"),
    ("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"),
    ("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"),
    (
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    ),
    ("InternalError", "We encountered an internal error. Please try again."),
    ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    ("InvalidBucketName", "The specified bucket is not valid."),
    ("InvalidLocationConstraint", "The specified location-constraint is not valid"),
    (
        "InvalidPart",
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    ),
    (
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
    ),
    ("InvalidRange", "The requested range is not satisfiable"),
    ("InvalidURI", "Couldn't parse the specified URI."),
    ("KeyTooLongError", "Your key is too long"),
    (
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    ("MaxMessageLengthExceeded", "Your request was too big."),
    ("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size"),
    ("MethodNotAllowed", "The specified method is not allowed against this resource."),
    ("MissingContentLength", "You must provide the Content-Length HTTP header."),
    ("NoSuchBucket", "The specified bucket does not exist"),
    ("NoSuchKey", "The specified key does not exist."),
    (
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    ),
    ("NoSuchVersion", "The specified version does not exist."),
    ("NotImplemented", "A header you provided implies functionality that is not implemented"),
    ("PreconditionFailed", "At least one of the pre-conditions you specified did not hold"),
    (
        "RequestTimeout",
        "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.",
    ),
    (
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    ),
    (
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ),
    ("SlowDown", "Please reduce your request rate."),
    ("TooManyBuckets", "You have attempted to create more buckets than allowed"),
];

/// What an answer repeats of its request.
pub(super) struct Dresser {
    head: bool,
    /// HTTP/1 with `Expect: 100-continue`, and whether there is a body to wait for.
    expects: Option<bool>,
    path: String,
    request_id: String,
    host_id: String,
}

impl Dresser {
    pub(super) fn new(parts: &Parts) -> Self {
        let mut entropy = [0; 32];
        // Without randomness ids are all alike, which harms nobody.
        let _ = getrandom::fill(&mut entropy);
        Self {
            head: parts.method == Method::HEAD,
            expects: expects(parts),
            path: percent_decode_str(parts.uri.path()).decode_utf8_lossy().into_owned(),
            request_id: hex(&entropy[..8]).to_uppercase(),
            host_id: hex(&entropy[8..]),
        }
    }

    pub(super) async fn dress(self, response: Response<Body>) -> Response<Body> {
        let (mut parts, body) = response.into_parts();
        let status = parts.status;
        let body = if status == StatusCode::NOT_MODIFIED || (self.head && !status.is_success()) {
            parts.headers.remove(header::CONTENT_TYPE);
            parts.headers.remove(header::CONTENT_LENGTH);
            empty()
        } else if status.is_client_error() || status.is_server_error() {
            let text = self.error(body).await;
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
            Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed()
        } else {
            body
        };
        // As S3 does: who was to wait for "100 Continue" and got a final answer instead cannot be sure what the server read, and
        // botocore misreads the next answer on such a connection.
        let closes = self.expects.is_some_and(|body| !body || !status.is_success());
        if closes {
            parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        for (name, value) in [("x-amz-request-id", &self.request_id), ("x-amz-id-2", &self.host_id)]
        {
            if let Ok(value) = HeaderValue::from_str(value) {
                parts.headers.insert(name, value);
            }
        }
        Response::from_parts(parts, body)
    }

    async fn error(&self, body: Body) -> String {
        let written = written(body).await;
        let code = element(&written, "Code").unwrap_or("InternalError");
        let said = element(&written, "Message")
            .filter(|message| !message.is_empty() && code != "InternalError");
        let usual = || {
            MESSAGES.iter().find(|(known, _)| *known == code).map_or(code, |(_, message)| message)
        };
        // `s3s` explains to whoever is anonymous that they are; S3 does not.
        let said = said.filter(|message| *message != "Signature is required");
        let message = said.map_or_else(|| escape(usual()), str::to_owned);
        let (bucket, key) = self
            .path
            .trim_start_matches('/')
            .split_once('/')
            .unwrap_or_else(|| (self.path.trim_start_matches('/'), ""));
        let detail = match code {
            "NoSuchBucket" | "InvalidBucketName" | "BucketNotEmpty" => {
                format!("<BucketName>{}</BucketName>", escape(bucket))
            }
            "NoSuchKey" => format!("<Key>{}</Key>", escape(key)),
            _ => String::new(),
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{detail}\
             <Resource>{}</Resource><RequestId>{}</RequestId><HostId>{}</HostId></Error>",
            escape(&self.path),
            self.request_id,
            self.host_id
        )
    }
}

/// What `s3s` wrote, as far as it is an error's length.
async fn written(mut body: Body) -> String {
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data()
            && bytes.len() + data.len() <= ERROR_BYTES_MAX
        {
            bytes.extend_from_slice(&data);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn expects(parts: &Parts) -> Option<bool> {
    let expect = parts.headers.get(header::EXPECT)?;
    let one = matches!(parts.version, Version::HTTP_10 | Version::HTTP_11);
    let empty =
        parts.headers.get(header::CONTENT_LENGTH).is_some_and(|length| length.as_bytes() == b"0");
    (one && expect.as_bytes().eq_ignore_ascii_case(b"100-continue")).then_some(!empty)
}

/// What is left when not even an error could be written.
pub(super) fn internal_error() -> Response<s3s::Body> {
    let mut response = Response::new(s3s::Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

fn empty() -> Body {
    Empty::new().map_err(|never| -> BodyError { match never {} }).boxed()
}

/// The text of the first element `name`, still escaped.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// Text for XML 1.0, which has no place for most control characters.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.extend(["&#", &u32::from(character).to_string(), ";"]),
            character if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}');
            }
            character => out.push(character),
        }
    }
    out
}
