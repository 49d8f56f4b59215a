//! The protocols: one folder each, with the same files in it, and nothing outside of them that knows their bytes.
//!
//! Server: [`route`] reads a request, [`Call`] answers it. Client: [`encode_request`] and [`decode_response`].

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod aws_json;
mod aws_query;
mod call;
mod client;
mod compression;
mod error;
pub mod event_stream;
#[cfg(test)]
mod recorded;
mod rest_json;
mod rpc_v2_cbor;
#[cfg(test)]
mod tests;
mod text;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, Response};

pub use call::{Call, Rejection, refuse, route};
pub use client::{EncodeError, ResponseError, ServiceError, decode_response, encode_request};
pub use error::ErrorBody;

use crate::Document;
use crate::service::{OperationModel, Service};

/// Bytes of a request body that is parsed, as opposed to passed on, and of what a compressed one holds. The largest that AWS's model
/// of `CreateModel` admits, fifteen containers with full environments, is about 3 MiB.
pub const PARSED_BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A way of writing requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    AwsJson1_0,
    AwsJson1_1,
    RestJson,
    AwsQuery,
    RpcV2Cbor,
}

impl Protocol {
    /// The protocol a request speaks, by its headers; the service's preferred one if they do not tell.
    pub fn guess(service: &Service, parts: &Parts) -> Self {
        let media_type = parts
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let seen = if rpc_v2_cbor::claims(parts) {
            Self::RpcV2Cbor
        } else if media_type.starts_with("application/x-amz-json-1.0") {
            Self::AwsJson1_0
        } else if target(parts).is_some() || media_type.starts_with("application/x-amz-json-1.1") {
            Self::AwsJson1_1
        } else if parts.method == Method::GET
            || media_type.starts_with("application/x-www-form-urlencoded")
        {
            Self::AwsQuery
        } else {
            Self::RestJson
        };
        let speaks = |protocol: &Protocol| protocol.is_like(seen);
        let preferred = service.protocols.first().copied().unwrap_or(Self::RestJson);
        if service.protocols.iter().any(speaks) { seen } else { preferred }
    }

    /// A service that speaks one version of awsJson answers the other in kind.
    fn is_like(self, other: Self) -> bool {
        self == other || (self.is_aws_json() && other.is_aws_json())
    }

    fn is_aws_json(self) -> bool {
        matches!(self, Self::AwsJson1_0 | Self::AwsJson1_1)
    }

    fn operation(
        self,
        service: &'static Service,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<&'static OperationModel, ErrorBody> {
        match self {
            Self::AwsJson1_0 | Self::AwsJson1_1 => aws_json::operation(service, parts),
            Self::RestJson => rest_json::operation(service, parts),
            Self::AwsQuery => aws_query::operation(service, parts, body),
            Self::RpcV2Cbor => rpc_v2_cbor::operation(service, parts),
        }
    }

    fn decode_input(
        self,
        operation: &OperationModel,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<Document, ErrorBody> {
        let Some(schema) = operation.input else { return Ok(Document::empty()) };
        match self {
            Self::AwsJson1_0 | Self::AwsJson1_1 => aws_json::decode_input(schema, body),
            Self::RestJson => rest_json::decode_input(operation, schema, parts, body),
            Self::AwsQuery => aws_query::decode_input(schema, parts, body),
            Self::RpcV2Cbor => rpc_v2_cbor::decode_input(schema, body),
        }
    }

    /// A successful answer.
    pub fn encode_output(
        self,
        service: &Service,
        operation: &OperationModel,
        output: &Document,
        request_id: &str,
    ) -> Response<Bytes> {
        let mut response = match self {
            Self::AwsJson1_0 | Self::AwsJson1_1 => aws_json::encode_output(self, operation, output),
            Self::RestJson => rest_json::encode_output(operation, output),
            Self::AwsQuery => aws_query::encode_output(service, operation, output, request_id),
            Self::RpcV2Cbor => rpc_v2_cbor::encode_output(operation, output),
        };
        text::insert_header(response.headers_mut(), "x-amzn-requestid", request_id);
        response
    }

    /// An error in the protocol's own envelope.
    pub fn encode_error(
        self,
        service: &Service,
        error: &ErrorBody,
        request_id: &str,
    ) -> Response<Bytes> {
        let mut response = match self {
            Self::AwsJson1_0 | Self::AwsJson1_1 => aws_json::encode_error(self, service, error),
            Self::RestJson => rest_json::encode_error(error),
            Self::AwsQuery => aws_query::encode_error(service, error, request_id),
            Self::RpcV2Cbor => rpc_v2_cbor::encode_error(service, error),
        };
        *response.status_mut() = error.status;
        text::insert_header(response.headers_mut(), "x-amzn-requestid", request_id);
        response
    }
}

/// The content of `X-Amz-Target`.
pub(crate) fn target(parts: &Parts) -> Option<&str> {
    parts.headers.get("x-amz-target")?.to_str().ok()
}

/// Whether the request's path is one of the service's own. The protocols that all use `/` have none.
pub(crate) fn has_path(service: &Service, parts: &Parts) -> bool {
    service.protocols.iter().any(|protocol| match protocol {
        Protocol::RestJson => rest_json::has_path(service, parts),
        Protocol::RpcV2Cbor => rpc_v2_cbor::has_path(service, parts),
        Protocol::AwsJson1_0 | Protocol::AwsJson1_1 | Protocol::AwsQuery => false,
    })
}
