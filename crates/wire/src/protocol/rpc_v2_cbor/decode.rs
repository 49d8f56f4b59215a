//! CBOR to documents, guided by the schema: members it does not know are read over.

use std::collections::BTreeMap;

use bytes::Bytes;
use ciborium_ll::{Header, simple};

use crate::Document;
use crate::document::{integer_from_float, millis_from_seconds, wanted};
use crate::protocol::rpc_v2_cbor::item::{DEPTH_MAX, EPOCH_SECONDS, ItemError, Items, Left};
use crate::protocol::{ErrorBody, PARSED_BODY_BYTES_MAX, ResponseError};
use crate::schema::{Kind, List, Map, Schema, Structure};
use crate::service::OperationModel;

/// A body that cannot be what its schema says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CborError {
    #[error(transparent)]
    Item(#[from] ItemError),
    #[error("{found} can not be converted to {wanted}")]
    Type { found: &'static str, wanted: &'static str },
    #[error("A number is out of range for {0}")]
    Range(&'static str),
    #[error("A map has the same key twice")]
    Repeated,
    #[error("Unexpected field type")]
    NullBody,
    #[error("The request body goes on after its end")]
    Trailing,
}

impl From<CborError> for ErrorBody {
    fn from(error: CborError) -> Self {
        Self::serialization(error.to_string())
    }
}

/// An operation whose members are all optional may be called without a body.
pub(in crate::protocol) fn decode_input(
    schema: &Schema,
    body: &Bytes,
) -> Result<Document, ErrorBody> {
    if body.len() > PARSED_BODY_BYTES_MAX {
        return Err(ErrorBody::too_large(PARSED_BODY_BYTES_MAX));
    }
    if body.is_empty() {
        return Ok(Document::empty());
    }
    Ok(read(schema, body)?)
}

pub(in crate::protocol) fn decode_output(
    operation: &OperationModel,
    body: &[u8],
) -> Result<Document, ResponseError> {
    match operation.output {
        Some(schema) if !body.is_empty() => {
            read(schema, body).map_err(|error| ResponseError::malformed(&error))
        }
        _ => Ok(Document::empty()),
    }
}

/// Reads one value that is the whole of `bytes`.
pub(super) fn read(schema: &Schema, bytes: &[u8]) -> Result<Document, CborError> {
    let mut reader = Reader(Items::new(bytes));
    let first = reader.0.pull()?;
    match reader.value(schema, first, DEPTH_MAX)? {
        Document::Null => Err(CborError::NullBody),
        _ if reader.0.unread() > 0 => Err(CborError::Trailing),
        document => Ok(document),
    }
}

struct Reader<'a>(Items<'a>);

