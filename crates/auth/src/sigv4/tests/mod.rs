//! The signature checks as a whole: against botocore's signatures, against the table of texts, and against tampering.

mod conditions;
mod properties;
mod vectors;

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Request};

use crate::{Credential, Credentials, Found, Principal, SecretKey, Session, SessionToken};

use super::{Claim, Expectation, Payload, Problem, SigningKeys, sha256};

/// 2026-11-23T09:45:44Z.
const NOW: i64 = 1_795_427_144;

const KEY_ID: &str = "AKIAEXAMPLEEXAMPLEEX";
const SESSION_KEY_ID: &str = "ASIAEXAMPLEEXAMPLEEX";
const SECRET: &str = "a/secret+of+forty+characters/for+tests+0";
const TOKEN: &str = "session/token==";
const REGIONS: &[&str] = &["us-east-1"];

const EXPECT: Expectation<'static> =
    Expectation { regions: REGIONS, services: &["sagemaker"], now: NOW, skew_secs: 900 };

/// A long-term and a temporary key; the temporary one runs out ten minutes after [`NOW`].
struct TwoKeys {
    long_term: Arc<Credential>,
    temporary: Arc<Credential>,
}

impl TwoKeys {
    fn new() -> Self {
        let principal = Principal {
            account: "000000000000".into(),
            arn: "arn:aws:iam::000000000000:root".into(),
            user_id: "0".into(),
        };
        let long_term = Credential {
            access_key_id: KEY_ID.into(),
            secret: SecretKey::new(SECRET),
            session: None,
            principal,
        };
        let temporary = Credential {
            access_key_id: SESSION_KEY_ID.into(),
            session: Some(Session { token: SessionToken::new(TOKEN), expires: NOW + 600 }),
            ..long_term.clone()
        };
        Self { long_term: Arc::new(long_term), temporary: Arc::new(temporary) }
    }
}

impl Credentials for TwoKeys {
    fn find(&self, access_key_id: &str) -> Option<Found> {
        let found = match access_key_id {
            KEY_ID => &self.long_term,
            SESSION_KEY_ID => &self.temporary,
            _ => return None,
        };
        Some(Found::from(Arc::clone(found)))
    }
}

/// A request's head from plain texts, as a server would get it.
fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut parts = Request::builder().method(method).uri(uri).body(()).unwrap().into_parts().0;
    for (name, value) in headers {
        parts.headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    parts
}

/// The whole check, as a server does it.
fn verdict(
    parts: &Parts,
    body: &[u8],
    credentials: &impl Credentials,
    expect: &Expectation<'_>,
) -> Result<Found, Problem> {
    let claim = Claim::parse(parts)?;
    let admitted = claim.admit(credentials, expect)?;
    let payload =
        if admitted.needs_body_hash() { Payload::Sha256(sha256(body)) } else { Payload::Unhashed };
    admitted.verify(payload, credentials, &mut SigningKeys::new())
}
