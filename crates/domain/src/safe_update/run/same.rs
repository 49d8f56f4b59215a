//! Whether two documents say the same, as servers give back what they were given.
//!
//! A member that is null or empty is one that is absent; 70 is 70.0; the order of a list says nothing: of alarms'
//! dimensions and actions it does not, and steps and metric queries are told apart by their bounds and ids.

use serde_json::{Number, Value};

pub(super) fn same(one: &Value, other: &Value) -> bool {
    plain(one) == plain(other)
}

/// The one form of all documents that say the same; nothing where it says nothing.
fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Number(number) => {
            let float = number.as_f64().and_then(Number::from_f64);
            Some(Value::Number(float.unwrap_or_else(|| number.clone())))
        }
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().filter_map(plain).collect();
            elements.sort_by_cached_key(Value::to_string);
            (!elements.is_empty()).then_some(Value::Array(elements))
        }
        Value::Object(members) => {
            let members = members.iter().filter_map(|(name, value)| {
                let value = plain(value)?;
                Some((name.clone(), value))
            });
            let members: serde_json::Map<_, _> = members.collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        Value::Bool(_) | Value::String(_) => Some(value.clone()),
    }
}
