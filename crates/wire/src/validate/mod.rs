//! Checks a document against its schema and words what is wrong as AWS does.
//!
//! Grammar: reference/sagemaker-hosting.md, section 0. What AWS leaves to the service (names that must exist,
//! members that exclude each other) is not checked here.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod print;
mod rule;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::Document;
use crate::schema::{Kind, List, Map, Schema, Structure};
use crate::validate::rule::Rule;

/// Violations that one answer lists. A hostile list of thousands of bad elements costs no more than this.
pub const VIOLATIONS_MAX: usize = 16;

/// Everything that is wrong with a document; displays as AWS's whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations(Vec<String>);

impl fmt::Display for Violations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.0.len() == 1 { "error" } else { "errors" };
        write!(formatter, "{} validation {noun} detected: {}", self.0.len(), self.0.join("; "))
    }
}

impl std::error::Error for Violations {}

/// Whether the document satisfies every constraint of the schema. Its types must be the schema's already.
pub fn validate(schema: &Schema, document: &Document) -> Result<(), Violations> {
    let mut walk = Walk { path: Vec::new(), found: Vec::new() };
    walk.value(schema, document);
    if walk.found.is_empty() { Ok(()) } else { Err(Violations(walk.found)) }
}

struct Walk<'a> {
    path: Vec<Step<'a>>,
    found: Vec<String>,
}

enum Step<'a> {
    Member(&'static str),
    /// 1-based.
    Element(usize),
    Key(&'a str),
}

impl<'a> Walk<'a> {
    fn value(&mut self, schema: &Schema, document: &'a Document) {
        for broken in rule::rules(&schema.kind).filter(|rule| !rule.holds(document)) {
            self.report(document, &broken.to_string());
        }
        match (&schema.kind, document) {
            (Kind::Structure(structure), Document::Map(entries)) => {
                self.structure(structure, entries);
            }
            (Kind::List(list), Document::List(elements)) => self.list(list, document, elements),
            (Kind::Map(map), Document::Map(entries)) => self.map(map, document, entries),
            _ => {}
        }
    }

    fn structure(&mut self, structure: &Structure, entries: &'a [(String, Document)]) {
        for member in structure.members {
            let value =
                entries.iter().find_map(|(name, value)| (name == member.name).then_some(value));
            self.path.push(Step::Member(member.name));
            match value.filter(|value| **value != Document::Null) {
                Some(value) => self.value(member.schema, value),
                None if member.required => self.report(&Document::Null, &Rule::NotNull.to_string()),
                None => {}
            }
            self.path.pop();
        }
    }

    fn list(&mut self, list: &List, document: &Document, elements: &'a [Document]) {
        // The excess is reported already.
        let elements = elements.iter().take(list.length.max.unwrap_or(usize::MAX));
        if is_scalar(list.member) {
            self.scalars(list.member, "Member must satisfy constraint", document, elements);
            return;
        }
        for (position, element) in (1_usize..).zip(elements) {
            if self.is_full() {
                return;
            }
            self.path.push(Step::Element(position));
            self.element(list.member, element);
            self.path.pop();
        }
    }

    fn map(&mut self, map: &Map, document: &Document, entries: &'a [(String, Document)]) {
        let entries = entries.iter().take(map.length.max.unwrap_or(usize::MAX));
        let keys: Vec<Document> =
            entries.clone().map(|(key, _)| Document::String(key.clone())).collect();
        self.scalars(map.key, "Map keys must satisfy constraint", document, keys.iter());
        if is_scalar(map.value) {
            let values = entries.map(|(_, value)| value);
            self.scalars(map.value, "Map value must satisfy constraint", document, values);
            return;
        }
        for (key, value) in entries {
            if self.is_full() {
                return;
            }
            self.path.push(Step::Key(key));
            self.element(map.value, value);
            self.path.pop();
        }
    }

    fn element(&mut self, schema: &Schema, document: &'a Document) {
        if *document == Document::Null {
            self.report(document, &Rule::NotNull.to_string());
        } else {
            self.value(schema, document);
        }
    }

    /// Of scalars in a list or map AWS reports the whole collection, once, with every rule of its elements.
    fn scalars<'b>(
        &mut self,
        schema: &Schema,
        intro: &str,
        collection: &Document,
        mut elements: impl Iterator<Item = &'b Document>,
    ) {
        let good = |element: &Document| {
            Rule::NotNull.holds(element)
                && rule::rules(&schema.kind).all(|rule| rule.holds(element))
        };
        if elements.all(good) {
            return;
        }
        let rules: Vec<String> = rule::rules(&schema.kind).map(|rule| rule.to_string()).collect();
        let rules = if rules.is_empty() { Rule::NotNull.to_string() } else { rules.join(", ") };
        self.report(collection, &format!("{intro}: [{rules}]"));
    }

    fn report(&mut self, value: &Document, rule: &str) {
        if self.is_full() {
            return;
        }
        let (value, path) = (print::quoted(value), self.path());
        self.found.push(format!("Value {value} at '{path}' failed to satisfy constraint: {rule}"));
    }

    fn is_full(&self) -> bool {
        self.found.len() >= VIOLATIONS_MAX
    }

    fn path(&self) -> String {
        let steps = self.path.iter().map(|step| match step {
            Step::Member(name) => lower_camel(name),
            Step::Element(position) => format!("{position}.member"),
            Step::Key(key) => format!("{}.member", print::shortened(key)),
        });
        steps.collect::<Vec<_>>().join(".")
    }
}

fn is_scalar(schema: &Schema) -> bool {
    !matches!(schema.kind, Kind::Structure(_) | Kind::List(_) | Kind::Map(_))
}

fn lower_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}
