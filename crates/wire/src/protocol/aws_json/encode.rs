//! Documents to JSON bodies.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response};

use crate::Document;
use crate::protocol::Protocol;
use crate::protocol::text::insert_header;
use crate::service::{OperationModel, Service};

pub(in crate::protocol) fn encode_output(
    protocol: Protocol,
    operation: &OperationModel,
    output: &Document,
) -> Response<Bytes> {
    let body = operation.output.map(|schema| Bytes::from(output.to_json(schema).to_string()));
    let mut response = Response::new(body.unwrap_or_default());
    response.headers_mut().insert(CONTENT_TYPE, media_type(protocol));
    response
}

pub(in crate::protocol) fn encode_input(
    protocol: Protocol,
    service: &Service,
    operation: &OperationModel,
    input: &Document,
) -> Request<Bytes> {
    let body =
        operation.input.map_or_else(|| "{}".to_owned(), |schema| input.to_json(schema).to_string());
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = http::Method::POST;
    let target = format!("{}.{}", service.target_prefix, operation.name);
    insert_header(request.headers_mut(), "x-amz-target", &target);
    request.headers_mut().insert(CONTENT_TYPE, media_type(protocol));
    request
}

pub(super) fn media_type(protocol: Protocol) -> HeaderValue {
    HeaderValue::from_static(match protocol {
        Protocol::AwsJson1_0 => "application/x-amz-json-1.0",
        _ => "application/x-amz-json-1.1",
    })
}
