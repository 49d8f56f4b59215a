//! A request that has been read: what it asks for, and how to answer it.

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use crate::Document;
use crate::protocol::text::insert_header;
use crate::protocol::{ErrorBody, Protocol, compression};
use crate::service::{OperationModel, Service};
use crate::validate::validate;
use crate::value::{DecodeError, Shape};

/// A routed, decoded and validated request.
#[derive(Debug)]
pub struct Call {
    pub service: &'static Service,
    pub operation: &'static OperationModel,
    pub protocol: Protocol,
    /// Whether errors also tell awsQuery's code.
    query_mode: bool,
    /// Satisfies every constraint of the operation's model.
    pub input: Document,
}

/// A request that could not be read, or that breaks the model's constraints.
#[derive(Debug)]
pub struct Rejection {
    pub service: &'static Service,
    pub protocol: Protocol,
    pub error: ErrorBody,
    query_mode: bool,
}

/// Reads a request of this service.
pub fn route(
    service: &'static Service,
    parts: &Parts,
    body: &Bytes,
) -> Result<Call, Box<Rejection>> {
    let (protocol, query_mode) = (Protocol::guess(service, parts), query_mode(parts));
    let reject = |error| Box::new(Rejection { service, protocol, error, query_mode });
    let body = compression::expand(service, parts, body).map_err(reject)?;
    let operation = protocol.operation(service, parts, &body).map_err(reject)?;
    let input = protocol.decode_input(operation, parts, &body).map_err(reject)?;
    if let Some(schema) = operation.input {
        validate(schema, &input).map_err(|violations| {
            reject(ErrorBody::validation(service.validation_code, &violations))
        })?;
    }
    Ok(Call { service, operation, protocol, query_mode, input })
}

/// Answers a request of this service that is not to be routed: its signature is wrong, say.
pub fn refuse(
    service: &'static Service,
    parts: &Parts,
    error: ErrorBody,
    request_id: &str,
) -> Response<Bytes> {
    let protocol = Protocol::guess(service, parts);
    Rejection { service, protocol, error, query_mode: query_mode(parts) }.respond(request_id)
}

/// Whether the client knows errors by the codes that awsQuery gave them before the service spoke anything else.
fn query_mode(parts: &Parts) -> bool {
    parts.headers.get("x-amzn-query-mode").is_some_and(|value| value.as_bytes() == b"true")
}

/// Adds awsQuery's code to an error in another protocol.
fn tell_query_code(service: &Service, error: &ErrorBody, response: &mut Response<Bytes>) {
    if !service.query_compatible {
        return;
    }
    let fault = if error.status.is_server_error() { "Receiver" } else { "Sender" };
    let value = format!("{};{fault}", error.query_code(service));
    insert_header(response.headers_mut(), "x-amzn-query-error", &value);
}

impl Call {
    /// A call of the program itself, which no bytes carry. It is validated like any other.
    pub fn within(
        service: &'static Service,
        operation: &'static OperationModel,
        input: Document,
    ) -> Result<Self, ErrorBody> {
        if let Some(schema) = operation.input {
            validate(schema, &input)
                .map_err(|found| ErrorBody::validation(service.validation_code, &found))?;
        }
        let protocol = service.protocols.first().copied().unwrap_or(Protocol::AwsJson1_1);
        Ok(Self { service, operation, protocol, query_mode: false, input })
    }

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

    /// A successful answer whose members are not the operation's own.
    pub fn respond_as<S: Shape>(&self, output: &S, request_id: &str) -> Response<Bytes> {
        let operation = self.operation.answering(S::schema());
        let output = output.to_document();
        self.protocol.encode_output(self.service, &operation, &output, request_id)
    }

    pub fn respond_document(&self, output: &Document, request_id: &str) -> Response<Bytes> {
        self.protocol.encode_output(self.service, self.operation, output, request_id)
    }

    /// An error; whether the operation's model names it decides how the message is spelled.
    pub fn respond_error(&self, error: &ErrorBody, request_id: &str) -> Response<Bytes> {
        let modelled = error.modelled || self.operation.error(&error.code).is_some();
        let error = ErrorBody { modelled, ..error.clone() };
        let &Self { service, protocol, query_mode, .. } = self;
        Rejection { service, protocol, error, query_mode }.respond(request_id)
    }
}

impl Rejection {
    pub fn respond(&self, request_id: &str) -> Response<Bytes> {
        let mut response = self.protocol.encode_error(self.service, &self.error, request_id);
        if self.query_mode {
            tell_query_code(self.service, &self.error, &mut response);
        }
        response
    }
}
