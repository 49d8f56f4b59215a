//! The client's side: puts a signature into the `Authorization` header of a request.

use hmac::Mac;
use http::header::{AUTHORIZATION, HOST, InvalidHeaderValue};
use http::{HeaderName, HeaderValue, Request};

use crate::SecretKey;

use super::canonical::{Head, canonical_request};
use super::keys::Scope;
use super::parameters::{
    SIGNED_HEADERS_MAX, X_AMZ_CONTENT_SHA256, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN,
};
use super::{ALGORITHM, BasicTime, Hex, S3, TERMINATOR};

/// Headers that proxies and HTTP libraries add or change on the way, so that signing them would break the signature.
const NOT_SIGNED: &[&str] = &[
    "authorization",
    "connection",
    "expect",
    "te",
    "transfer-encoding",
    "user-agent",
    "x-amzn-trace-id",
];

/// Who signs, and for which region and service.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    pub access_key_id: &'a str,
    pub secret: &'a SecretKey,
    /// The token that belongs to a temporary key.
    pub session_token: Option<&'a str>,
    pub region: &'a str,
    /// The signing name, such as `sagemaker`.
    pub service: &'a str,
}

/// Why a request could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error("the request has neither a host header nor an absolute URL")]
    NoHost,
    #[error("the request has {count} headers to sign, more than {SIGNED_HEADERS_MAX}")]
    TooManyHeaders { count: usize },
    #[error("the {what} cannot be sent in a header")]
    Header {
        what: &'static str,
        #[source]
        cause: InvalidHeaderValue,
    },
}

/// Signs `request` for `now` (Unix seconds), with the hash of the body that will be sent. Sets `Authorization`,
/// `X-Amz-Date`, `Host` if it is missing, and what the session and S3 need; signing again replaces these.
pub fn sign<B>(
    request: &mut Request<B>,
    payload_sha256: &[u8; 32],
    signer: &Signer<'_>,
    now: i64,
) -> Result<(), SignError> {
    let timestamp = BasicTime::from_unix(now);
    let payload = Hex::of(payload_sha256);
    add_headers(request, payload.as_str(), signer, timestamp)?;

    let mut names: Vec<&str> = request
        .headers()
        .keys()
        .map(HeaderName::as_str)
        .filter(|name| !NOT_SIGNED.contains(name))
        .collect();
    names.sort_unstable();
    if names.len() > SIGNED_HEADERS_MAX {
        return Err(SignError::TooManyHeaders { count: names.len() });
    }
    let signed_headers = names.join(";");

    let scope = Scope { date: timestamp.date(), region: signer.region, service: signer.service };
    let head = Head { method: request.method(), uri: request.uri(), headers: request.headers() };
    let canonical = canonical_request(head, signer.service, &signed_headers, payload.as_str());
    let string_to_sign = scope.string_to_sign(timestamp.as_str(), &canonical);
    let sum =
        scope.derive(signer.secret).chain_update(&string_to_sign).finalize().into_bytes().into();
    let signature = Hex::of(&sum);
    let authorization = format!(
        "{ALGORITHM} Credential={}/{}/{}/{}/{TERMINATOR}, SignedHeaders={signed_headers}, Signature={signature}",
        signer.access_key_id,
        scope.date,
        scope.region,
        scope.service,
        signature = signature.as_str()
    );
    let value = header_value("access key id, region or service", &authorization)?;
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}

fn add_headers<B>(
    request: &mut Request<B>,
    payload: &str,
    signer: &Signer<'_>,
    timestamp: BasicTime,
) -> Result<(), SignError> {
    if !request.headers().contains_key(HOST) {
        let authority = request.uri().authority().ok_or(SignError::NoHost)?;
        let named = match authority.port() {
            Some(port) => format!("{}:{port}", authority.host()),
            None => authority.host().to_owned(),
        };
        let host = header_value("host", &named)?;
        request.headers_mut().insert(HOST, host);
    }
    let headers = request.headers_mut();
    headers.insert(X_AMZ_DATE, header_value("date", timestamp.as_str())?);
    headers.remove(X_AMZ_SECURITY_TOKEN);
    if let Some(token) = signer.session_token {
        let mut value = header_value("session token", token)?;
        value.set_sensitive(true);
        headers.insert(X_AMZ_SECURITY_TOKEN, value);
    }
    if signer.service == S3 {
        headers.insert(X_AMZ_CONTENT_SHA256, header_value("payload hash", payload)?);
    } else {
        // A hash left over from elsewhere would be signed although nobody compares it.
        headers.remove(X_AMZ_CONTENT_SHA256);
    }
    Ok(())
}

fn header_value(what: &'static str, text: &str) -> Result<HeaderValue, SignError> {
    HeaderValue::from_str(text).map_err(|cause| SignError::Header { what, cause })
}
