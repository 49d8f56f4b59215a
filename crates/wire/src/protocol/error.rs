//! An error before it has an envelope.

use std::borrow::Cow;

use http::StatusCode;

use crate::Document;
use crate::document::JsonError;
use crate::service::{ErrorModel, Service, Spelling};
use crate::validate::Violations;

/// What awsQuery calls a request that breaks the constraints of its model.
const QUERY_VALIDATION_CODE: &str = "ValidationError";

/// A code without what may be around it: a namespace before a `#`, a link after a `:`.
pub(super) fn bare_code(code: &str) -> &str {
    code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default()
}

/// What every protocol's error envelope is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorBody {
    /// AWS's code: `ValidationException`. Where awsQuery has another than the rest, either will do: each protocol
    /// writes its own.
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

    /// The code without the namespace that it may have.
    fn bare(&self) -> &str {
        bare_code(&self.code)
    }

    /// What `__type` says, in awsJson and CBOR. A service with namespaces has its own for the errors of its model and
    /// the framework's for all others (reference/autoscaling-and-cloudwatch.md, section 6.1).
    pub(super) fn type_name(&self, service: &Service) -> Cow<'_, str> {
        if !service.query_compatible || self.code.contains('#') {
            return Cow::Borrowed(&self.code);
        }
        if let Some(model) = service.error(&self.code) {
            return Cow::Borrowed(model.type_name);
        }
        Cow::Owned(if self.is_validation(service) {
            format!("com.amazon.coral.validate#{}", service.validation_code)
        } else {
            format!("com.amazon.coral.service#{}", self.code)
        })
    }

    /// What awsQuery calls it.
    pub(super) fn query_code(&self, service: &Service) -> &str {
        if !service.query_compatible {
            return self.bare();
        }
        match service.error(self.bare()) {
            Some(model) => model.code,
            None if self.is_validation(service) => QUERY_VALIDATION_CODE,
            None => self.bare(),
        }
    }

    fn is_validation(&self, service: &Service) -> bool {
        [service.validation_code, QUERY_VALIDATION_CODE].contains(&self.bare())
    }

    /// The names under which awsJson and CBOR give the message.
    pub(super) fn spellings(&self, service: &Service) -> &'static [&'static str] {
        let modelled = || service.error(&self.code).and_then(ErrorModel::spelling);
        match (service.spelling, self.modelled) {
            (Spelling::Both, true) => &["message", "Message"],
            (Spelling::Model, true) if modelled() == Some("Message") => &["Message"],
            (Spelling::Both | Spelling::Model, _) => &["message"],
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
