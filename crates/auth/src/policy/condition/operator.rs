//! The names of operators, with their prefixes and suffixes.

use std::cmp::Ordering;

/// What is compared, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Family {
    Text { wildcards: bool, fold: bool },
    Number(Comparison),
    Date(Comparison),
    Flag,
    Binary,
    Address,
    Arn,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Whether a request's value, compared with the policy's, is as the operator says.
    pub(super) const fn allows(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// How a request's several values count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Quantifier {
    Single,
    /// `ForAnyValue:`
    Any,
    /// `ForAllValues:`
    Each,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Operator {
    pub(super) family: Family,
    pub(super) negated: bool,
    pub(super) quantifier: Quantifier,
    pub(super) if_exists: bool,
}

impl Operator {
    /// `None` for a name that no operator has.
    pub(in super::super) fn parse(name: &str) -> Option<Self> {
        let (quantifier, name) = if let Some(rest) = name.strip_prefix("ForAnyValue:") {
            (Quantifier::Any, rest)
        } else if let Some(rest) = name.strip_prefix("ForAllValues:") {
            (Quantifier::Each, rest)
        } else {
            (Quantifier::Single, name)
        };
        let (name, if_exists) =
            name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
        let (family, negated) = family(name)?;
        let is_null = family == Family::Null;
        (!is_null || !if_exists).then_some(Self { family, negated, quantifier, if_exists })
    }
}

/// The family, and whether the operator is its negation.
fn family(name: &str) -> Option<(Family, bool)> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    const EXACT: Family = Family::Text { wildcards: false, fold: false };
    const FOLDED: Family = Family::Text { wildcards: false, fold: true };
    const LIKE: Family = Family::Text { wildcards: true, fold: false };
    Some(match name {
        "StringEquals" => (EXACT, false),
        "StringNotEquals" => (EXACT, true),
        "StringEqualsIgnoreCase" => (FOLDED, false),
        "StringNotEqualsIgnoreCase" => (FOLDED, true),
        "StringLike" => (LIKE, false),
        "StringNotLike" => (LIKE, true),
        "NumericEquals" => (Family::Number(Equal), false),
        "NumericNotEquals" => (Family::Number(Equal), true),
        "NumericLessThan" => (Family::Number(Less), false),
        "NumericLessThanEquals" => (Family::Number(LessOrEqual), false),
        "NumericGreaterThan" => (Family::Number(Greater), false),
        "NumericGreaterThanEquals" => (Family::Number(GreaterOrEqual), false),
        "DateEquals" => (Family::Date(Equal), false),
        "DateNotEquals" => (Family::Date(Equal), true),
        "DateLessThan" => (Family::Date(Less), false),
        "DateLessThanEquals" => (Family::Date(LessOrEqual), false),
        "DateGreaterThan" => (Family::Date(Greater), false),
        "DateGreaterThanEquals" => (Family::Date(GreaterOrEqual), false),
        "Bool" => (Family::Flag, false),
        "BinaryEquals" => (Family::Binary, false),
        "IpAddress" => (Family::Address, false),
        "NotIpAddress" => (Family::Address, true),
        "ArnEquals" | "ArnLike" => (Family::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Family::Arn, true),
        "Null" => (Family::Null, false),
        _ => return None,
    })
}
