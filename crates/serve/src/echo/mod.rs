//! `tidegate/echo`: answers the request body.
//!
//! Tests and benchmarks stand on it: it can be slow, late, failing or crashing when told so, and must otherwise cost
//! next to nothing per request.

#[cfg(test)]
mod tests;

use std::future::pending;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::Full;
use tokio::time::{Instant, sleep};

use crate::http::{
    Crash, Refusal, Request, Response, Service, empty, no_such_route, read_body, refuse,
};
use crate::{EchoSettings, Error};

/// The container's side of `CustomAttributes` (`reference/sagemaker-hosting.md`, section 5).
static CUSTOM_ATTRIBUTES: HeaderName =
    HeaderName::from_static("x-amzn-sagemaker-custom-attributes");

/// The echo server.
#[derive(Clone, Debug)]
pub(crate) struct Echo {
    settings: EchoSettings,
    /// `None`: from the start.
    ready_at: Option<Instant>,
    crash: Crash,
}

impl Echo {
    /// A server whose start-up time begins now.
    pub(crate) fn new(settings: EchoSettings, crash: Crash) -> Self {
        let ready_at = (!settings.startup.is_zero()).then(|| Instant::now() + settings.startup);
        Self { settings, ready_at, crash }
    }

    fn is_ready(&self) -> bool {
        !self.settings.never_ready && self.ready_at.is_none_or(|at| Instant::now() >= at)
    }

    async fn invoke(&self, request: Request) -> Result<Response, Refusal> {
        let (parts, body) = request.into_parts();
        let body = read_body(body).await?;
        if !self.settings.delay.is_zero() {
            sleep(self.settings.delay).await;
        }
        if happens(self.settings.crash_rate) {
            self.crash.with(Error::CrashAsked);
            return pending().await;
        }
        if happens(self.settings.failure_rate) {
            let message = "failed as TIDEGATE_ECHO_FAILURE_RATE asks";
            return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message));
        }
        Ok(echo(&parts.headers, body))
    }
}

impl Service for Echo {
    async fn answer(&self, request: Request) -> Response {
        match (request.uri().path(), request.method()) {
            ("/invocations", &Method::POST) => {
                if !self.is_ready() {
                    return refuse(&Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "starting"));
                }
                self.invoke(request).await.unwrap_or_else(|refusal| refuse(&refusal))
            }
            ("/ping", &Method::GET) if self.is_ready() => empty(StatusCode::OK),
            ("/ping", &Method::GET) => empty(StatusCode::SERVICE_UNAVAILABLE),
            (path @ "/invocations", _) => no_such_route(path, Some("POST")),
            (path @ "/ping", _) => no_such_route(path, Some("GET")),
            (path, _) => no_such_route(path, None),
        }
    }
}

fn echo(headers: &http::HeaderMap, body: Bytes) -> Response {
    let mut response = Response::new(Full::new(body));
    let content_type = headers.get(CONTENT_TYPE).cloned();
    response.headers_mut().insert(
        CONTENT_TYPE,
        content_type.unwrap_or(HeaderValue::from_static("application/octet-stream")),
    );
    if let Some(attributes) = headers.get(&CUSTOM_ATTRIBUTES) {
        response.headers_mut().insert(CUSTOM_ATTRIBUTES.clone(), attributes.clone());
    }
    response
}

/// Whether an event of this rate happens now; a rate of 0 costs no random number.
fn happens(rate: f64) -> bool {
    rate > 0.0 && fastrand::f64() < rate
}
