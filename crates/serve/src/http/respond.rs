//! Bodies in, answers out: reading within bounds, and refusals in one shape.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};

use super::Response;

/// Longest request body. `InvokeEndpoint` takes 6 MiB (`reference/sagemaker-hosting.md`, section 5, "Limits"); the
/// slack keeps the gateway's limit, whose error is AWS's, the one that a client meets.
const BODY_BYTES_MAX: usize = 6 * 1024 * 1024 + 64 * 1024;

/// How long a body may take to arrive: the gateway waits no longer than this for the whole answer.
const BODY_WAIT_MAX: Duration = Duration::from_mins(1);

/// Longest message of a refusal. Messages quote names and shapes of the request, which may be megabytes long.
const MESSAGE_BYTES_MAX: usize = 2000;

/// A request that is not answered with a result: status and a sentence for whoever sent it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Refusal {
    /// 400: the request breaks a rule.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    /// Any other status.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

/// `{"error": "…"}` with the refusal's status.
pub(crate) fn refuse(refusal: &Refusal) -> Response {
    let body = serde_json::json!({ "error": shortened(&refusal.message) }).to_string();
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = refusal.status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// A text within [`MESSAGE_BYTES_MAX`]: its middle gives way, as the rule stands first and what is expected last.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= MESSAGE_BYTES_MAX {
        return text.into();
    }
    let head = text.floor_char_boundary(MESSAGE_BYTES_MAX / 2);
    let tail = text.ceil_char_boundary(text.len() - MESSAGE_BYTES_MAX / 2);
    format!("{} … {}", &text[..head], &text[tail..]).into()
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// 405 with the method that a known path takes, or 404 for any other.
pub(crate) fn no_such_route(path: &str, allowed: Option<&'static str>) -> Response {
    let Some(method) = allowed else {
        let message = format!("there is nothing at {path}");
        return refuse(&Refusal::new(StatusCode::NOT_FOUND, message));
    };
    let message = format!("{path} takes {method} only");
    let mut response = refuse(&Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(method));
    response
}

/// Reads a whole body, bounded in length and time.
///
/// # Errors
/// 413 beyond the length, 408 beyond the time, 400 for a body that breaks off.
pub(crate) async fn read_body(body: Incoming) -> Result<Bytes, Refusal> {
    let too_long = || {
        let message = format!("the body is longer than {BODY_BYTES_MAX} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(too_long());
    }
    let whole = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(BODY_WAIT_MAX, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_long()),
        Ok(Err(_)) => Err(Refusal::bad_request("the body broke off")),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")),
    }
}

/// A header's media type: lower case, without parameters. `None` when absent, empty or not text.
pub(crate) fn media_type(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (!essence.is_empty()).then_some(essence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_keeps_its_beginning_and_its_end() {
        assert_eq!(shortened("short"), "short");
        let exact = "x".repeat(MESSAGE_BYTES_MAX);
        assert_eq!(shortened(&exact), exact);
        let long = format!("begin{}end", "ü".repeat(MESSAGE_BYTES_MAX));
        let short = shortened(&long);
        assert!(short.starts_with("beginüü") && short.ends_with("üüend"), "{short}");
        assert!(short.len() <= MESSAGE_BYTES_MAX + " … ".len());
    }
}
