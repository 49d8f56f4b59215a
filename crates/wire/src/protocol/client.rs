//! The same shapes from the other side: requests to write, answers to read.

use std::fmt;

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Request, StatusCode};

use crate::Document;
use crate::protocol::error::bare_code;
use crate::protocol::{Protocol, aws_json, aws_query, rest_json, rpc_v2_cbor};
use crate::service::{OperationModel, Service};

/// A request that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("the path {0} needs a member that is missing")]
    Label(String),
    #[error("the path of {0} is not a URI")]
    Uri(&'static str),
}

/// An error that the service answered with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} ({}): {message}", status.as_u16())]
pub struct ServiceError {
    /// AWS's code; `Unknown` if the answer carried none.
    pub code: String,
    pub message: String,
    pub status: StatusCode,
}

impl ServiceError {
    pub(super) fn new(status: StatusCode, code: &str, message: Option<String>) -> Self {
        let code = bare_code(code);
        let code = if code.is_empty() { "Unknown" } else { code };
        let message = message.unwrap_or_else(|| "the answer carried no message".to_owned());
        Self { code: code.to_owned(), message, status }
    }
}

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error("the answer cannot be read: {0}")]
    Malformed(String),
}

impl ResponseError {
    pub(super) fn malformed(error: &impl fmt::Display) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// An unsigned request in the simplest of the service's protocols. Its URI is a path: the host is the caller's to add.
pub fn encode_request(
    service: &Service,
    operation: &OperationModel,
    input: &Document,
) -> Result<Request<Bytes>, EncodeError> {
    simplest(service).encode_input(service, operation, input)
}

/// Reads the answer to a request of [`encode_request`]. Its output is not validated: what a newer server adds is
/// dropped, not refused.
pub fn decode_response(
    service: &Service,
    operation: &OperationModel,
    status: StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Document, ResponseError> {
    simplest(service).decode_response(operation, status, headers, body)
}

/// What people can read goes first; whatever is chosen, nothing is lost.
fn simplest(service: &Service) -> Protocol {
    const ORDER: [Protocol; 5] = [
        Protocol::AwsJson1_1,
        Protocol::AwsJson1_0,
        Protocol::RestJson,
        Protocol::AwsQuery,
        Protocol::RpcV2Cbor,
    ];
    let spoken = ORDER.into_iter().find(|protocol| service.protocols.contains(protocol));
    spoken.unwrap_or(Protocol::AwsJson1_1)
}

impl Protocol {
    pub(super) fn encode_input(
        self,
        service: &Service,
        operation: &OperationModel,
        input: &Document,
    ) -> Result<Request<Bytes>, EncodeError> {
        match self {
            Self::AwsJson1_0 | Self::AwsJson1_1 => {
                Ok(aws_json::encode_input(self, service, operation, input))
            }
            Self::RestJson => rest_json::encode_input(operation, input),
            Self::AwsQuery => Ok(aws_query::encode_input(service, operation, input)),
            Self::RpcV2Cbor => rpc_v2_cbor::encode_input(service, operation, input),
        }
    }

    pub(super) fn decode_response(
        self,
        operation: &OperationModel,
        status: StatusCode,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Document, ResponseError> {
        if !status.is_success() {
            return Err(match self {
                Self::AwsJson1_0 | Self::AwsJson1_1 | Self::RestJson => {
                    aws_json::decode_error(status, headers, body)
                }
                Self::AwsQuery => aws_query::decode_error(status, body),
                Self::RpcV2Cbor => rpc_v2_cbor::decode_error(status, body),
            }
            .into());
        }
        match self {
            Self::AwsJson1_0 | Self::AwsJson1_1 => aws_json::decode_output(operation, body),
            Self::RestJson => rest_json::decode_output(operation, status, headers, body),
            Self::AwsQuery => aws_query::decode_output(operation, body),
            Self::RpcV2Cbor => rpc_v2_cbor::decode_output(operation, body),
        }
    }
}
