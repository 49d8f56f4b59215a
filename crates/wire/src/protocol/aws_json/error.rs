//! `{"__type": code, "message": …}`, the code mostly without a namespace (reference/sagemaker-hosting.md, section 0).

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{Response, StatusCode};
use serde_json::{Map, Value};

use crate::protocol::aws_json::encode::media_type;
use crate::protocol::{ErrorBody, Protocol, ServiceError};
use crate::service::Service;

pub(in crate::protocol) fn encode_error(
    protocol: Protocol,
    service: &Service,
    error: &ErrorBody,
) -> Response<Bytes> {
    let mut body = Map::new();
    body.insert("__type".to_owned(), error.type_name(service).as_ref().into());
    for spelling in error.spellings(service) {
        body.insert((*spelling).to_owned(), error.message.as_str().into());
    }
    body.extend(error.json_members());
    let mut response = Response::new(Bytes::from(Value::Object(body).to_string()));
    response.headers_mut().insert(CONTENT_TYPE, media_type(protocol));
    response
}

/// Also reads rest-json's errors: the code is in the header there.
pub(in crate::protocol) fn decode_error(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> ServiceError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text =
        |names: &[&str]| names.iter().find_map(|name| body.get(name)?.as_str()).map(str::to_owned);
    let header =
        headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let code = header.or_else(|| text(&["__type", "code"])).unwrap_or_default();
    let message = text(&["message", "Message", "errorMessage"]);
    ServiceError::new(status, &code, message)
}
