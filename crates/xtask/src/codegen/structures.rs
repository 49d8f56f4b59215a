//! Writes `structures.rs` and `enums.rs`: the typed side of the shapes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::codegen::names;
use crate::codegen::types::Types;
use crate::failure::{Failure, Outcome};
use crate::model::Shape;
use crate::services::{Origin, Service};

pub(crate) fn emit(service: &Service, types: Types<'_>) -> Outcome<String> {
    let mut body = String::new();
    for (name, shape) in types.0.shapes.iter().filter(|(_, shape)| is_type(shape)) {
        structure(&mut body, &documentation(service, name, shape)?, types, name, shape)?;
    }
    let mut head = String::new();
    if names::is_used(&body, "BTreeMap") {
        head.push_str("use std::collections::BTreeMap;\n\n");
    }
    if names::is_used(&body, "Bytes") {
        head.push_str("use bytes::Bytes;\n\n");
    }
    let all = types.0.shapes.iter().filter(|(_, shape)| Types::is_enum(shape));
    let enums: Vec<String> = all
        .map(|(name, _)| names::type_name(name))
        .filter(|name| names::is_used(&body, name))
        .collect();
    if !enums.is_empty() {
        let _ = writeln!(head, "use super::enums::{{{}}};", enums.join(", "));
    }
    let timestamp = if names::is_used(&body, "Timestamp") { ", Timestamp" } else { "" };
    let _ = writeln!(
        head,
        "use super::schemas;\nuse crate::Document;\nuse crate::schema::Schema;\n\
         use crate::value::{{DecodeError, Reader, Shape{timestamp}, Value, Writer}};\n"
    );
    Ok(head + &body)
}

/// A stream and its events are tables only: what a frame carries is bytes, not members.
fn is_type(shape: &Shape) -> bool {
    shape.kind == "structure" && !shape.eventstream && !shape.event
}

/// AWS's texts are not ours to keep, so that its shapes are documented by their names; ours have texts of their own.
fn documentation(service: &Service, name: &str, shape: &Shape) -> Outcome<String> {
    match (&service.origin, &shape.about) {
        (Origin::Botocore { .. }, _) => Ok(format!("AWS's `{name}`.")),
        (Origin::Own, Some(about)) => Ok(about.clone()),
        (Origin::Own, None) => Err(Failure::new(format!("{name} does not say what it is about"))),
    }
}

fn structure(
    body: &mut String,
    documentation: &str,
    types: Types<'_>,
    name: &str,
    shape: &Shape,
) -> Outcome {
    let rust = names::type_name(name);
    let default = if types.has_default(name)? { "Default, " } else { "" };
    let (mut fields, mut reads, mut writes) = (String::new(), String::new(), String::new());
    for member in &shape.members {
        let (wire, field) = (&member.name, names::field(&member.name));
        let boxed = types.is_recursive(name, &member.shape)?;
        let inner = types.rust(&member.shape)?;
        let inner = if boxed { format!("Box<{inner}>") } else { inner };
        if let Some(about) = &member.about {
            let _ = writeln!(fields, "/// {about}");
        }
        if shape.required.contains(wire) {
            let _ = writeln!(fields, "pub {field}: {inner},");
            let _ = writeln!(reads, "{field}: members.required({wire:?})?,");
            let _ = write!(writes, ".required({wire:?}, &self.{field})");
        } else {
            let _ = writeln!(fields, "pub {field}: Option<{inner}>,");
            let _ = writeln!(reads, "{field}: members.optional({wire:?})?,");
            let _ = write!(writes, ".optional({wire:?}, self.{field}.as_ref())");
        }
    }
    let reader = if shape.members.is_empty() { "_members" } else { "members" };
    let _ = writeln!(
        body,
        "/// {documentation}\n\
         #[derive(Debug, Clone, {default}PartialEq)]\npub struct {rust} {{ {fields} }}\n\n\
         impl Value for {rust} {{\n\
         fn from_document(document: &Document) -> Result<Self, DecodeError> {{\n\
         let {reader} = Reader::new(Self::NAME, document)?;\nOk(Self {{ {reads} }})\n}}\n\n\
         fn to_document(&self) -> Document {{\nWriter::new(){writes}.finish()\n}}\n}}\n\n\
         impl Shape for {rust} {{\n\
         const NAME: &'static str = {name:?};\n\n\
         fn schema() -> &'static Schema {{\n&schemas::{}\n}}\n}}\n",
        names::constant(name)
    );
    Ok(())
}

/// Empty if the model has no enum that becomes a type.
pub(crate) fn emit_enums(service: &Service, types: Types<'_>) -> Outcome<String> {
    let mut body = String::new();
    for (name, shape) in types.0.shapes.iter().filter(|(_, shape)| Types::is_enum(shape)) {
        enumeration(&mut body, &documentation(service, name, shape)?, name, shape)?;
    }
    if body.is_empty() {
        return Ok(body);
    }
    Ok(format!("use crate::Document;\nuse crate::value::{{DecodeError, Value}};\n\n{body}"))
}

fn enumeration(body: &mut String, documentation: &str, name: &str, shape: &Shape) -> Outcome {
    let rust = names::type_name(name);
    let (mut variants, mut all, mut writes, mut reads) =
        (String::new(), String::new(), String::new(), String::new());
    let mut seen = BTreeSet::new();
    for value in &shape.values {
        let variant = names::variant(value);
        if !seen.insert(variant.clone()) {
            return Err(Failure::new(format!("{name}: two values become the variant {variant}")));
        }
        let _ = writeln!(variants, "{variant},");
        let _ = write!(all, "Self::{variant},");
        let _ = writeln!(writes, "Self::{variant} => {value:?},");
        let _ = writeln!(reads, "{value:?} => Ok(Self::{variant}),");
    }
    let _ = writeln!(
        body,
        "/// {documentation}\n\
         #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum {rust} {{ {variants} }}\n\n\
         impl {rust} {{\npub const ALL: &'static [Self] = &[{all}];\n\n\
         /// The value as it is written.\npub const fn as_str(self) -> &'static str {{\nmatch self {{ {writes} }}\n}}\n}}\n\n\
         impl std::fmt::Display for {rust} {{\n\
         fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{\nformatter.write_str(self.as_str())\n}}\n}}\n\n\
         impl std::str::FromStr for {rust} {{\ntype Err = DecodeError;\n\n\
         fn from_str(value: &str) -> Result<Self, DecodeError> {{\n\
         match value {{ {reads} other => Err(DecodeError::unknown_value({name:?}, other)) }}\n}}\n}}\n\n\
         impl Value for {rust} {{\n\
         fn from_document(document: &Document) -> Result<Self, DecodeError> {{\n\
         document.as_str().ok_or_else(|| DecodeError::wanted({name:?}, document))?.parse()\n}}\n\n\
         fn to_document(&self) -> Document {{\nDocument::String(self.as_str().to_owned())\n}}\n}}\n",
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::SERVICES;

    #[test]
    fn a_shape_of_ours_must_say_what_it_is_about() {
        let said = Shape { about: Some("A thing.".to_owned()), ..Shape::default() };
        for service in SERVICES {
            let found = |shape| documentation(service, "Thing", shape).ok();
            let (with, without) = (found(&said), found(&Shape::default()));
            match service.origin {
                Origin::Own => assert_eq!((with.as_deref(), without), (Some("A thing."), None)),
                Origin::Botocore { .. } => {
                    assert_eq!(with.as_deref(), Some("AWS's `Thing`."));
                    assert_eq!(without, with);
                }
            }
        }
    }
}
