//! Whether a claim is true, in two steps: what can be refused without the body, and the signature itself.
//!
//! The second step looks the key up again unless it is sure to be the same one, because a body may take a minute to arrive
//! and a key deleted meanwhile must not count any more.

use hmac::Mac;

use crate::{Credential, Credentials, Found};

use super::canonical::{Head, canonical_request};
use super::keys::Scope;
use super::parameters::{X_AMZ_CONTENT_SHA256, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN};
use super::problem::{Mismatch, Problem, ScopeFault};
use super::{BasicTime, Claim, Hex, S3, SigningKeys, TERMINATOR, from_hex};

/// What S3 takes in place of a hash.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// What this server answers for, and when it is.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    /// The server's own region first; global services add `us-east-1`.
    pub regions: &'a [&'a str],
    /// Signing names that lead to what is being called, such as `["sagemaker"]`.
    pub services: &'a [&'a str],
    /// Unix seconds on the wall clock.
    pub now: i64,
    /// How far the client's clock may be off, in seconds. AWS's classic services allow 900, newer ones 300.
    pub skew_secs: u32,
}

/// The body that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// Its SHA-256 sum.
    Sha256([u8; 32]),
    /// Not hashed. Fails unless [`Admitted::needs_body_hash`] said that no hash is needed.
    Unhashed,
}

/// What the signature says of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// The canonical request holds the hash of the body received, whatever a header claims.
    Received,
    /// The hash that S3's header declares; the body is compared with it after the signature.
    Declared([u8; 32]),
    Unsigned,
}

/// A claim that passed all checks but the signature's. Only [`Self::verify`] makes it a fact.
#[derive(Debug, Clone)]
#[must_use = "nothing is verified before `verify` says so"]
pub struct Admitted<'c, 'a> {
    claim: &'c Claim<'a>,
    content: Content,
    /// The key as it was when the claim was checked.
    found: Found,
    now: i64,
}

impl<'a> Claim<'a> {
    /// Checks what needs no body: conditions 7 to 12 of section 8.4, in this order. Call it before reading the body.
    pub fn admit<'c>(
        &'c self,
        credentials: &(impl Credentials + ?Sized),
        expect: &Expectation<'_>,
    ) -> Result<Admitted<'c, 'a>, Problem> {
        let content = self.check(expect)?;
        let found = self.find(credentials, expect.now)?;
        Ok(Admitted { claim: self, content, found, now: expect.now })
    }

    /// [`Self::admit`] and [`Admitted::verify`] in one, for a body that is already there.
    pub fn authenticate(
        &self,
        payload: Payload,
        credentials: &(impl Credentials + ?Sized),
        keys: &mut SigningKeys,
        expect: &Expectation<'_>,
    ) -> Result<Found, Problem> {
        self.admit(credentials, expect)?.verify(payload, credentials, keys)
    }

    fn check(&self, expect: &Expectation<'_>) -> Result<Content, Problem> {
        self.check_time(expect)?;
        if !self.signs("host") {
            return Err(Problem::HostUnsigned);
        }
        self.check_scope(expect)?;
        let content = self.content()?;
        if self.service == S3 {
            self.check_amz_headers()?;
        }
        Ok(content)
    }

    fn check_time(&self, expect: &Expectation<'_>) -> Result<(), Problem> {
        let (at, presigned, skew_secs) = (self.timestamp, self.presigned, expect.skew_secs);
        let now = || BasicTime::from_unix(expect.now);
        let window_secs = self.expires_secs.unwrap_or(skew_secs);
        let earliest = expect.now.saturating_sub(window_secs.into());
        if at.unix() < earliest {
            let limit = BasicTime::from_unix(earliest);
            return Err(Problem::Expired { at, limit, now: now(), window_secs, presigned });
        }
        let latest = expect.now.saturating_add(skew_secs.into());
        if at.unix() > latest {
            let limit = BasicTime::from_unix(latest);
            return Err(Problem::NotYetCurrent {
                at,
                limit,
                now: now(),
                window_secs: skew_secs,
                presigned,
            });
        }
        Ok(())
    }

    fn check_scope(&self, expect: &Expectation<'_>) -> Result<(), Problem> {
        let first = |allowed: &[&str]| allowed.first().copied().unwrap_or_default().to_owned();
        let mut faults = Vec::new();
        if !expect.regions.contains(&&*self.region) {
            faults.push(ScopeFault::Region {
                got: self.region.to_string(),
                expected: first(expect.regions),
            });
        }
        if !expect.services.contains(&&*self.service) {
            faults.push(ScopeFault::Service { expected: first(expect.services) });
        }
        if self.terminator != TERMINATOR {
            faults.push(ScopeFault::Terminator { got: self.terminator.to_string() });
        }
        if self.date != self.timestamp.date() {
            faults.push(ScopeFault::Date { got: self.date.to_string(), timestamp: self.timestamp });
        }
        if faults.is_empty() { Ok(()) } else { Err(Problem::Scope { faults }) }
    }

    fn content(&self) -> Result<Content, Problem> {
        if self.service != S3 {
            return Ok(Content::Received);
        }
        let Some(declared) = self.parts.headers.get(X_AMZ_CONTENT_SHA256) else {
            return if self.presigned {
                Ok(Content::Unsigned)
            } else {
                Err(Problem::ContentHashMissing)
            };
        };
        match declared.to_str().map(str::trim) {
            Ok(UNSIGNED_PAYLOAD) => Ok(Content::Unsigned),
            Ok(digits) => {
                from_hex(digits).map(Content::Declared).ok_or(Problem::ContentHashMalformed)
            }
            Err(_) => Err(Problem::ContentHashMalformed),
        }
    }

    /// S3 wants every `x-amz-*` header signed: otherwise whoever holds a presigned upload could turn it into a copy of
    /// any object the signer may read.
    fn check_amz_headers(&self) -> Result<(), Problem> {
        // These three are covered without being listed: by the payload line, the string to sign and the key.
        let covered = [X_AMZ_CONTENT_SHA256, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN];
        let names: Vec<_> = self
            .parts
            .headers
            .keys()
            .map(http::HeaderName::as_str)
            .filter(|name| {
                name.starts_with("x-amz-") && !covered.contains(name) && !self.signs(name)
            })
            .map(str::to_owned)
            .collect();
        if names.is_empty() { Ok(()) } else { Err(Problem::HeadersUnsigned { names }) }
    }

    /// Whether there is an `x-amz-content-sha256` that says something else than the hash of the body received.
    fn declares_another(&self, received: &str) -> bool {
        let declared = self.parts.headers.get_all(X_AMZ_CONTENT_SHA256);
        declared.iter().any(|value| value.as_bytes().trim_ascii() != received.as_bytes())
    }

    fn signs(&self, header: &str) -> bool {
        self.signed_headers.split(';').any(|name| name.eq_ignore_ascii_case(header))
    }

    /// The key as it is now, with the token that it needs: conditions 11 and 12.
    fn find(&self, credentials: &(impl Credentials + ?Sized), now: i64) -> Result<Found, Problem> {
        let Some(found) = credentials.find(&self.access_key_id) else {
            return Err(Problem::UnknownKey { access_key_id: self.access_key_id.to_string() });
        };
        let credential: &Credential = &found;
        match (&credential.session, self.security_token.as_deref()) {
            (None, None) => {}
            (Some(session), Some(token)) if session.token.matches(token) => {
                if session.expires <= now {
                    return Err(Problem::ExpiredToken);
                }
            }
            (None, Some(_)) | (Some(_), None | Some(_)) => return Err(Problem::BadToken),
        }
        Ok(found)
    }
}

