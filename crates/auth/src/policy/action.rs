//! Actions: the one that a request asks for, and the patterns in policies.
//!
//! Services and names compare without regard to case. So that a thousand statements can be passed over quickly, each
//! knows a bit for everything that it could match; a request whose bits meet none of them needs no look at the patterns.

use super::malformed::Malformed;
use super::pattern::{Pattern, Syntax};

/// What a request wants to do, `sagemaker:InvokeEndpoint` for example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action<'a> {
    /// `sagemaker`
    pub service: &'a str,
    /// `InvokeEndpoint`
    pub name: &'a str,
    service_bit: u64,
    whole_bit: u64,
}

impl<'a> Action<'a> {
    /// Constant, so that a table of operations costs nothing at run time.
    pub const fn new(service: &'a str, name: &'a str) -> Self {
        let hash = fold(FNV_OFFSET, service);
        Self { service, name, service_bit: bit(hash), whole_bit: bit(fold(hash, name)) }
    }

    /// Reads `service:Name`, for example out of the `ActionNames` of a simulation.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (service, name) = text.split_once(':')?;
        (!service.is_empty() && !name.is_empty()).then(|| Self::new(service, name))
    }
}

impl std::fmt::Display for Action<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a over the lower-case text and an end mark.
const fn fold(mut hash: u64, text: &str) -> u64 {
    let mut bytes = text.as_bytes();
    while let [byte, rest @ ..] = bytes {
        hash = (hash ^ byte.to_ascii_lowercase() as u64).wrapping_mul(FNV_PRIME);
        bytes = rest;
    }
    (hash ^ 0xff).wrapping_mul(FNV_PRIME)
}

/// One of 64 bits, from the hash's best mixed end.
const fn bit(hash: u64) -> u64 {
    1_u64.rotate_left((hash >> 58) as u32)
}

/// Everything that a statement or document could match; a request that meets nothing of it is passed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// Bits of whole actions that are named without wildcards.
    whole: u64,
    /// Bits of services of which actions are matched by a pattern; all of them for `*` and `NotAction`.
    services: u64,
}

impl Reach {
    pub(super) const EVERYTHING: Self = Self { whole: 0, services: u64::MAX };

    pub(super) const fn may_match(self, action: &Action<'_>) -> bool {
        (self.whole & action.whole_bit) | (self.services & action.service_bit) != 0
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self { whole: self.whole | other.whole, services: self.services | other.services }
    }
}

/// One element of `Action` or `NotAction`.
#[derive(Debug)]
pub(super) struct ActionPattern {
    /// `None` for every service.
    service: Option<Box<str>>,
    name: Pattern,
}

impl ActionPattern {
    /// `element::check_action` has looked at the form.
    pub(super) fn compile(text: &str) -> Result<Self, Malformed> {
        let (service, name) = match text.split_once(':') {
            Some(("*", name)) => (None, name),
            Some((service, name)) => (Some(service.into()), name),
            None => (None, text),
        };
        Ok(Self { service, name: Pattern::compile(name, Syntax::WILDCARDS)? })
    }

    pub(super) fn matches(&self, action: &Action<'_>) -> bool {
        let service = self.service.as_deref();
        service.is_none_or(|service| service.eq_ignore_ascii_case(action.service))
            && self.name.matches_ignoring_case(action.name)
    }

    pub(super) fn reach(&self) -> Reach {
        let Some(service) = self.service.as_deref() else { return Reach::EVERYTHING };
        match self.name.as_literal() {
            Some(name) => Reach { whole: Action::new(service, name).whole_bit, services: 0 },
            None => Reach { whole: 0, services: Action::new(service, "").service_bit },
        }
    }
}
