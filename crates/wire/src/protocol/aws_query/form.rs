//! The parameters of a request: from the body, or from the query string of a GET.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use crate::protocol::{ErrorBody, PARSED_BODY_BYTES_MAX};

/// Parameters of one request. The widest operation is `PutMetricData`: in the million bytes that AWS takes, there is
/// room for some 30,000 of the names that it has.
const PARAMETERS_MAX: usize = 40_000;

/// Dots in one parameter's name: two per level of nesting, and AWS's shapes have fewer than ten levels.
const NAME_DOTS_MAX: usize = 40;

/// Parameters by name. The order of the names is what makes [`Form::contains`] cheap.
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn read(parts: &Parts, body: &Bytes) -> Result<Self, ErrorBody> {
        if parts.method == Method::GET {
            return Self::parse(parts.uri.query().unwrap_or_default());
        }
        if body.len() > PARSED_BODY_BYTES_MAX {
            return Err(ErrorBody::too_large(PARSED_BODY_BYTES_MAX));
        }
        Self::parse(str::from_utf8(body).map_err(|_| malformed("The request body is not UTF-8"))?)
    }

    fn parse(text: &str) -> Result<Self, ErrorBody> {
        let mut parameters = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if parameters.len() >= PARAMETERS_MAX {
                return Err(malformed("The request has too many parameters"));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            if name.bytes().filter(|byte| *byte == b'.').count() > NAME_DOTS_MAX {
                return Err(malformed("A parameter is nested too deeply"));
            }
            parameters.insert(name, decode(value)?);
        }
        Ok(Self(parameters))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there is a parameter of this name or below it.
    pub(super) fn contains(&self, name: &str) -> bool {
        if self.0.contains_key(name) {
            return true;
        }
        let below = format!("{name}.");
        self.0.range(below.clone()..).next().is_some_and(|(found, _)| found.starts_with(&below))
    }
}

fn decode(text: &str) -> Result<String, ErrorBody> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text)
        .decode_utf8()
        .map_err(|_| malformed("A parameter is not UTF-8"))?;
    Ok(decoded.into_owned())
}

/// awsQuery's own code for bytes it cannot read.
pub(super) fn malformed(message: impl Into<String>) -> ErrorBody {
    ErrorBody::new("MalformedInput", StatusCode::BAD_REQUEST, message)
}

/// `prefix.name`, or `name` at the top.
pub(super) fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

/// Where a list's elements lie, its own parameter being `prefix`: `Tags.member`, or `Tags` if flattened (with
/// its last part replaced where the model names the elements).
pub(super) fn list_prefix(prefix: &str, member_name: &str, flattened: bool) -> String {
    match (flattened, prefix.rsplit_once('.')) {
        (false, _) => join(prefix, member_name),
        (true, _) if member_name == "member" => prefix.to_owned(),
        (true, Some((parent, _))) => join(parent, member_name),
        (true, None) => member_name.to_owned(),
    }
}
