//! A request that has been read: what it asks for, and how to answer it.

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use crate::Document;
use crate::protocol::{ErrorBody, Protocol};
use crate::service::{OperationModel, Service};
use crate::validate::validate;
use crate::value::{DecodeError, Shape};

/// A routed, decoded and validated request.
#[derive(Debug)]
pub struct Call {
    pub service: &'static Service,
    pub operation: &'static OperationModel,
    pub protocol: Protocol,
    /// Satisfies every constraint of the operation's model.
    pub input: Document,
}

/// A request that could not be read, or that breaks the model's constraints.
#[derive(Debug)]
pub struct Rejection {
    pub service: &'static Service,
    pub protocol: Protocol,
    pub error: ErrorBody,
}

/// Reads a request of this service.
pub fn route(
    service: &'static Service,
    parts: &Parts,
    body: &Bytes,
) -> Result<Call, Box<Rejection>> {
    let protocol = Protocol::guess(service, parts);
    let reject = |error| Box::new(Rejection { service, protocol, error });
    let operation = protocol.operation(service, parts, body).map_err(reject)?;
    let input = protocol.decode_input(operation, parts, body).map_err(reject)?;
    if let Some(schema) = operation.input {
        validate(schema, &input).map_err(|violations| {
            reject(ErrorBody::validation(service.validation_code, &violations))
        })?;
    }
    Ok(Call { service, operation, protocol, input })
}

impl Call {
    /// The input as its type. Fails only if `I` is not this operation's input.
    pub fn input<I: Shape>(&self) -> Result<I, DecodeError> {
        I::from_document(&self.input)
    }

    /// A successful answer.
    pub fn respond(&self, output: &impl Shape, request_id: &str) -> Response<Bytes> {
        self.respond_document(&output.to_document(), request_id)
    }

    /// A successful answer of an operation without output.
    pub fn respond_empty(&self, request_id: &str) -> Response<Bytes> {
        self.respond_document(&Document::empty(), request_id)
    }

    pub fn respond_document(&self, output: &Document, request_id: &str) -> Response<Bytes> {
        self.protocol.encode_output(self.service, self.operation, output, request_id)
    }

    /// An error; whether the operation's model names it decides how the message is spelled.
    pub fn respond_error(&self, error: &ErrorBody, request_id: &str) -> Response<Bytes> {
        let modelled = error.modelled || self.operation.error(&error.code).is_some();
        let error = ErrorBody { modelled, ..error.clone() };
        self.protocol.encode_error(self.service, &error, request_id)
    }
}

impl Rejection {
    pub fn respond(&self, request_id: &str) -> Response<Bytes> {
        self.protocol.encode_error(self.service, &self.error, request_id)
    }
}
