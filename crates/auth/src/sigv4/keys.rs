//! Derived signing keys, kept so that a request costs one HMAC and not five.
//!
//! A cache belongs to one thread or one lock. It never decides who may sign: the credential is looked up anew for every
//! request, and an entry made from another secret is not used.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{Credential, SecretKey};

use super::{ALGORITHM, Claim, Hex, TERMINATOR};

/// Keys kept at once. Only scopes that passed the checks get in, so a handful of keys, times the services they call,
/// times two days at midnight; the oldest go first.
pub const SIGNING_KEYS_MAX: usize = 64;

/// Room for a string to sign.
const USUAL_BYTES: usize = 192;

/// A bounded cache of signing keys, the most recently used first.
#[derive(Default)]
pub struct SigningKeys {
    entries: Vec<Entry>,
}

struct Entry {
    access_key_id: String,
    secret: SecretKey,
    date: String,
    region: String,
    service: String,
    key: Hmac<Sha256>,
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("entries", &self.entries.len()).finish()
    }
}

/// The scope that a key is derived for.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl<'a> Scope<'a> {
    pub(super) fn of(claim: &'a Claim<'_>) -> Self {
        Self { date: &claim.date, region: &claim.region, service: &claim.service }
    }

    /// The string to sign: all that the signature itself is made over.
    pub(super) fn string_to_sign(self, timestamp: &str, canonical_request: &[u8]) -> String {
        let sum = Hex::of(&super::sha256(canonical_request));
        let Self { date, region, service } = self;
        // Every request is signed over one, so that it is put together in one allocation and without formatting.
        let mut text = String::with_capacity(USUAL_BYTES);
        text.extend([ALGORITHM, "\n", timestamp, "\n", date, "/", region, "/", service, "/"]);
        text.extend([TERMINATOR, "\n", sum.as_str()]);
        text
    }

    /// Derives the signing key of this scope.
    pub(super) fn derive(self, secret: &SecretKey) -> Hmac<Sha256> {
        let root = format!("AWS4{}", secret.expose());
        let date = hmac(root.as_bytes(), self.date);
        let region = hmac(&date, self.region);
        let service = hmac(&region, self.service);
        keyed(&hmac(&service, TERMINATOR))
    }
}

impl SigningKeys {
    pub fn new() -> Self {
        Self::default()
    }

    /// The key of this credential and scope, ready to be fed.
    pub(super) fn key(&mut self, credential: &Credential, scope: Scope<'_>) -> Hmac<Sha256> {
        let found = self.entries.iter().position(|entry| entry.serves(credential, scope));
        if let Some(at) = found {
            if let Some(recent) = self.entries.get_mut(..=at) {
                recent.rotate_right(1);
            }
        } else {
            self.entries.truncate(SIGNING_KEYS_MAX.saturating_sub(1));
            self.entries.insert(0, Entry::new(credential, scope));
        }
        self.recent().key.clone()
    }

    fn recent(&self) -> &Entry {
        self.entries.first().expect("found or inserted just now")
    }
}

impl Entry {
    fn new(credential: &Credential, scope: Scope<'_>) -> Self {
        Self {
            access_key_id: credential.access_key_id.clone(),
            secret: credential.secret.clone(),
            date: scope.date.to_owned(),
            region: scope.region.to_owned(),
            service: scope.service.to_owned(),
            key: scope.derive(&credential.secret),
        }
    }

    fn serves(&self, credential: &Credential, scope: Scope<'_>) -> bool {
        self.access_key_id == credential.access_key_id
            && self.service == scope.service
            && self.date == scope.date
            && self.region == scope.region
            && self.secret == credential.secret
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn hmac(key: &[u8], message: &str) -> [u8; 32] {
    keyed(key).chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use crate::Principal;

    use super::*;

    fn credential(id: &str, secret: &str) -> Credential {
        let principal =
            Principal { account: String::new(), arn: String::new(), user_id: String::new() };
        Credential {
            access_key_id: id.into(),
            secret: SecretKey::new(secret),
            session: None,
            principal,
        }
    }

    fn tag(key: Hmac<Sha256>) -> [u8; 32] {
        key.chain_update("message").finalize().into_bytes().into()
    }

    #[test]
    fn cached_keys_are_those_derived_and_the_cache_stays_bounded() {
        let mut keys = SigningKeys::new();
        for round in 0..2 {
            for user in 0..SIGNING_KEYS_MAX + 10 {
                let credential = credential(&format!("AKIA{user}"), &format!("secret{user}"));
                let scope = Scope { date: "20261123", region: "us-east-1", service: "sagemaker" };
                let derived = tag(scope.derive(&credential.secret));
                assert_eq!(
                    tag(keys.key(&credential, scope)),
                    derived,
                    "round {round}, user {user}"
                );
                assert_eq!(
                    tag(keys.key(&credential, scope)),
                    derived,
                    "round {round}, user {user}, from the cache"
                );
            }
        }
        assert_eq!(keys.entries.len(), SIGNING_KEYS_MAX);
    }

    #[test]
    fn any_other_scope_or_secret_has_another_key() {
        let mut keys = SigningKeys::new();
        let scope = Scope { date: "20261123", region: "us-east-1", service: "sagemaker" };
        let mut seen = vec![tag(keys.key(&credential("AKIA", "secret"), scope))];
        for (secret, scope) in [
            ("another", scope),
            ("secret", Scope { date: "20261124", ..scope }),
            ("secret", Scope { region: "us-east-2", ..scope }),
            ("secret", Scope { service: "sts", ..scope }),
        ] {
            let tag = tag(keys.key(&credential("AKIA", secret), scope));
            assert!(!seen.contains(&tag));
            seen.push(tag);
        }
    }
}
