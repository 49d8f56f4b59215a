//! The operation is the parameter `Action`, at the version `Version`.

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;

use crate::protocol::ErrorBody;
use crate::protocol::aws_query::form::Form;
use crate::service::{OperationModel, Service};

pub(in crate::protocol) fn operation(
    service: &'static Service,
    parts: &Parts,
    body: &Bytes,
) -> Result<&'static OperationModel, ErrorBody> {
    let form = Form::read(parts, body)?;
    let Some(name) = form.get("Action") else {
        let message = "The request must contain the parameter Action";
        return Err(ErrorBody::new("MissingAction", StatusCode::BAD_REQUEST, message));
    };
    let version = form.get("Version").unwrap_or("NO_VERSION_SPECIFIED");
    if version == service.api_version {
        if let Some(operation) = service.operation(name) {
            return Ok(operation);
        }
        if let Some(unserved) = service.unserved.iter().find(|unserved| unserved.name == name) {
            return Err(ErrorBody::unserved("InvalidAction", service, unserved.name));
        }
    }
    let message = format!("Could not find operation {name} for version {version}");
    Err(ErrorBody::new("InvalidAction", StatusCode::BAD_REQUEST, message))
}
