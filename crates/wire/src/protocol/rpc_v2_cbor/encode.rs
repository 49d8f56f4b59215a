//! Documents to CBOR, with every length told beforehand and floats at their full width: the form that every client reads.

use bytes::Bytes;
use ciborium_io::Write as _;
use ciborium_ll::{Encoder, Header, simple};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response, Uri};

use crate::Document;
use crate::document::seconds_from_millis;
use crate::protocol::EncodeError;
use crate::protocol::rpc_v2_cbor::item::EPOCH_SECONDS;
use crate::protocol::rpc_v2_cbor::route::{NAME, path};
use crate::schema::{Kind, Schema};
use crate::service::{OperationModel, Service};

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/cbor");

/// An answer without members of its model has no body.
pub(in crate::protocol) fn encode_output(
    operation: &OperationModel,
    output: &Document,
) -> Response<Bytes> {
    if let Some(schema) = operation.output {
        return response(to_bytes(|writer| writer.value(schema, output)));
    }
    let mut response = Response::new(Bytes::new());
    mark(response.headers_mut());
    response
}

pub(super) fn response(body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    mark(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, MEDIA_TYPE);
    response
}

pub(in crate::protocol) fn encode_input(
    service: &Service,
    operation: &OperationModel,
    input: &Document,
) -> Result<Request<Bytes>, EncodeError> {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::POST;
    let uri = path(service, operation).parse::<Uri>();
    *request.uri_mut() = uri.map_err(|_| EncodeError::Uri(operation.name))?;
    mark(request.headers_mut());
    request.headers_mut().insert(ACCEPT, MEDIA_TYPE);
    if let Some(schema) = operation.input {
        request.headers_mut().insert(CONTENT_TYPE, MEDIA_TYPE);
        *request.body_mut() = to_bytes(|writer| writer.value(schema, input));
    }
    Ok(request)
}

fn mark(headers: &mut HeaderMap) {
    headers.insert("smithy-protocol", HeaderValue::from_static(NAME));
}

pub(super) fn to_bytes(write: impl FnOnce(&mut Writer)) -> Bytes {
    let mut writer = Writer { bytes: Vec::new() };
    write(&mut writer);
    Bytes::from(writer.bytes)
}

/// Writes to memory, which cannot fail.
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn value(&mut self, schema: &Schema, document: &Document) {
        match (&schema.kind, document) {
            (Kind::Structure(shape), Document::Map(entries)) => {
                let known = || {
                    let members = entries.iter().filter(|(_, value)| *value != Document::Null);
                    members.filter_map(|(name, value)| Some((shape.member(name)?, value)))
                };
                self.map(known().count());
                for (member, value) in known() {
                    self.text(member.name);
                    self.value(member.schema, value);
                }
            }
            (Kind::List(list), Document::List(elements)) => {
                self.push(Header::Array(Some(elements.len())));
                for element in elements {
                    self.value(list.member, element);
                }
            }
            (Kind::Map(map), Document::Map(entries)) => {
                self.map(entries.len());
                for (key, value) in entries {
                    self.text(key);
                    self.value(map.value, value);
                }
            }
            (_, document) => self.scalar(document),
        }
    }

    /// Null for what is not one.
    pub(super) fn scalar(&mut self, document: &Document) {
        match document {
            Document::Null | Document::List(_) | Document::Map(_) => {
                self.push(Header::Simple(simple::NULL));
            }
            Document::Bool(false) => self.push(Header::Simple(simple::FALSE)),
            Document::Bool(true) => self.push(Header::Simple(simple::TRUE)),
            Document::Integer(number) => self.integer(*number),
            Document::Float(number) => self.float(*number),
            Document::String(text) => self.text(text),
            Document::Blob(bytes) => {
                let Ok(()) = Encoder::from(&mut self.bytes).bytes(bytes, None);
            }
            Document::Timestamp(millis) => {
                self.push(Header::Tag(EPOCH_SECONDS));
                match (millis.checked_div(1000), millis.checked_rem(1000)) {
                    (Some(seconds), Some(0)) => self.integer(seconds),
                    _ => self.float(seconds_from_millis(*millis)),
                }
            }
        }
    }

    pub(super) fn map(&mut self, entries: usize) {
        self.push(Header::Map(Some(entries)));
    }

    pub(super) fn text(&mut self, text: &str) {
        let Ok(()) = Encoder::from(&mut self.bytes).text(text, None);
    }

    fn integer(&mut self, number: i64) {
        // CBOR's negative n is -1 - n.
        self.push(match u64::try_from(number) {
            Ok(number) => Header::Positive(number),
            Err(_) => Header::Negative(number.unsigned_abs().saturating_sub(1)),
        });
    }

    /// Not as a header, which would be narrowed to what holds it: not every client reads halves.
    fn float(&mut self, number: f64) {
        const DOUBLE: u8 = 0xfb;
        let mut encoder = Encoder::from(&mut self.bytes);
        let Ok(()) = encoder.write_all(&[DOUBLE]);
        let Ok(()) = encoder.write_all(&number.to_be_bytes());
    }

    fn push(&mut self, header: Header) {
        let Ok(()) = Encoder::from(&mut self.bytes).push(header);
    }
}
