//! Everything that can be wrong with a signature, one variant per condition, with what its text needs.
//!
//! How a condition is worded depends on the protocol and is decided in `answer`.

use std::fmt;

use super::{BasicTime, Dialect};

/// Why a request is not anybody's. Variants are in the order in which the conditions are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A signature in the header and one in the query.
    BothPresent,
    /// No signature at all.
    Missing,
    /// A part of the `Authorization` header without an equals sign.
    NotKeyValue {
        part: String,
        authorization: String,
    },
    /// The `Authorization` header, or the date that belongs to it, is not whole.
    MissingParts {
        missing: Missing,
        authorization: String,
    },
    /// Parameters that a presigned URL lacks.
    MissingQueryParts {
        missing: Vec<&'static str>,
    },
    UnsupportedAlgorithm {
        algorithm: String,
    },
    MalformedDate {
        date: String,
    },
    MalformedCredential {
        credential: String,
    },
    /// Too many signed headers, or one of them twice.
    MalformedSignedHeaders,
    /// The life of a presigned URL is no number, or not one that is allowed.
    MalformedExpires(ExpiresFault),
    /// Signed, or presigned, too long ago: `at` lies before `limit`, which is `now` less `window_secs`.
    Expired {
        at: BasicTime,
        limit: BasicTime,
        now: BasicTime,
        window_secs: u32,
        presigned: bool,
    },
    /// Signed in the future: `at` lies after `limit`, which is `now` plus `window_secs`.
    NotYetCurrent {
        at: BasicTime,
        limit: BasicTime,
        now: BasicTime,
        window_secs: u32,
        presigned: bool,
    },
    HostUnsigned,
    /// S3 only: `x-amz-*` headers that the signature does not cover.
    HeadersUnsigned {
        names: Vec<String>,
    },
    /// Everything that is wrong with the scope, together.
    Scope {
        faults: Vec<ScopeFault>,
    },
    /// S3 only: no `x-amz-content-sha256`.
    ContentHashMissing,
    /// S3 only: an `x-amz-content-sha256` that is neither a hash nor a value that is accepted.
    ContentHashMalformed,
    UnknownKey {
        access_key_id: String,
    },
    /// The security token is not the one of this key, or missing, or the key has none.
    BadToken,
    ExpiredToken,
    Mismatch(Box<Mismatch>),
    /// The signature is good, and the body received is not the one that `x-amz-content-sha256` declares.
    ContentHashMismatch,
}

/// The parts a header signature lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent parts, each there or not")]
pub struct Missing {
    pub credential: bool,
    pub signature: bool,
    pub signed_headers: bool,
    pub date: bool,
}

/// What is wrong with `X-Amz-Expires`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiresFault {
    NotANumber,
    Negative,
    Zero,
    /// More than a week.
    TooLong,
}

/// One thing that is wrong with a scope; `expected` is what this server answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeFault {
    Region { got: String, expected: String },
    Service { expected: String },
    Terminator { got: String },
    Date { got: String, timestamp: BasicTime },
}

/// What was signed by our reckoning, so that the client can compare it with its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Mismatch {
    pub canonical_request: String,
    pub string_to_sign: String,
    pub access_key_id: String,
    pub signature: String,
}

/// Without the canonical request, in which a session token may stand.
impl fmt::Debug for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mismatch")
            .field("access_key_id", &self.access_key_id)
            .field("string_to_sign", &self.string_to_sign)
            .field("signature", &self.signature)
            .finish_non_exhaustive()
    }
}

/// The first line of the message, for logs: what follows it repeats the request, session token included.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.answer(Dialect::Json).message;
        f.write_str(message.lines().next().unwrap_or_default())
    }
}

impl std::error::Error for Problem {}
