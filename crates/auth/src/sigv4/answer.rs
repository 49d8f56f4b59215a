//! AWS's words for each problem: code, HTTP status and message, per family of protocols.
//!
//! Texts and codes: `reference/autoscaling-and-cloudwatch.md`, section 8.4; S3's own are those of its error list.

use super::claim::EXPIRES_SECS_MAX;
use super::parameters::SIGNED_HEADERS_MAX;
use super::problem::{ExpiresFault, Mismatch, Missing, Problem, ScopeFault};

/// What AWS puts before a `#` and the code in the `__type` of JSON answers to bad signatures.
pub const CORAL_NAMESPACE: &str = "com.amazon.coral.service";

/// Bytes of a request that an answer repeats at most, so that a stranger's head is not echoed at full size.
const ECHO_BYTES_MAX: usize = 16 * 1024;

/// The families of protocols whose errors differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// awsJson: SageMaker, Application Auto Scaling, CloudWatch.
    Json,
    /// rest-json: the SageMaker runtime.
    RestJson,
    /// awsQuery: STS, IAM.
    Query,
    S3,
}

/// What the client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The error code without a namespace.
    pub code: &'static str,
    pub status: u16,
    pub message: String,
    /// Further members of S3's XML error, as clients read them (`Region`, `StringToSign` …); empty elsewhere.
    pub details: Vec<(&'static str, String)>,
}

/// Groups of problems that share a code.
#[derive(Clone, Copy)]
enum Kind {
    Missing,
    Incomplete,
    Invalid,
    /// A presigned URL that has run out.
    RunOut,
    UnknownKey,
    BadToken,
    ExpiredToken,
}

