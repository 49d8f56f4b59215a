//! Documents to path, query, headers and body.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Document;
use crate::protocol::EncodeError;
use crate::protocol::event_stream::MEDIA_TYPE;
use crate::protocol::rest_json::route::fill;
use crate::protocol::text::{self, Dates};
use crate::schema::{Kind, Location, Schema, Structure};
use crate::service::OperationModel;

/// Everything but RFC 3986's unreserved characters, as SigV4 wants it.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Of an answer that is an event stream only the head is written.
pub(in crate::protocol) fn encode_output(
    operation: &OperationModel,
    output: &Document,
) -> Response<Bytes> {
    let mut headers = HeaderMap::new();
    let body = match operation.output {
        Some(schema) if operation.event_stream.is_some() => {
            members(schema, output, &mut headers);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
            Bytes::new()
        }
        Some(schema) => body(schema, output, &mut headers),
        None => Bytes::new(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(operation.status).unwrap_or(StatusCode::OK);
    *response.headers_mut() = headers;
    response
}

pub(in crate::protocol) fn encode_input(
    operation: &OperationModel,
    input: &Document,
) -> Result<Request<Bytes>, EncodeError> {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = operation.method.parse().unwrap_or(http::Method::POST);
    let mut uri = operation.uri.to_owned();
    if let Some(Schema { kind: Kind::Structure(structure), .. }) = operation.input {
        uri = path_and_query(operation.uri, structure, input)?;
    }
    *request.uri_mut() = uri.parse().map_err(|_| EncodeError::Uri(operation.name))?;
    if let Some(schema) = operation.input {
        let mut headers = HeaderMap::new();
        *request.body_mut() = body(schema, input, &mut headers);
        *request.headers_mut() = headers;
    }
    Ok(request)
}

fn path_and_query(
    uri: &str,
    structure: &Structure,
    input: &Document,
) -> Result<String, EncodeError> {
    let encoded = |member: &str| {
        let text = text::format(input.get(member)?, Dates::Iso8601)?;
        Some(utf8_percent_encode(&text, ENCODED).to_string())
    };
    let path = fill(uri, |label| {
        let at_label =
            |location: Location| matches!(location, Location::Uri(name) if name == label);
        encoded(structure.members.iter().find(|member| at_label(member.location))?.name)
    });
    let mut uri = path.ok_or_else(|| EncodeError::Label(uri.to_owned()))?;
    let mut separator = '?';
    for member in structure.members {
        if let (Location::Query(name), Some(value)) = (member.location, encoded(member.name)) {
            uri.push(separator);
            uri.extend(utf8_percent_encode(name, ENCODED));
            uri.push('=');
            uri.push_str(&value);
            separator = '&';
        }
    }
    Ok(uri)
}

/// The body, and the headers that belong to it and to the members that travel in headers.
fn body(schema: &Schema, document: &Document, headers: &mut HeaderMap) -> Bytes {
    let Kind::Structure(structure) = &schema.kind else { return Bytes::new() };
    members(schema, document, headers);
    let mut media_type = |value| {
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(value));
    };
    if let Some(payload) = structure.payload.and_then(|name| structure.member(name)) {
        return match document.get(payload.name) {
            Some(Document::Blob(bytes)) => {
                media_type("application/octet-stream");
                bytes.clone()
            }
            Some(Document::String(text)) => {
                media_type("text/plain");
                Bytes::from(text.clone())
            }
            Some(value) => {
                media_type("application/json");
                Bytes::from(value.to_json(payload.schema).to_string())
            }
            None => Bytes::new(),
        };
    }
    let in_body = |name: &str| structure.member(name).is_some_and(|m| m.location == Location::Body);
    let entries =
        document.as_map().unwrap_or_default().iter().filter(|(name, _)| in_body(name)).cloned();
    media_type("application/json");
    Bytes::from(Document::Map(entries.collect()).to_json(schema).to_string())
}

/// The members that travel in headers.
fn members(schema: &Schema, document: &Document, headers: &mut HeaderMap) {
    let Kind::Structure(structure) = &schema.kind else { return };
    for member in structure.members {
        if let (Location::Header(name), Some(value)) = (member.location, document.get(member.name))
            && let Some(text) = text::format(value, Dates::Http)
        {
            text::insert_header(headers, name, &text);
        }
    }
}
