//! Paths with labels: `/endpoints/{EndpointName}/invocations`.

use http::StatusCode;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::protocol::ErrorBody;
use crate::service::{OperationModel, Service};

pub(in crate::protocol) fn operation(
    service: &'static Service,
    parts: &Parts,
) -> Result<&'static OperationModel, ErrorBody> {
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let matches = |wanted: &str, uri: &str| method == wanted && is_match(uri, path);
    if let Some(served) = service.operations.iter().find(|op| matches(op.method, op.uri)) {
        return Ok(served);
    }
    if let Some(unserved) = service.unserved.iter().find(|op| matches(op.method, op.uri)) {
        return Err(ErrorBody::unserved("UnknownOperationException", service, unserved.name));
    }
    let message = format!("{} has no operation at this method and path", service.service_id);
    Err(ErrorBody::new("UnknownOperationException", StatusCode::NOT_FOUND, message))
}

/// Whether any operation, served or not, has this path.
pub(in crate::protocol) fn has_path(service: &Service, parts: &Parts) -> bool {
    let path = parts.uri.path();
    let served = service.operations.iter().map(|operation| operation.uri);
    let mut uris = served.chain(service.unserved.iter().map(|operation| operation.uri));
    uris.any(|uri| is_match(uri, path))
}

fn is_match(uri: &str, path: &str) -> bool {
    let uri = uri.split('?').next().unwrap_or_default();
    let (mut wanted, mut found) = (uri.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == found || label(wanted).is_some() => {}
            _ => return false,
        }
    }
}

fn label(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// The decoded value of one label of a path that matches.
pub(super) fn label_value(uri: &str, path: &str, name: &str) -> Result<String, ErrorBody> {
    let segments = uri.split('/').zip(path.split('/'));
    let found = segments
        .into_iter()
        .find_map(|(wanted, found)| (label(wanted) == Some(name)).then_some(found));
    let decoded = percent_decode_str(found.unwrap_or_default()).decode_utf8();
    let text =
        decoded.map_err(|_| ErrorBody::serialization(format!("The path's {name} is not UTF-8")))?;
    Ok(text.into_owned())
}

/// The path with its labels filled in by `value`; None if one is missing.
pub(super) fn fill(uri: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let segments = uri.split('/').map(|segment| match label(segment) {
        Some(name) => value(name),
        None => Some(segment.to_owned()),
    });
    Some(segments.collect::<Option<Vec<_>>>()?.join("/"))
}