impl Problem {
    /// The answer in the words of `dialect`.
    pub fn answer(&self, dialect: Dialect) -> Answer {
        if dialect == Dialect::S3 {
            return self.answer_of_s3();
        }
        let (code, status) = code(self.kind(), dialect);
        Answer { code, status, message: self.message(), details: Vec::new() }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Missing => Kind::Missing,
            Self::NotKeyValue { .. }
            | Self::MissingParts { .. }
            | Self::MissingQueryParts { .. }
            | Self::UnsupportedAlgorithm { .. }
            | Self::MalformedDate { .. }
            | Self::MalformedCredential { .. }
            | Self::MalformedSignedHeaders
            | Self::MalformedExpires(_) => Kind::Incomplete,
            Self::Expired { presigned: true, .. } => Kind::RunOut,
            Self::BothPresent
            | Self::Expired { presigned: false, .. }
            | Self::NotYetCurrent { .. }
            | Self::HostUnsigned
            | Self::HeadersUnsigned { .. }
            | Self::Scope { .. }
            | Self::ContentHashMissing
            | Self::ContentHashMalformed
            | Self::Mismatch(_)
            | Self::ContentHashMismatch => Kind::Invalid,
            Self::UnknownKey { .. } => Kind::UnknownKey,
            Self::BadToken => Kind::BadToken,
            Self::ExpiredToken => Kind::ExpiredToken,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::BothPresent => {
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.".into()
            }
            Self::Missing => "Request is missing Authentication Token".into(),
            Self::NotKeyValue { part, authorization } => format!(
                "'{}' not a valid key=value pair (missing equal-sign) in Authorization header: '{}'.",
                echo(part),
                echo(authorization)
            ),
            Self::MissingParts { missing, authorization } => {
                format!("{}Authorization={}", missing_parts(*missing), echo(authorization))
            }
            Self::MissingQueryParts { missing } => missing_query_parts(missing),
            Self::UnsupportedAlgorithm { algorithm } => {
                format!("Unsupported AWS 'algorithm': '{}' (only AWS4-HMAC-SHA256 for now). ", echo(algorithm))
            }
            Self::MalformedDate { date } => format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
                echo(date)
            ),
            Self::MalformedCredential { credential } => format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
                echo(credential)
            ),
            Self::MalformedSignedHeaders => {
                format!("'SignedHeaders' must name at most {SIGNED_HEADERS_MAX} headers, and each of them once.")
            }
            Self::MalformedExpires(fault) => malformed_expires(*fault),
            Self::Expired { at, limit, now, window_secs, .. } => format!(
                "Signature expired: {} is now earlier than {} ({} - {})",
                at.as_str(),
                limit.as_str(),
                now.as_str(),
                window(*window_secs)
            ),
            Self::NotYetCurrent { at, limit, now, window_secs, .. } => format!(
                "Signature not yet current: {} is still later than {} ({} + {})",
                at.as_str(),
                limit.as_str(),
                now.as_str(),
                window(*window_secs)
            ),
            Self::HostUnsigned => "'Host' must be a 'SignedHeader' in the AWS Authorization.".into(),
            Self::HeadersUnsigned { .. } => "There were headers present in the request which were not signed".into(),
            Self::Scope { faults } => faults.iter().map(scope_fault).collect(),
            Self::ContentHashMissing => "Missing required header for this request: x-amz-content-sha256".into(),
            Self::ContentHashMalformed => {
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, or a valid sha256 value.".into()
            }
            Self::UnknownKey { .. } => "The security token included in the request is invalid.".into(),
            Self::BadToken => "The security token included in the request is invalid".into(),
            Self::ExpiredToken => "The security token included in the request is expired".into(),
            Self::Mismatch(mismatch) => mismatch_text(mismatch),
            Self::ContentHashMismatch => {
                "The provided 'x-amz-content-sha256' header does not match what was computed.".into()
            }
        }
    }

    fn answer_of_s3(&self) -> Answer {
        let malformed = || format!("The authorization header is malformed; {}", self.message());
        let header = ("AuthorizationHeaderMalformed", 400);
        let query = ("AuthorizationQueryParametersError", 400);
        let ((code, status), message) = match self {
            Self::BothPresent => (
                ("InvalidArgument", 400),
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                 parameter or the Authorization header should be specified"
                    .into(),
            ),
            Self::Missing => (("AccessDenied", 403), "Access Denied".into()),
            Self::NotKeyValue { .. }
            | Self::MissingParts { .. }
            | Self::UnsupportedAlgorithm { .. }
            | Self::MalformedCredential { .. }
            | Self::MalformedSignedHeaders => (header, malformed()),
            Self::MalformedDate { .. } => (
                ("AccessDenied", 403),
                "AWS authentication requires a valid Date or x-amz-date header".into(),
            ),
            Self::MissingQueryParts { .. } => (
                query,
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                 X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
                    .into(),
            ),
            Self::MalformedExpires(fault) => (query, malformed_expires(*fault)),
            Self::Expired { presigned: true, .. } => (("AccessDenied", 403), "Request has expired".into()),
            Self::NotYetCurrent { presigned: true, .. } => {
                (("AccessDenied", 403), "Request is not yet valid".into())
            }
            Self::Expired { presigned: false, .. } | Self::NotYetCurrent { presigned: false, .. } => (
                ("RequestTimeTooSkewed", 403),
                "The difference between the request time and the current time is too large.".into(),
            ),
            Self::HostUnsigned | Self::HeadersUnsigned { .. } => (
                ("AccessDenied", 403),
                "There were headers present in the request which were not signed".into(),
            ),
            Self::Scope { faults } => (header, scope_of_s3(faults)),
            Self::ContentHashMissing => (("InvalidRequest", 400), self.message()),
            Self::ContentHashMalformed => (("InvalidArgument", 400), self.message()),
            Self::UnknownKey { .. } => (
                ("InvalidAccessKeyId", 403),
                "The AWS Access Key Id you provided does not exist in our records.".into(),
            ),
            Self::BadToken => {
                (("InvalidToken", 400), "The provided token is malformed or otherwise invalid.".into())
            }
            Self::ExpiredToken => (("ExpiredToken", 400), "The provided token has expired.".into()),
            Self::Mismatch(_) => (
                ("SignatureDoesNotMatch", 403),
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method."
                    .into(),
            ),
            Self::ContentHashMismatch => (("XAmzContentSHA256Mismatch", 400), self.message()),
        };
        Answer { code, status, message, details: self.details_of_s3() }
    }

    fn details_of_s3(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Scope { faults } => faults
                .iter()
                .filter_map(|fault| match fault {
                    ScopeFault::Region { expected, .. } => Some(("Region", expected.clone())),
                    ScopeFault::Service { .. }
                    | ScopeFault::Terminator { .. }
                    | ScopeFault::Date { .. } => None,
                })
                .collect(),
            Self::HeadersUnsigned { names } => {
                vec![("HeadersNotSigned", echo(&names.join(", ")).to_owned())]
            }
            Self::UnknownKey { access_key_id } => {
                vec![("AWSAccessKeyId", echo(access_key_id).to_owned())]
            }
            Self::Mismatch(mismatch) => vec![
                ("AWSAccessKeyId", mismatch.access_key_id.clone()),
                ("StringToSign", mismatch.string_to_sign.clone()),
                ("SignatureProvided", echo(&mismatch.signature).to_owned()),
                ("CanonicalRequest", echo(&mismatch.canonical_request).to_owned()),
            ],
            _ => Vec::new(),
        }
    }
}

