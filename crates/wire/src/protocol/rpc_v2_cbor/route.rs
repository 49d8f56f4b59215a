//! `/service/<service>/operation/<operation>`.

use http::request::Parts;
use http::{Method, StatusCode};

use crate::protocol::ErrorBody;
use crate::service::{OperationModel, Service};

/// What the header `smithy-protocol` says of requests and answers.
pub(super) const NAME: &str = "rpc-v2-cbor";

/// Whether the request says that it speaks this protocol.
pub(in crate::protocol) fn claims(parts: &Parts) -> bool {
    let said = parts.headers.get("smithy-protocol");
    said.is_some_and(|value| value.as_bytes() == NAME.as_bytes())
}

/// Whether the path names an operation of the service, served or not.
pub(in crate::protocol) fn has_path(service: &Service, parts: &Parts) -> bool {
    addressed(service, parts).is_some()
}

pub(super) fn path(service: &Service, operation: &OperationModel) -> String {
    format!("/service/{}/operation/{}", service.target_prefix, operation.name)
}

fn addressed<'a>(service: &Service, parts: &'a Parts) -> Option<&'a str> {
    let rest = parts.uri.path().strip_prefix("/service/")?.strip_prefix(service.target_prefix)?;
    rest.strip_prefix("/operation/").filter(|name| !name.is_empty() && !name.contains('/'))
}

pub(in crate::protocol) fn operation(
    service: &'static Service,
    parts: &Parts,
) -> Result<&'static OperationModel, ErrorBody> {
    let unknown = |message: String| {
        ErrorBody::new("UnknownOperationException", StatusCode::NOT_FOUND, message)
    };
    let addressed = addressed(service, parts).filter(|_| parts.method == Method::POST);
    let name = addressed.ok_or_else(|| {
        unknown("The request names no operation of this service in its path".to_owned())
    })?;
    if let Some(operation) = service.operation(name) {
        return Ok(operation);
    }
    match service.unserved.iter().find(|unserved| unserved.name == name) {
        Some(unserved) => {
            Err(ErrorBody::unserved("UnknownOperationException", service, unserved.name))
        }
        None => Err(unknown(format!("{} has no operation of that name", service.service_id))),
    }
}
