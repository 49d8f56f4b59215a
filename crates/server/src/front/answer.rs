//! Answers that no operation gives: to bad signatures, to strangers, and to people.

use auth::sigv4::CORAL_NAMESPACE;
use auth::{Dialect, Problem};
use bytes::Bytes;
use domain::uuid::Uuid;
use gateway::ControlBody;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Version};
use hyper::body::{Body, Incoming};
use wire::{ErrorBody, Protocol, Service};

/// An id of the form that AWS's are, to find the request in the log. It names, it does not protect: no secret lies in it.
pub(super) fn request_id() -> String {
    Uuid::from_entropy(fastrand::u128(..)).to_string()
}

pub(super) fn body(response: Response<Bytes>) -> Response<ControlBody> {
    response.map(gateway::whole)
}

pub(super) fn text(status: StatusCode, text: &'static str) -> Response<ControlBody> {
    with_type(status, "text/plain; charset=utf-8", text.into())
}

pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Response<ControlBody> {
    with_type(status, "application/json", value.to_string().into())
}

fn with_type(status: StatusCode, media_type: &'static str, bytes: Bytes) -> Response<ControlBody> {
    let mut response = Response::new(gateway::whole(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Whether a request that no readable signature routes is best answered as S3 answers: it names a bucket or an object,
/// or lists buckets.
pub(super) fn looks_like_s3(parts: &Parts) -> bool {
    let unclaimed = wire::detect(None, parts).is_none() && !names_an_action(parts);
    unclaimed && (parts.uri.path() != "/" || parts.method != Method::POST)
}

/// Whether the query asks for an operation as awsQuery's presigned URLs do.
fn names_an_action(parts: &Parts) -> bool {
    let mut members = parts.uri.query().into_iter().flat_map(|query| query.split('&'));
    parts.uri.path() == "/" && members.any(|member| member.starts_with("Action="))
}

/// The answer to a request whose body was not read to its end: the connection has no use any more, and a client that is
/// not told so would lose its next request. HTTP/2 only ends the stream.
pub(super) fn unread(
    parts: &Parts,
    body: &Incoming,
    mut response: Response<ControlBody>,
) -> Response<ControlBody> {
    if parts.version <= Version::HTTP_11 && !body.is_end_stream() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// An error in the form of S3, to a request that does not come as far as S3: nobody has signed it, or it is not for S3.
pub(super) fn s3_error(
    parts: &Parts,
    status: StatusCode,
    code: &'static str,
    message: &'static str,
) -> Response<ControlBody> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <RequestId>{}</RequestId></Error>",
        request_id()
    );
    let bytes = if parts.method == Method::HEAD { Bytes::new() } else { xml.into() };
    with_type(status, "application/xml", bytes)
}

/// A signature's problem, in the words of the service that the request is for.
pub(super) fn problem(
    parts: &Parts,
    signing_name: Option<&str>,
    problem: &Problem,
) -> Response<ControlBody> {
    let service = service(parts, signing_name);
    let protocol = Protocol::guess(service, parts);
    let dialect = match protocol {
        Protocol::AwsJson1_0 | Protocol::AwsJson1_1 | Protocol::RpcV2Cbor => Dialect::Json,
        Protocol::RestJson => Dialect::RestJson,
        Protocol::AwsQuery => Dialect::Query,
    };
    let answer = problem.answer(dialect);
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_REQUEST);
    let error = match dialect {
        Dialect::Json => {
            ErrorBody::new(format!("{CORAL_NAMESPACE}#{}", answer.code), status, answer.message)
        }
        Dialect::RestJson | Dialect::Query | Dialect::S3 => {
            ErrorBody::new(answer.code, status, answer.message)
        }
    };
    body(wire::refuse(service, parts, error, &request_id()))
}

/// An error before any operation is known.
pub(super) fn error(
    parts: &Parts,
    signing_name: Option<&str>,
    error: ErrorBody,
) -> Response<ControlBody> {
    body(wire::refuse(service(parts, signing_name), parts, error, &request_id()))
}

/// The service in whose form an error is put; SageMaker's where nothing tells.
fn service(parts: &Parts, signing_name: Option<&str>) -> &'static Service {
    let form = parts
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form"));
    let fallback = if form || names_an_action(parts) {
        &wire::sts::SERVICE
    } else {
        &wire::sagemaker::SERVICE
    };
    wire::detect(signing_name, parts).unwrap_or(fallback)
}
