//! The values that a policy gives a condition, read once when the policy is compiled.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::arn::Parts;
use super::super::context::Facts;
use super::super::malformed::Malformed;
use super::super::pattern::{FoldFrom, Pattern, Syntax};
use super::date::{self, Instant};
use super::network::Network;
use super::operator::Family;

#[derive(Debug)]
pub(super) enum Operand {
    Text(Pattern),
    Number(f64),
    Date(Instant),
    Flag(bool),
    Binary(Box<[u8]>),
    Address(Network),
    Arn(Parts),
}

impl Operand {
    /// Variables stand in texts and ARNs only; a value of another type that is none is refused.
    pub(super) fn compile(family: Family, raw: &str, variables: bool) -> Result<Self, Malformed> {
        let compiled = match family {
            Family::Text { wildcards, .. } => {
                return Pattern::compile(raw, Syntax { wildcards, variables }).map(Self::Text);
            }
            Family::Arn => return Parts::compile(raw, variables).map(Self::Arn),
            Family::Number(_) => number(raw).map(Self::Number),
            Family::Date(_) => date::parse(raw).map(Self::Date),
            Family::Flag | Family::Null => flag(raw).map(Self::Flag),
            Family::Binary => STANDARD.decode(raw).ok().map(|bytes| Self::Binary(bytes.into())),
            Family::Address => Network::parse(raw).map(Self::Address),
        };
        compiled.ok_or(Malformed::Legacy)
    }

    /// Whether a value of the request matches. One that is not of the operator's type matches nothing.
    pub(super) fn matches(&self, family: Family, given: &str, facts: &Facts<'_>) -> bool {
        match (self, family) {
            (Self::Text(pattern), Family::Text { fold, .. }) => {
                let fold = if fold { FoldFrom::START } else { FoldFrom::NEVER };
                pattern.matches(given, fold, facts)
            }
            (Self::Number(wanted), Family::Number(comparison)) => number(given)
                .and_then(|given| given.partial_cmp(wanted))
                .is_some_and(|ordering| comparison.allows(ordering)),
            (Self::Date(wanted), Family::Date(comparison)) => {
                date::parse(given).is_some_and(|given| comparison.allows(given.cmp(wanted)))
            }
            (Self::Flag(wanted), Family::Flag) => flag(given) == Some(*wanted),
            (Self::Binary(wanted), Family::Binary) => {
                STANDARD.decode(given).is_ok_and(|given| *given == **wanted)
            }
            (Self::Address(network), Family::Address) => {
                given.parse().is_ok_and(|address| network.contains(address))
            }
            (Self::Arn(parts), Family::Arn) => parts.matches_text(given, facts),
            _ => false,
        }
    }

    /// For `Null`: `true` wants the key to be absent.
    pub(super) fn is_null(&self, absent: bool) -> bool {
        matches!(self, Self::Flag(wanted) if *wanted == absent)
    }

    pub(super) fn unresolved(&self, facts: &Facts<'_>) -> bool {
        self.patterns().iter().any(|pattern| pattern.unresolved(facts))
    }

    pub(super) fn variable_names(&self) -> impl Iterator<Item = &str> {
        self.patterns().iter().flat_map(Pattern::variable_names)
    }

    fn patterns(&self) -> &[Pattern] {
        match self {
            Self::Text(pattern) => std::slice::from_ref(pattern),
            Self::Arn(parts) => parts.patterns(),
            Self::Number(_)
            | Self::Date(_)
            | Self::Flag(_)
            | Self::Binary(_)
            | Self::Address(_) => &[],
        }
    }
}

/// Finite: what `f64` reads beside numbers (`inf`, `nan`) is none.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn flag(text: &str) -> Option<bool> {
    let is = |wanted: &str| text.eq_ignore_ascii_case(wanted);
    if is("true") { Some(true) } else { is("false").then_some(false) }
}