impl Reader<'_> {
    fn value(
        &mut self,
        schema: &Schema,
        header: Header,
        depth: usize,
    ) -> Result<Document, CborError> {
        let depth = depth.checked_sub(1).ok_or(ItemError::Depth)?;
        match (&schema.kind, header) {
            (_, Header::Simple(simple::NULL | simple::UNDEFINED)) => Ok(Document::Null),
            (Kind::Structure(shape), Header::Map(length)) => {
                self.structure(shape, length.into(), depth)
            }
            (Kind::List(shape), Header::Array(length)) => self.list(shape, length.into(), depth),
            (Kind::Map(shape), Header::Map(length)) => self.map(shape, length.into(), depth),
            (Kind::String(_), Header::Text(length)) => Ok(Document::String(self.0.text(length)?)),
            (Kind::Blob(_), Header::Bytes(length)) => {
                Ok(Document::Blob(self.0.blob(length)?.into()))
            }
            (Kind::Timestamp, Header::Tag(EPOCH_SECONDS)) => {
                let seconds = self.0.pull()?;
                scalar(&schema.kind, seconds)
            }
            (kind, header) => scalar(kind, header),
        }
    }

    fn structure(
        &mut self,
        shape: &Structure,
        mut left: Left,
        depth: usize,
    ) -> Result<Document, CborError> {
        let mut entries: Vec<(String, Document)> = Vec::new();
        while let Some(key) = self.0.next(&mut left)? {
            let name = self.key(key)?;
            let header = self.0.pull()?;
            let Some(member) = shape.member(&name) else {
                self.0.skip(header, depth)?;
                continue;
            };
            let value = self.value(member.schema, header, depth)?;
            if entries.iter().any(|(known, _)| *known == name) {
                return Err(CborError::Repeated);
            }
            // Null members are absent members.
            if value != Document::Null {
                entries.push((name, value));
            }
        }
        Ok(Document::Map(entries))
    }

    fn list(&mut self, shape: &List, mut left: Left, depth: usize) -> Result<Document, CborError> {
        let mut elements = Vec::new();
        while let Some(header) = self.0.next(&mut left)? {
            elements.push(self.value(shape.member, header, depth)?);
        }
        Ok(Document::List(elements))
    }

    fn map(&mut self, shape: &Map, mut left: Left, depth: usize) -> Result<Document, CborError> {
        let mut entries = BTreeMap::new();
        while let Some(key) = self.0.next(&mut left)? {
            let key = self.key(key)?;
            let header = self.0.pull()?;
            if entries.insert(key, self.value(shape.value, header, depth)?).is_some() {
                return Err(CborError::Repeated);
            }
        }
        Ok(Document::Map(entries.into_iter().collect()))
    }

    fn key(&mut self, header: Header) -> Result<String, CborError> {
        match header {
            Header::Text(length) => Ok(self.0.text(length)?),
            other => Err(CborError::Type { found: found(other), wanted: "a key" }),
        }
    }
}

/// Clients write whole numbers as integers and fractions in as few bytes as will do, whatever the member's type.
fn scalar(kind: &Kind, header: Header) -> Result<Document, CborError> {
    let range = || CborError::Range(wanted(kind));
    let document = match (kind, header) {
        (Kind::Boolean, Header::Simple(simple::FALSE)) => Document::Bool(false),
        (Kind::Boolean, Header::Simple(simple::TRUE)) => Document::Bool(true),
        (Kind::Integer(_) | Kind::Long(_), header) => {
            Document::Integer(integer(header).ok_or_else(|| mismatch(kind, header))?)
        }
        (Kind::Float(_) | Kind::Double(_), header) => {
            Document::Float(float(header).ok_or_else(|| mismatch(kind, header))?)
        }
        (Kind::Timestamp, header) => {
            let seconds = float(header).ok_or_else(|| mismatch(kind, header))?;
            Document::Timestamp(millis_from_seconds(seconds).ok_or_else(range)?)
        }
        (kind, header) => return Err(mismatch(kind, header)),
    };
    Ok(document)
}

fn mismatch(kind: &Kind, header: Header) -> CborError {
    match header {
        Header::Positive(_) | Header::Negative(_) | Header::Float(_)
            if matches!(kind, Kind::Integer(_) | Kind::Long(_)) =>
        {
            CborError::Range(wanted(kind))
        }
        header => CborError::Type { found: found(header), wanted: wanted(kind) },
    }
}

fn integer(header: Header) -> Option<i64> {
    match header {
        Header::Positive(number) => i64::try_from(number).ok(),
        // CBOR's negative n is -1 - n.
        Header::Negative(number) => i64::try_from(number).ok().map(|number| !number),
        Header::Float(number) => integer_from_float(number),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a float was wanted")]
fn float(header: Header) -> Option<f64> {
    match header {
        Header::Positive(number) => Some(number as f64),
        Header::Negative(number) => Some(-1.0 - number as f64),
        Header::Float(number) => Some(number),
        _ => None,
    }
}

fn found(header: Header) -> &'static str {
    match header {
        Header::Positive(_) | Header::Negative(_) => "an integer",
        Header::Float(_) => "a float",
        Header::Simple(_) => "a simple value",
        Header::Tag(_) => "a tagged value",
        Header::Break => "a break",
        Header::Bytes(_) => "a byte string",
        Header::Text(_) => "a text string",
        Header::Array(_) => "an array",
        Header::Map(_) => "a map",
    }
}
