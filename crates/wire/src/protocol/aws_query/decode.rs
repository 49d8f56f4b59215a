//! Parameters and XML to documents.

use bytes::Bytes;
use http::request::Parts;

use crate::Document;
use crate::protocol::aws_query::form::{Form, join, list_prefix, malformed};
use crate::protocol::aws_query::xml::{self, Element};
use crate::protocol::text::{self, Dates};
use crate::protocol::{ErrorBody, ResponseError};
use crate::schema::{Kind, List, Map, Schema, Structure};
use crate::service::OperationModel;

pub(in crate::protocol) fn decode_input(
    schema: &Schema,
    parts: &Parts,
    body: &Bytes,
) -> Result<Document, ErrorBody> {
    let form = Form::read(parts, body)?;
    match &schema.kind {
        Kind::Structure(shape) => structure(shape, "", &form),
        _ => Ok(Document::empty()),
    }
}

/// Depth is bounded by the number of dots that the form admits in a name.
fn value(schema: &Schema, name: &str, form: &Form) -> Result<Document, ErrorBody> {
    match &schema.kind {
        Kind::Structure(shape) => structure(shape, name, form),
        Kind::List(shape) => list(shape, name, form),
        Kind::Map(shape) => map(shape, name, form),
        kind => {
            let text =
                form.get(name).ok_or_else(|| malformed(format!("{name} is not a structure")))?;
            text::parse(kind, text, Dates::Iso8601)
                .ok_or_else(|| malformed(format!("{name} has a value of the wrong type")))
        }
    }
}

fn structure(shape: &Structure, prefix: &str, form: &Form) -> Result<Document, ErrorBody> {
    let mut entries = Vec::new();
    for member in shape.members {
        let name = join(prefix, member.wire_name);
        if is_present(member.schema, &name, form) {
            entries.push((member.name.to_owned(), value(member.schema, &name, form)?));
        }
    }
    Ok(Document::Map(entries))
}

/// A flattened list may lie under another name than its own.
fn is_present(schema: &Schema, name: &str, form: &Form) -> bool {
    match &schema.kind {
        Kind::List(list) if list.flattened => {
            form.contains(&list_prefix(name, list.member_name, true)) || form.contains(name)
        }
        _ => form.contains(name),
    }
}

fn list(shape: &List, name: &str, form: &Form) -> Result<Document, ErrorBody> {
    let prefix = list_prefix(name, shape.member_name, shape.flattened);
    let names = (1_usize..).map(|position| join(&prefix, &position.to_string()));
    let elements =
        names.take_while(|name| form.contains(name)).map(|name| value(shape.member, &name, form));
    elements.collect::<Result<_, _>>().map(Document::List)
}

fn map(shape: &Map, name: &str, form: &Form) -> Result<Document, ErrorBody> {
    let prefix = if shape.flattened { name.to_owned() } else { join(name, "entry") };
    let names = (1_usize..).map(|position| join(&prefix, &position.to_string()));
    let mut entries: Vec<(String, Document)> = Vec::new();
    for entry in names.take_while(|name| form.contains(name)) {
        let key = form.get(&join(&entry, shape.key_name));
        let key = key.ok_or_else(|| malformed(format!("{entry} has no key")))?;
        let name = join(&entry, shape.value_name);
        let value =
            if form.contains(&name) { value(shape.value, &name, form)? } else { Document::Null };
        if entries.iter().any(|(known, _)| known == key) {
            return Err(malformed(format!("{entry} repeats a key")));
        }
        entries.push((key.to_owned(), value));
    }
    Ok(Document::Map(entries))
}

pub(in crate::protocol) fn decode_output(
    operation: &OperationModel,
    body: &[u8],
) -> Result<Document, ResponseError> {
    let Some(schema) = operation.output else { return Ok(Document::empty()) };
    let root = xml::parse(body).map_err(|error| ResponseError::malformed(&error))?;
    let result = match operation.result_wrapper {
        Some(wrapper) => root.child(wrapper),
        None => Some(&root),
    };
    let Some(result) = result else { return Ok(Document::empty()) };
    element(schema, result).map_err(|error| ResponseError::malformed(&error))
}

/// An element whose text is not of its shape's type.
#[derive(Debug, thiserror::Error)]
#[error("{0} has a value of the wrong type")]
struct WrongType(&'static str);

/// Depth is bounded by the parser.
fn element(schema: &Schema, found: &Element) -> Result<Document, WrongType> {
    match &schema.kind {
        Kind::Structure(shape) => {
            let mut entries = Vec::new();
            for member in shape.members {
                if let Some(value) = member_value(member.schema, member.wire_name, found)? {
                    entries.push((member.name.to_owned(), value));
                }
            }
            Ok(Document::Map(entries))
        }
        Kind::List(shape) => {
            let elements =
                found.children(shape.member_name).map(|child| element(shape.member, child));
            elements.collect::<Result<_, _>>().map(Document::List)
        }
        Kind::Map(shape) => map_entries(shape, found.children("entry")),
        kind => text::parse(kind, &found.text, Dates::Iso8601).ok_or(WrongType(schema.name)),
    }
}

fn member_value(
    schema: &Schema,
    name: &str,
    parent: &Element,
) -> Result<Option<Document>, WrongType> {
    match &schema.kind {
        Kind::List(shape) if shape.flattened => {
            let name = if shape.member_name == "member" { name } else { shape.member_name };
            let elements = parent.children(name).map(|child| element(shape.member, child));
            let elements: Vec<Document> = elements.collect::<Result<_, _>>()?;
            Ok((!elements.is_empty()).then_some(Document::List(elements)))
        }
        Kind::Map(shape) if shape.flattened => {
            let present = parent.child(name).is_some();
            let entries = map_entries(shape, parent.children(name))?;
            Ok(present.then_some(entries))
        }
        _ => parent.child(name).map(|child| element(schema, child)).transpose(),
    }
}

fn map_entries<'a>(
    shape: &Map,
    entries: impl Iterator<Item = &'a Element>,
) -> Result<Document, WrongType> {
    let wrong = || WrongType(shape.value.name);
    let read = entries.map(|entry| {
        let key = entry.child(shape.key_name).ok_or_else(wrong)?.text.clone();
        Ok((key, element(shape.value, entry.child(shape.value_name).ok_or_else(wrong)?)?))
    });
    read.collect::<Result<_, _>>().map(Document::Map)
}
