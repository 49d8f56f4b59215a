//! Conditions: an operator, a key and the values that the policy gives.
//!
//! All conditions of a statement must hold, each for one key; of its values one must match, with a negated operator none.
//! What a key that the request lacks means is decided here too (`reference/autoscaling-and-cloudwatch.md`, section 8.2).

mod date;
mod network;
mod operand;
mod operator;

use super::context::{Facts, Values};
use super::element::RawCondition;
use super::malformed::Malformed;
use super::statement::Effect;
use operand::Operand;
use operator::Quantifier;

pub(super) use operator::{Family, Operator};

#[derive(Debug)]
pub(super) struct Condition {
    operator: Operator,
    /// In lower case.
    key: Box<str>,
    /// As it is written.
    name: Box<str>,
    values: Box<[Operand]>,
}

impl Condition {
    pub(super) fn compile_all(
        raw: &[RawCondition],
        variables: bool,
    ) -> Result<Vec<Self>, Malformed> {
        raw.iter().map(|raw| Self::compile(raw, variables)).collect()
    }

    fn compile(raw: &RawCondition, variables: bool) -> Result<Self, Malformed> {
        let values = raw.values.iter();
        let values = values.map(|value| Operand::compile(raw.operator.family, value, variables));
        Ok(Self {
            operator: raw.operator,
            key: raw.key.to_ascii_lowercase().into(),
            name: raw.key.as_str().into(),
            values: values.collect::<Result<_, _>>()?,
        })
    }

    /// Whether it holds for a statement of this effect. A negated comparison with a variable that has no value decides
    /// against the caller: it holds for `Deny` and not for `Allow`.
    pub(super) fn holds(&self, effect: Effect, facts: &Facts<'_>) -> bool {
        let Operator { family, negated, quantifier, if_exists } = self.operator;
        let given = facts.get(&self.key);
        if family == Family::Null {
            return self.values.iter().any(|value| value.is_null(given.is_none()));
        }
        let Some(given) = given else {
            return match quantifier {
                Quantifier::Each => true,
                Quantifier::Any => if_exists,
                Quantifier::Single => if_exists || negated,
            };
        };
        if negated
            && effect == Effect::Allow
            && self.values.iter().any(|value| value.unresolved(facts))
        {
            return false;
        }
        self.compare(&given, facts)
    }

    fn compare(&self, given: &Values<'_>, facts: &Facts<'_>) -> bool {
        let Operator { family, negated, quantifier, .. } = self.operator;
        let matched =
            |given: &str| self.values.iter().any(|value| value.matches(family, given, facts));
        match quantifier {
            Quantifier::Single => given.iter().any(matched) != negated,
            Quantifier::Any => given.iter().any(|given| matched(given) != negated),
            Quantifier::Each => given.iter().all(|given| matched(given) != negated),
        }
    }

    /// The keys that it asks for, as they are written.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.name).chain(self.values.iter().flat_map(Operand::variable_names))
    }
}
