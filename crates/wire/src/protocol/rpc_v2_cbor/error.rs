//! `{"__type": namespace#name, "message": …}` as a map.

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::Document;
use crate::protocol::rpc_v2_cbor::decode::read;
use crate::protocol::rpc_v2_cbor::encode::{response, to_bytes};
use crate::protocol::{ErrorBody, ServiceError};
use crate::schema::{Kind, Location, Member, Range, Schema, StringRules, Structure};
use crate::service::Service;

pub(in crate::protocol) fn encode_error(service: &Service, error: &ErrorBody) -> Response<Bytes> {
    let spellings = error.spellings(service);
    let members = || error.members.iter().filter(|(_, value)| is_scalar(value));
    let entries = spellings.len().saturating_add(members().count()).saturating_add(1);
    response(to_bytes(|writer| {
        writer.map(entries);
        writer.text("__type");
        writer.text(&error.type_name(service));
        for spelling in spellings {
            writer.text(spelling);
            writer.text(&error.message);
        }
        for (name, value) in members() {
            writer.text(name);
            writer.scalar(value);
        }
    }))
}

/// What is not a scalar needs a schema and is left out.
fn is_scalar(value: &Document) -> bool {
    !matches!(value, Document::Null | Document::List(_) | Document::Map(_))
}

static TEXT: Schema = Schema {
    name: "Text",
    kind: Kind::String(StringRules {
        length: Range { min: None, max: None },
        pattern: None,
        values: &[],
    }),
};

const fn text(name: &'static str) -> Member {
    Member { name, wire_name: name, schema: &TEXT, required: false, location: Location::Body }
}

/// What all errors have.
static ERROR: Schema = Schema {
    name: "Error",
    kind: Kind::Structure(Structure {
        members: &[text("__type"), text("message"), text("Message")],
        payload: None,
        union: false,
    }),
};

pub(in crate::protocol) fn decode_error(status: StatusCode, body: &[u8]) -> ServiceError {
    let error = read(&ERROR, body).unwrap_or_else(|_| Document::empty());
    let text = |names: &[&str]| names.iter().find_map(|name| error.get(name)?.as_str());
    let code = text(&["__type"]).unwrap_or_default();
    ServiceError::new(status, code, text(&["message", "Message"]).map(str::to_owned))
}
