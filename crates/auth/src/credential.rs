//! What a key id stands for: the secret, the session if there is one, and the principal behind it.
//!
//! Secrets never show in `Debug` output and are compared in constant time.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use subtle::ConstantTimeEq;

/// The secret half of an access key.
#[derive(Clone)]
pub struct SecretKey(Arc<str>);

impl SecretKey {
    pub fn new(secret: impl Into<Arc<str>>) -> Self {
        Self(secret.into())
    }

    /// The secret itself: for signing and for writing the credentials file, never for logs.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

/// The token that must come with every request signed by a temporary key.
#[derive(Clone)]
pub struct SessionToken(Arc<str>);

impl SessionToken {
    pub fn new(token: impl Into<Arc<str>>) -> Self {
        Self(token.into())
    }

    /// The token itself: for sending and storing it, never for logs.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `claimed` is this token, in constant time for tokens of equal length.
    pub fn matches(&self, claimed: &str) -> bool {
        self.0.as_bytes().ct_eq(claimed.as_bytes()).into()
    }
}

impl PartialEq for SessionToken {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other.expose())
    }
}

impl Eq for SessionToken {}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(hidden)")
    }
}

/// What makes a key temporary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub token: SessionToken,
    /// Unix seconds on the wall clock; from this second on the key is refused.
    pub expires: i64,
}

/// Who a key belongs to, in the words of `GetCallerIdentity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account's twelve digits.
    pub account: String,
    /// `arn:aws:iam::A:root`, `arn:aws:iam::A:user/…` or `arn:aws:sts::A:assumed-role/…`.
    pub arn: String,
    /// The unique id; for the root user the account's digits.
    pub user_id: String,
}

/// An access key with everything that is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub access_key_id: String,
    pub secret: SecretKey,
    /// `None` for a long-term key.
    pub session: Option<Session>,
    pub principal: Principal,
}

/// What somebody who keeps keys remembers of one of them: at least its credential.
pub trait Holder: Any + fmt::Debug + Send + Sync {
    fn credential(&self) -> &Credential;
}

impl Holder for Credential {
    fn credential(&self) -> &Credential {
        self
    }
}

/// A key that was found. It carries what its finder remembers of it, so that who asks about the key next need not look
/// it up again. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Found(Arc<dyn Holder>);

impl Found {
    pub fn new(holder: Arc<dyn Holder>) -> Self {
        Self(holder)
    }

    /// What its finder remembers of it, for who knows the finder.
    pub fn holder<H: Holder>(&self) -> Option<&H> {
        let any: &dyn Any = &*self.0;
        any.downcast_ref()
    }
}

impl Deref for Found {
    type Target = Credential;

    fn deref(&self) -> &Credential {
        self.0.credential()
    }
}

impl From<Arc<Credential>> for Found {
    fn from(credential: Arc<Credential>) -> Self {
        Self(credential)
    }
}

/// Where credentials are looked up. It is asked for every request, so it answers from memory.
pub trait Credentials {
    /// The key of this id as it is now, if it exists and is active.
    fn find(&self, access_key_id: &str) -> Option<Found>;

    /// Whether [`Self::find`] would find the same now. A `false` costs another look; a wrong `true` lets a key count
    /// that is gone.
    fn holds(&self, _found: &Found) -> bool {
        false
    }
}

impl<F: Fn(&str) -> Option<Arc<Credential>>> Credentials for F {
    fn find(&self, access_key_id: &str) -> Option<Found> {
        self(access_key_id).map(Found::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let credential = Credential {
            access_key_id: "AKIAEXAMPLE".into(),
            secret: SecretKey::new("open-sesame"),
            session: Some(Session { token: SessionToken::new("one-time-pass"), expires: 1 }),
            principal: Principal { account: "0".into(), arn: "arn".into(), user_id: "0".into() },
        };
        let shown = format!("{credential:#?}");
        assert!(shown.contains("AKIAEXAMPLE"));
        assert!(!shown.contains("sesame") && !shown.contains("one-time"), "{shown}");
    }

    #[test]
    fn secrets_and_tokens_compare_by_value() {
        assert_eq!(SecretKey::new("a"), SecretKey::new("a"));
        assert_ne!(SecretKey::new("a"), SecretKey::new("b"));
        assert_ne!(SecretKey::new("a"), SecretKey::new("aa"));
        assert!(SessionToken::new("t").matches("t"));
        assert!(!SessionToken::new("t").matches(""));
    }
}
