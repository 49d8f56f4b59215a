//! The operation is named by `X-Amz-Target: <prefix>.<operation>`.

use http::request::Parts;
use http::{Method, StatusCode};

use crate::protocol::{ErrorBody, target};
use crate::service::{OperationModel, Service};

pub(in crate::protocol) fn operation(
    service: &'static Service,
    parts: &Parts,
) -> Result<&'static OperationModel, ErrorBody> {
    let name = target(parts)
        .filter(|_| parts.method == Method::POST)
        .and_then(|target| target.split_once('.'))
        .and_then(|(prefix, name)| (prefix == service.target_prefix).then_some(name))
        .ok_or_else(|| {
            unknown("The request names no operation of this service in X-Amz-Target".to_owned())
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

fn unknown(message: String) -> ErrorBody {
    ErrorBody::new("UnknownOperationException", StatusCode::BAD_REQUEST, message)
}
