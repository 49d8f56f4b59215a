//! Documents of any schema, for properties. Types and enums are kept; lengths and patterns are not.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::Document;
use crate::schema::{Kind, Member, Schema, Structure};

/// Any document that could have been decoded with this schema.
pub(crate) fn document(schema: &'static Schema) -> BoxedStrategy<Document> {
    match &schema.kind {
        Kind::Structure(structure) => members(structure),
        Kind::List(list) => vec(document(list.member), 0..3).prop_map(Document::List).boxed(),
        Kind::Map(map) => {
            let entries = btree_map(text(), document(map.value), 0..3);
            entries.prop_map(|entries| Document::Map(entries.into_iter().collect())).boxed()
        }
        Kind::String(rules) if !rules.values.is_empty() => {
            let value = proptest::sample::select(rules.values);
            value.prop_map(|value| Document::String(value.to_owned())).boxed()
        }
        Kind::String(_) => text().prop_map(Document::String).boxed(),
        Kind::Integer(_) => {
            any::<i32>().prop_map(|number| Document::Integer(number.into())).boxed()
        }
        Kind::Long(_) => any::<i64>().prop_map(Document::Integer).boxed(),
        Kind::Float(_) | Kind::Double(_) => any::<f64>()
            .prop_filter("NaN equals nothing", |f| !f.is_nan())
            .prop_map(Document::Float)
            .boxed(),
        Kind::Boolean => any::<bool>().prop_map(Document::Bool).boxed(),
        // From 1969 to 2096, in milliseconds.
        Kind::Timestamp => {
            (-1_000_000_i64..4_000_000_000_000).prop_map(Document::Timestamp).boxed()
        }
        Kind::Blob(_) => {
            vec(any::<u8>(), 0..20).prop_map(|bytes| Document::Blob(bytes.into())).boxed()
        }
    }
}

/// Text that also XML can carry and a header keeps; control characters have tests of their own.
fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[ -~]([ -~\u{e9}\u{4e16}\u{1f30a}]{0,8}[!-~])?|")
        .unwrap_or_else(|_| unreachable!())
}

fn members(structure: &'static Structure) -> BoxedStrategy<Document> {
    let strategies: Vec<_> = structure.members.iter().map(member).collect();
    let entries = strategies.prop_map(|members| members.into_iter().flatten().collect());
    entries.prop_map(Document::Map).boxed()
}

fn member(member: &'static Member) -> BoxedStrategy<Option<(String, Document)>> {
    let value = document(member.schema).prop_map(|value| (member.name.to_owned(), value));
    // What is absent from a request gets a default on the way: the media type.
    if member.required || member.name == "ContentType" {
        value.prop_map(Some).boxed()
    } else {
        option::of(value).boxed()
    }
}
