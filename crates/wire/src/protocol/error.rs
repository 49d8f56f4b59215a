//! An error before it has an envelope.

use std::borrow::Cow;

use http::StatusCode;

use crate::Document;
use crate::document::JsonError;
use crate::service::Service;
use crate::validate::Violations;

/// What every protocol's error envelope is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorBody {
    /// AWS's code: `ValidationException`.
    pub code: Cow<'static, str>,
    pub status: StatusCode,
    pub message: String,
    /// Members beside the message: `OriginalStatusCode` of a `ModelError`, `ErrorCode` of the runtime's errors.
    pub members: Vec<(&'static str, Document)>,
    /// Whether the operation's model names it. AWS spells the message of these `Message`; [`crate::Call`] sets it.
    pub modelled: bool,
}

impl ErrorBody {
    pub fn new(
        code: impl Into<Cow<'static, str>>,
        status: StatusCode,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            status,
            message: message.into(),
            members: Vec::new(),
            modelled: false,
        }
    }

    /// Adds a member beside the message.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Document) -> Self {
        self.members.push((name, value));
        self
    }

    /// The members beside the message as JSON. What is not a scalar needs a schema and is left out.
    pub(super) fn json_members(&self) -> impl Iterator<Item = (String, serde_json::Value)> {
        self.members.iter().filter_map(|(name, value)| {
            let json = match value {
                Document::Integer(number) => (*number).into(),
                Document::String(text) => text.as_str().into(),
                Document::Bool(flag) => (*flag).into(),
                Document::Float(number) => (*number).into(),
                _ => return None,
            };
            Some(((*name).to_owned(), json))
        })
    }

    /// Bytes that are not what the protocol asks for.
    pub(super) fn serialization(message: impl Into<String>) -> Self {
        Self::new("SerializationException", StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("Request size exceeded {limit} bytes");
        Self::new("RequestEntityTooLargeException", StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// An operation that AWS has and Tidegate does not. The status is not 501, which SDKs would retry.
    pub(super) fn unserved(code: &'static str, service: &Service, operation: &str) -> Self {
        let message = format!(
            "Tidegate does not implement the operation {operation} of {}",
            service.service_id
        );
        Self::new(code, StatusCode::BAD_REQUEST, message)
    }

    /// Constraints of the model that do not hold.
    pub(super) fn validation(code: &'static str, violations: &Violations) -> Self {
        Self::new(code, StatusCode::BAD_REQUEST, violations.to_string())
    }
}

impl From<JsonError> for ErrorBody {
    fn from(error: JsonError) -> Self {
        Self::serialization(error.to_string())
    }
}
