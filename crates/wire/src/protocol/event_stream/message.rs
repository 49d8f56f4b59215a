//! What a frame carries, and the frames of SageMaker's response stream.

use std::borrow::Cow;

use bytes::Bytes;
use http::Response;

use super::{FrameError, PAYLOAD_PART_BYTES_MAX, encode};
use crate::protocol::Protocol;
use crate::service::{OperationModel, Service};
use crate::value::Shape;

/// One frame.
#[derive(Debug, Clone, PartialEq)]
pub struct EventStreamMessage {
    /// In the order of the wire; no name comes twice.
    pub headers: Vec<(Cow<'static, str>, HeaderValue)>,
    pub payload: Bytes,
}

/// The value of a frame's header. The wire has ten types: `true` and `false` are one each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    Bool(bool),
    Byte(i8),
    Short(i16),
    Integer(i32),
    Long(i64),
    Bytes(Bytes),
    String(Cow<'static, str>),
    /// Milliseconds since the Unix epoch.
    Timestamp(i64),
    Uuid([u8; 16]),
}

impl EventStreamMessage {
    /// The frame's bytes. Fails if a limit of this module does not hold, or if a name is empty or comes twice.
    pub fn encode(&self) -> Result<Bytes, FrameError> {
        encode::encode(self)
    }

    pub fn header(&self, name: &str) -> Option<&HeaderValue> {
        self.headers.iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The header of this name, if it is a text: `:message-type` and its like.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.header(name)? {
            HeaderValue::String(text) => Some(text),
            _ => None,
        }
    }
}

/// A piece of the model's answer, as it is.
pub fn payload_part(bytes: impl Into<Bytes>) -> EventStreamMessage {
    message(":event-type", "PayloadPart", "application/octet-stream", "event", bytes.into())
}

/// The frames of a piece of the model's answer, split where it is longer than [`PAYLOAD_PART_BYTES_MAX`].
/// Nothing becomes no frame.
#[expect(clippy::missing_panics_doc, reason = "the length and the headers are within the limits")]
pub fn encode_payload(bytes: &Bytes) -> Bytes {
    let parts = bytes.chunks(PAYLOAD_PART_BYTES_MAX).map(|part| {
        let part = payload_part(bytes.slice_ref(part));
        part.encode().expect("parts are shorter than frames may be, and these headers are good")
    });
    let mut parts: Vec<Bytes> = parts.collect();
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => parts.into_iter().chain(last).collect::<Vec<_>>().concat().into(),
    }
}

/// The frames of [`encode_payload`] as the pieces that come one after another: a long payload is not copied.
#[expect(clippy::missing_panics_doc, reason = "the length and the headers are within the limits")]
pub fn encode_long_payload(bytes: &Bytes) -> impl Iterator<Item = Bytes> {
    bytes.chunks(PAYLOAD_PART_BYTES_MAX).flat_map(|part| {
        let part = payload_part(bytes.slice_ref(part));
        let (before, behind) = encode::around(&part)
            .expect("parts are shorter than frames may be, and these headers are good");
        [before, part.payload, behind]
    })
}

/// The error that ends a stream: `ModelStreamError` or `InternalStreamFailure`.
pub fn exception<E: Shape>(error: &E) -> EventStreamMessage {
    let json = error.to_document().to_json(E::schema()).to_string();
    message(":exception-type", E::NAME, "application/json", "exception", json.into())
}

/// The head of an answer whose body is a stream: `output` has the members that travel in headers. The body, which
/// is not here, is whatever frames follow.
pub fn response_head(
    service: &Service,
    operation: &OperationModel,
    output: &impl Shape,
    request_id: &str,
) -> Response<()> {
    let whole =
        Protocol::RestJson.encode_output(service, operation, &output.to_document(), request_id);
    whole.map(drop)
}

fn message(
    kind: &'static str,
    name: &'static str,
    media_type: &'static str,
    message_type: &'static str,
    payload: Bytes,
) -> EventStreamMessage {
    let texts = [(kind, name), (":content-type", media_type), (":message-type", message_type)];
    let headers = texts.map(|(name, text)| (name.into(), HeaderValue::String(text.into())));
    EventStreamMessage { headers: headers.into(), payload }
}
