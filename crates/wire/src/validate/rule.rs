//! One constraint: whether it holds, and how AWS words it.

use std::fmt;

use crate::Document;
use crate::schema::{Kind, Pattern};

const INTEGER_MAX: i64 = i32::MAX as i64;
const INTEGER_MIN: i64 = i32::MIN as i64;

pub(super) enum Rule {
    NotNull,
    LengthMax(usize),
    LengthMin(usize),
    IntegerMax(i64),
    IntegerMin(i64),
    FloatMax(f64),
    FloatMin(f64),
    Values(&'static [&'static str]),
    Pattern(&'static Pattern),
}

/// The constraints of a shape in the order in which AWS lists them.
pub(super) fn rules(kind: &Kind) -> impl Iterator<Item = Rule> {
    let rules = match kind {
        Kind::Structure(_) | Kind::Boolean | Kind::Timestamp => [None, None, None],
        Kind::List(list) => lengths(list.length.min, list.length.max),
        Kind::Map(map) => lengths(map.length.min, map.length.max),
        Kind::Blob(length) => lengths(length.min, length.max),
        Kind::String(rules) if !rules.values.is_empty() => {
            [Some(Rule::Values(rules.values)), None, None]
        }
        Kind::String(rules) => {
            let [max, min, _] = lengths(rules.length.min, rules.length.max);
            [max, min, rules.pattern.map(Rule::Pattern)]
        }
        // Without a bound of the model's own, the type's 32 bits are the bound.
        Kind::Integer(range) => {
            let max = range.max.unwrap_or(INTEGER_MAX);
            let min = range.min.unwrap_or(INTEGER_MIN);
            [Some(Rule::IntegerMax(max)), Some(Rule::IntegerMin(min)), None]
        }
        Kind::Long(range) => {
            [range.max.map(Rule::IntegerMax), range.min.map(Rule::IntegerMin), None]
        }
        Kind::Float(range) | Kind::Double(range) => {
            [range.max.map(Rule::FloatMax), range.min.map(Rule::FloatMin), None]
        }
    };
    rules.into_iter().flatten()
}

fn lengths(min: Option<usize>, max: Option<usize>) -> [Option<Rule>; 3] {
    // A minimum of nothing can never fail; AWS prints it where it lists every rule of a collection's elements.
    [max.map(Rule::LengthMax), min.map(Rule::LengthMin), None]
}

impl Rule {
    pub(super) fn holds(&self, document: &Document) -> bool {
        match self {
            Self::NotNull => *document != Document::Null,
            Self::LengthMax(max) => length(document).is_none_or(|length| length <= *max),
            Self::LengthMin(min) => length(document).is_none_or(|length| length >= *min),
            Self::IntegerMax(max) => document.as_i64().is_none_or(|number| number <= *max),
            Self::IntegerMin(min) => document.as_i64().is_none_or(|number| number >= *min),
            Self::FloatMax(max) => document.as_f64().is_none_or(|number| number <= *max),
            Self::FloatMin(min) => document.as_f64().is_none_or(|number| number >= *min),
            Self::Values(values) => document.as_str().is_none_or(|text| values.contains(&text)),
            Self::Pattern(pattern) => document.as_str().is_none_or(|text| pattern.matches(text)),
        }
    }
}

/// Scalar values, bytes or elements.
fn length(document: &Document) -> Option<usize> {
    match document {
        Document::String(text) => Some(text.chars().count()),
        Document::Blob(bytes) => Some(bytes.len()),
        Document::List(elements) => Some(elements.len()),
        Document::Map(entries) => Some(entries.len()),
        _ => None,
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNull => f.write_str("Member must not be null"),
            Self::LengthMax(max) => {
                write!(f, "Member must have length less than or equal to {max}")
            }
            Self::LengthMin(min) => {
                write!(f, "Member must have length greater than or equal to {min}")
            }
            Self::IntegerMax(max) => {
                write!(f, "Member must have value less than or equal to {max}")
            }
            Self::IntegerMin(min) => {
                write!(f, "Member must have value greater than or equal to {min}")
            }
            Self::FloatMax(max) => {
                write!(f, "Member must have value less than or equal to {max:?}")
            }
            Self::FloatMin(min) => {
                write!(f, "Member must have value greater than or equal to {min:?}")
            }
            Self::Values(values) => {
                write!(f, "Member must satisfy enum value set: [{}]", values.join(", "))
            }
            Self::Pattern(pattern) => {
                write!(f, "Member must satisfy regular expression pattern: {}", pattern.text)
            }
        }
    }
}
