//! The code travels in `x-amzn-ErrorType`, never in the body (reference/sagemaker-hosting.md, section 0).

use bytes::Bytes;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Map, Value};

use crate::protocol::ErrorBody;
use crate::protocol::text::insert_header;

pub(in crate::protocol) fn encode_error(error: &ErrorBody) -> Response<Bytes> {
    let mut body = Map::new();
    body.insert("Message".to_owned(), error.message.as_str().into());
    body.extend(error.json_members());
    let mut response = Response::new(Bytes::from(Value::Object(body).to_string()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    insert_header(response.headers_mut(), "x-amzn-errortype", &error.code);
    response
}
