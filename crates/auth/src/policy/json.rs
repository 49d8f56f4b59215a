//! JSON as policies need it: objects without repeated names, and the place of each statement in the text.
//!
//! `serde_json` reads; it bounds the depth. Its own `Value` would keep the last of two equal names and forget the first, so
//! that a reader and the evaluator could see two different policies.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Text(String),
    /// `true`, `false` or a number, as text: conditions may leave the quotes out.
    Bare(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Bare(flag.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Bare(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Bare(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Bare(number.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Node, A::Error> {
        entries(map).map(Node::Object)
    }
}

/// The names and values of an object; a name that comes twice is an error.
fn entries<'de, A: MapAccess<'de>, V: Deserialize<'de>>(
    mut map: A,
) -> Result<Vec<(String, V)>, A::Error> {
    let mut seen = std::collections::BTreeSet::new();
    let mut entries = Vec::new();
    while let Some((name, value)) = map.next_entry::<String, V>()? {
        if !seen.insert(name.clone()) {
            return Err(A::Error::custom("repeated name"));
        }
        entries.push((name, value));
    }
    Ok(entries)
}

/// The members of an object, their values unread.
pub(super) struct Members<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Members<'de>, A::Error> {
                entries(map).map(Members)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Where a part of `text`, borrowed from it, begins and ends: byte offsets.
pub(super) fn span(text: &str, part: &str) -> std::ops::Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    start..start.saturating_add(part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_are_refused_at_every_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":{"b":1,"b":2}}"#, r#"[{"a":1,"\u0061":2}]"#] {
            assert!(serde_json::from_str::<Node>(text).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Members>(r#"{"a":1,"a":1}"#).is_err());
        assert!(serde_json::from_str::<Node>(r#"{"a":{"b":1},"b":2}"#).is_ok());
    }

    #[test]
    fn bare_values_keep_their_text() {
        let node: Node = serde_json::from_str("[true, 12, -3, 1.5, null]").unwrap();
        let bare = |text: &str| Node::Bare(text.into());
        assert_eq!(
            node,
            Node::List(vec![bare("true"), bare("12"), bare("-3"), bare("1.5"), Node::Null])
        );
    }
}
