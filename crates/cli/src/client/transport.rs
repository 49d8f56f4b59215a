//! Requests out, answers in: connections, deadlines, and trying again where that is safe.

use std::error::Error as _;
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use crate::Error;
use crate::target::{Origin, Server, start_command};

use super::Manner;

/// How long a connection may take to open. A server that is there accepts in microseconds; one behind a slow link in
/// a second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Waits between tries: long enough for a server that restarts, short enough not to annoy the one who mistyped a port.
const BACKOFF: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(300)];

/// The largest answer that is read. InvokeEndpoint's limit is 6 MiB; a page of a hundred endpoints is far below it.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Connections kept open without work: as many as the demonstration has clients.
const IDLE_CONNECTIONS_MAX: usize = 16;

/// When a call may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Every failure counts.
    Never,
    /// If no connection came about.
    IfNothingSent,
    /// Also after a 5xx or a broken connection, because doing it twice changes nothing.
    Idempotent,
}

/// Connections, opened as they are needed and kept for the next request.
#[derive(Debug, Clone)]
pub(crate) struct Connections(legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Connections {
    pub(crate) fn new(trust: &ClientConfig) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trust.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self(http)
    }

    /// One request, and the head of its answer. No time limit but that on opening the connection.
    pub(crate) async fn request(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, legacy::Error> {
        self.0.request(request).await
    }
}

/// Connections to one server.
#[derive(Debug)]
pub(crate) struct Transport {
    http: Connections,
    server: Server,
}

impl Transport {
    pub(crate) fn new(server: Server) -> Self {
        Self { http: Connections::new(&server.trust), server }
    }

    /// Reads something that needs no signature.
    pub(crate) async fn get(&self, path: &str, manner: Manner) -> Result<Response<Bytes>, Error> {
        let unsendable = |error: http::Error| Error::Transport {
            operation: manner.operation,
            problem: error.to_string(),
        };
        let uri = self.server.url.join(path).map_err(unsendable)?;
        let request = Request::builder()
            .method(Method::GET)
            .uri(uri)
            .body(Bytes::new())
            .map_err(unsendable)?;
        self.send(request, manner).await
    }

    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
        manner: Manner,
    ) -> Result<Response<Bytes>, Error> {
        for pause in BACKOFF {
            match self.try_once(&request, manner).await {
                Ok(response)
                    if manner.retry == Retry::Idempotent && is_passing(response.status()) => {}
                Err(error) if may_retry(&error, manner.retry) => {}
                decided => return decided,
            }
            tokio::time::sleep(pause).await;
        }
        self.try_once(&request, manner).await
    }

    async fn try_once(
        &self,
        request: &Request<Bytes>,
        manner: Manner,
    ) -> Result<Response<Bytes>, Error> {
        let exchange = self.exchange(request.clone().map(Full::new), manner.operation);
        tokio::time::timeout(manner.timeout, exchange)
            .await
            .unwrap_or_else(|_| Err(self.timed_out(manner)))
    }

    /// Sends a request once, and gives back the answer before its body has come. What comes of the body has no limit here.
    pub(crate) async fn open(
        &self,
        request: Request<Bytes>,
        manner: Manner,
    ) -> Result<Response<Incoming>, Error> {
        let head = self.head(request.map(Full::new), manner.operation);
        tokio::time::timeout(manner.timeout, head)
            .await
            .unwrap_or_else(|_| Err(self.timed_out(manner)))
    }

    async fn head(
        &self,
        request: Request<Full<Bytes>>,
        operation: &'static str,
    ) -> Result<Response<Incoming>, Error> {
        self.http.request(request).await.map_err(|error| {
            let cause = innermost(&error);
            if let Some(tls) = tls_error(&error) {
                self.insecure(tls)
            } else if error.is_connect() {
                self.unreachable(&cause)
            } else {
                Error::Transport {
                    operation,
                    problem: format!("the connection to {} broke: {cause}", self.server.url),
                }
            }
        })
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        operation: &'static str,
    ) -> Result<Response<Bytes>, Error> {
        self.whole(self.head(request, operation).await?, operation).await
    }

    /// The answer with its body, which is not large.
    pub(crate) async fn whole(
        &self,
        response: Response<Incoming>,
        operation: &'static str,
    ) -> Result<Response<Bytes>, Error> {
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| self.broke_off(operation, &error))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    pub(crate) fn broke_off(&self, operation: &'static str, why: &impl fmt::Display) -> Error {
        let problem = format!("the answer of {} broke off: {why}", self.server.url);
        Error::Transport { operation, problem }
    }

    pub(crate) fn timed_out(&self, manner: Manner) -> Error {
        let url = self.server.url.to_string();
        Error::TimedOut { operation: manner.operation, url, secs: manner.timeout.as_secs() }
    }

    fn insecure(&self, error: &rustls::Error) -> Error {
        let url = &self.server.url;
        let problem = match error {
            rustls::Error::InvalidCertificate(cause) => format!(
                "the certificate of {url} is not trusted ({cause}); if it is the right server, name its certificate, or its \
                 authority's, with --ca-bundle FILE"
            ),
            other => format!("TLS with {url} failed ({other}); does the server speak https there?"),
        };
        Error::Unreachable { problem }
    }

    fn unreachable(&self, cause: &str) -> Error {
        let Server { url, origin, .. } = &self.server;
        let problem = match origin {
            Origin::Local { data_dir, by_flag } => format!(
                "no server answers at {url}, where {}/server.json says it is ({cause}); start one with: {}",
                data_dir.display(),
                start_command(data_dir, *by_flag)
            ),
            Origin::Aws => {
                format!("AWS does not answer ({cause}); check the region and the network")
            }
            named => format!(
                "nothing answers at {url}, {named} ({cause}); check the address, or start a server with: tidegate up"
            ),
        };
        Error::Unreachable { problem }
    }
}

/// What TLS says about it, if it is TLS that failed.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = error.downcast_ref() {
        return Some(tls);
    }
    // An I/O error is not the source of what it wraps, but the same thing.
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => tls_error(wrapped),
        None => error.source().and_then(tls_error),
    }
}

/// Whether the server may answer otherwise in a moment.
fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
}

fn may_retry(error: &Error, retry: Retry) -> bool {
    match error {
        Error::Unreachable { .. } => retry != Retry::Never,
        Error::Transport { .. } => retry == Retry::Idempotent,
        _ => false,
    }
}

/// What went wrong at the bottom, such as `Connection refused (os error 111)`.
fn innermost(error: &legacy::Error) -> String {
    let mut cause = error.source();
    let mut text = error.to_string();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}