impl Admitted<'_, '_> {
    /// Whether [`Self::verify`] needs the hash of the body. S3 alone lets a signature leave the body out.
    pub fn needs_body_hash(&self) -> bool {
        self.content != Content::Unsigned
    }

    /// Checks the signature over the head and the body received: condition 13 of section 8.4, after 11 and 12 once
    /// more where the key may have changed. Nothing of the body may go anywhere before this says `Ok`; the key that it
    /// gives was the caller's at the moment of the call.
    pub fn verify(
        self,
        payload: Payload,
        credentials: &(impl Credentials + ?Sized),
        keys: &mut SigningKeys,
    ) -> Result<Found, Problem> {
        let claim = self.claim;
        let found = if credentials.holds(&self.found) {
            self.found
        } else {
            claim.find(credentials, self.now)?
        };
        let credential: &Credential = &found;
        let signed_hash = match (self.content, payload) {
            (Content::Received, Payload::Sha256(sum)) | (Content::Declared(sum), _) => Some(sum),
            (Content::Received, Payload::Unhashed) => return Err(Problem::ContentHashMissing),
            (Content::Unsigned, _) => None,
        };
        let digits = signed_hash.as_ref().map(Hex::of);
        let payload_text = digits.as_ref().map_or(UNSIGNED_PAYLOAD, Hex::as_str);
        let canonical = canonical_request(
            Head::from(claim.parts),
            &claim.service,
            &claim.signed_headers,
            payload_text,
        );
        let scope = Scope::of(claim);
        let string_to_sign = scope.string_to_sign(claim.timestamp.as_str(), &canonical);
        let mac = keys.key(credential, scope).chain_update(&string_to_sign);
        // A signature that is not 64 digits cannot be the right one; verify_slice compares in constant time.
        let genuine = from_hex(&claim.signature).is_some_and(|sum| mac.verify_slice(&sum).is_ok());
        if !genuine {
            return Err(Problem::Mismatch(Box::new(Mismatch {
                canonical_request: String::from_utf8_lossy(&canonical).into_owned(),
                string_to_sign,
                access_key_id: credential.access_key_id.clone(),
                signature: claim.signature.to_string(),
            })));
        }
        match (self.content, payload) {
            (Content::Declared(declared), Payload::Sha256(received)) if declared == received => {
                Ok(found)
            }
            (Content::Declared(_), _) => Err(Problem::ContentHashMismatch),
            (Content::Received, _) if claim.declares_another(payload_text) => {
                Err(Problem::ContentHashMismatch)
            }
            (Content::Received | Content::Unsigned, _) => Ok(found),
        }
    }
}