fn code(kind: Kind, dialect: Dialect) -> (&'static str, u16) {
    let status = if dialect == Dialect::Json { 400 } else { 403 };
    match (kind, dialect) {
        (Kind::Missing, Dialect::Query) => ("MissingAuthenticationToken", 403),
        (Kind::Missing, _) => ("MissingAuthenticationTokenException", status),
        (Kind::Incomplete, Dialect::Query) => ("IncompleteSignature", 400),
        (Kind::Incomplete, _) => ("IncompleteSignatureException", status),
        (Kind::RunOut, Dialect::Query) => ("RequestExpired", 400),
        (Kind::Invalid, Dialect::Query) => ("SignatureDoesNotMatch", 403),
        (Kind::Invalid | Kind::RunOut, _) => ("InvalidSignatureException", status),
        (Kind::UnknownKey | Kind::BadToken, Dialect::Query) => ("InvalidClientTokenId", 403),
        (Kind::UnknownKey | Kind::BadToken, _) => ("UnrecognizedClientException", status),
        (Kind::ExpiredToken, Dialect::Query) => ("ExpiredToken", 403),
        (Kind::ExpiredToken, _) => ("ExpiredTokenException", status),
    }
}

fn missing_parts(missing: Missing) -> String {
    let parameter = |missing: bool, name: &str| {
        if missing {
            format!("Authorization header requires '{name}' parameter. ")
        } else {
            String::new()
        }
    };
    let date = if missing.date {
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
    } else {
        ""
    };
    [
        parameter(missing.credential, "Credential"),
        parameter(missing.signature, "Signature"),
        parameter(missing.signed_headers, "SignedHeaders"),
        date.to_owned(),
    ]
    .concat()
}

fn missing_query_parts(missing: &[&str]) -> String {
    let named = missing.join("'. AWS query-string parameters must include '");
    format!(
        "AWS query-string parameters must include '{named}'. Re-examine the query-string parameters."
    )
}

fn malformed_expires(fault: ExpiresFault) -> String {
    match fault {
        ExpiresFault::NotANumber => "X-Amz-Expires should be a number".into(),
        ExpiresFault::Negative => "X-Amz-Expires must be non-negative".into(),
        ExpiresFault::Zero => "X-Amz-Expires must be at least 1 second".into(),
        ExpiresFault::TooLong => format!(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
             {EXPIRES_SECS_MAX} seconds"
        ),
    }
}

fn window(secs: u32) -> String {
    if secs.is_multiple_of(60) { format!("{} min.", secs / 60) } else { format!("{secs} sec.") }
}

fn scope_fault(fault: &ScopeFault) -> String {
    match fault {
        ScopeFault::Region { got, .. } => {
            format!("Credential should be scoped to a valid region, not '{}'. ", echo(got))
        }
        ScopeFault::Service { expected } => {
            format!("Credential should be scoped to correct service: '{expected}'. ")
        }
        ScopeFault::Terminator { got } => {
            format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'. ",
                echo(got)
            )
        }
        ScopeFault::Date { got, timestamp } => format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '{}' != '{}', from '{}'. ",
            echo(got),
            timestamp.date(),
            timestamp.as_str()
        ),
    }
}

/// S3 names one fault, and says what it expected.
fn scope_of_s3(faults: &[ScopeFault]) -> String {
    let fault = match faults.first() {
        Some(ScopeFault::Region { got, expected }) => {
            format!("the region '{}' is wrong; expecting '{expected}'", echo(got))
        }
        Some(ScopeFault::Service { expected }) => {
            format!("incorrect service. This endpoint belongs to \"{expected}\".")
        }
        Some(ScopeFault::Terminator { got }) => {
            format!("incorrect terminal \"{}\". This endpoint uses \"aws4_request\".", echo(got))
        }
        Some(ScopeFault::Date { got, timestamp }) => {
            format!(
                "Invalid credential date \"{}\". This date is not the same as \"{}\".",
                echo(got),
                timestamp.date()
            )
        }
        None => "the credential scope is wrong".to_owned(),
    };
    format!("The authorization header is malformed; {fault}")
}

fn mismatch_text(mismatch: &Mismatch) -> String {
    format!(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this \
         request should have been\n'{}'\n\nThe String-to-Sign should have been\n'{}'\n",
        echo(&mismatch.canonical_request),
        echo(&mismatch.string_to_sign)
    )
}

/// The beginning of a text that came with the request.
fn echo(text: &str) -> &str {
    text.get(..text.floor_char_boundary(ECHO_BYTES_MAX)).unwrap_or(text)
}
