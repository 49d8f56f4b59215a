//! Path, query, headers and body to documents.

use bytes::Bytes;
use http::header::HeaderMap;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::Document;
use crate::protocol::rest_json::route::label_value;
use crate::protocol::text::{self, Dates};
use crate::protocol::{ErrorBody, ResponseError, aws_json};
use crate::schema::{Kind, Location, Member, Schema, Structure};
use crate::service::OperationModel;

pub(in crate::protocol) fn decode_input(
    operation: &OperationModel,
    schema: &Schema,
    parts: &Parts,
    body: &Bytes,
) -> Result<Document, ErrorBody> {
    let Kind::Structure(structure) = &schema.kind else { return Ok(Document::empty()) };
    let mut entries = body_members(schema, structure, body)?;
    for member in structure.members {
        let text = match member.location {
            Location::Body | Location::Status | Location::EventPayload => None,
            Location::Header(name) => header(&parts.headers, name)?,
            Location::Uri(name) => Some(label_value(operation.uri, parts.uri.path(), name)?),
            Location::Query(name) => query(parts.uri.query().unwrap_or_default(), name)?,
        };
        if let Some(text) = text {
            entries.push((member.name.to_owned(), scalar(member, &text)?));
        }
    }
    Ok(Document::Map(entries))
}

pub(in crate::protocol) fn decode_output(
    operation: &OperationModel,
    status: http::StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Document, ResponseError> {
    let Some(schema) = operation.output else { return Ok(Document::empty()) };
    let Kind::Structure(structure) = &schema.kind else { return Ok(Document::empty()) };
    let malformed = |error: ErrorBody| ResponseError::malformed(&error.message);
    let mut entries = match operation.event_stream {
        // The body is for `event_stream::Decoder`.
        Some(_) => Vec::new(),
        None => body_members(schema, structure, body).map_err(malformed)?,
    };
    for member in structure.members {
        let text = match member.location {
            Location::Header(name) => header(headers, name).map_err(malformed)?,
            Location::Status => Some(status.as_u16().to_string()),
            Location::Body | Location::Uri(_) | Location::Query(_) | Location::EventPayload => None,
        };
        if let Some(text) = text {
            entries.push((member.name.to_owned(), scalar(member, &text).map_err(malformed)?));
        }
    }
    Ok(Document::Map(entries))
}

fn body_members(
    schema: &Schema,
    structure: &Structure,
    body: &Bytes,
) -> Result<Vec<(String, Document)>, ErrorBody> {
    let payload = structure.payload.and_then(|name| structure.member(name));
    let is_bytes = |member: &Member| matches!(member.schema.kind, Kind::Blob(_) | Kind::String(_));
    // Without members in the body there need not be one.
    if body.is_empty() && !payload.is_some_and(is_bytes) {
        return Ok(Vec::new());
    }
    let Some(payload) = payload else {
        let Document::Map(mut entries) = aws_json::decode_input(schema, body)? else {
            return Ok(Vec::new());
        };
        let in_body =
            |name: &str| structure.member(name).is_some_and(|m| m.location == Location::Body);
        entries.retain(|(name, _)| in_body(name));
        return Ok(entries);
    };
    let value = match payload.schema.kind {
        // Bytes are passed on, however many: their limit is the model's.
        Kind::Blob(_) => Document::Blob(body.clone()),
        Kind::String(_) => {
            let text = String::from_utf8(body.to_vec());
            Document::String(text.map_err(|_| ErrorBody::serialization("The body is not UTF-8"))?)
        }
        _ => aws_json::decode_input(payload.schema, body)?,
    };
    Ok(vec![(payload.name.to_owned(), value)])
}

/// Several headers of one name count as one with commas.
fn header(headers: &HeaderMap, name: &str) -> Result<Option<String>, ErrorBody> {
    let mut values = Vec::new();
    for value in headers.get_all(name) {
        let text = str::from_utf8(value.as_bytes());
        values.push(
            text.map_err(|_| ErrorBody::serialization(format!("The header {name} is not UTF-8")))?,
        );
    }
    Ok((!values.is_empty()).then(|| values.join(", ")))
}

fn query(query: &str, name: &str) -> Result<Option<String>, ErrorBody> {
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let found = pairs.find(|(key, _)| percent_decode_str(key).eq(name.bytes()));
    let Some((_, value)) = found else { return Ok(None) };
    let value = value.replace('+', " ");
    let decoded = percent_decode_str(&value).decode_utf8();
    let text = decoded
        .map_err(|_| ErrorBody::serialization(format!("The parameter {name} is not UTF-8")))?;
    Ok(Some(text.into_owned()))
}

fn scalar(member: &Member, text: &str) -> Result<Document, ErrorBody> {
    let dates =
        if matches!(member.location, Location::Header(_)) { Dates::Http } else { Dates::Iso8601 };
    text::parse(&member.schema.kind, text, dates).ok_or_else(|| {
        ErrorBody::serialization(format!("{} has a value of the wrong type", member.name))
    })
}
