//! The way out: one client for `https://`, with the machine's own root certificates.
//!
//! It sends one request and gives back the head of the answer; what is asked, where a redirect leads and how much of a body
//! is read is the caller's. Made at the first use: reading the roots takes time and memory that most servers never need.
//! It must not take a proxy or skip a check because a variable says so.

mod connector;

pub(crate) use connector::Connector;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Scheme;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::client::HttpRequestBody;
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;

/// For each address that a name has, until its server takes the connection: a server across the world does in one second.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// From the request to the head of its answer, connecting included. Stores that fetch from tape answer with an error at once.
const HEAD_WAIT: Duration = Duration::from_secs(30);

/// Connections are kept only for the redirects and the retries of one download.
const IDLE_CONNECTION: Duration = Duration::from_secs(15);
const IDLE_CONNECTIONS_MAX: usize = 2;

/// Servers see who asks.
pub(crate) const USER_AGENT: &str = concat!("tidegate/", env!("CARGO_PKG_VERSION"));

type Client = legacy::Client<HttpsConnector<HttpConnector>, HttpRequestBody>;

/// The client, made when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct Network {
    /// `None`: the machine's.
    roots: Option<RootCertStore>,
    ready: OnceCell<Ready>,
}

#[derive(Debug)]
struct Ready {
    client: Client,
    knows_roots: bool,
}

/// No answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NetworkError {
    pub(crate) kind: NetworkErrorKind,
    pub(crate) why: String,
}

/// Where it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetworkErrorKind {
    /// No connection, or no trust in who answered: nothing was sent.
    Connect,
    /// Nothing came in time.
    Timeout,
    /// The connection broke before the answer.
    Broken,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Error for NetworkError {}

impl Network {
    /// Trusts these roots instead of the machine's.
    #[cfg(test)]
    pub(crate) fn with_roots(roots: RootCertStore) -> Self {
        Self { roots: Some(roots), ready: OnceCell::new() }
    }

    /// Sends `request` and waits for the head of the answer. Redirects are answers.
    pub(crate) async fn exchange(
        &self,
        request: Request<HttpRequestBody>,
    ) -> Result<Response<Incoming>, NetworkError> {
        let ready = self.ready.get_or_try_init(|| self.make()).await?;
        if !ready.knows_roots && request.uri().scheme() == Some(&Scheme::HTTPS) {
            return Err(NetworkError {
                kind: NetworkErrorKind::Connect,
                why: "this machine has no root certificates to know servers by; install ca-certificates, or name a file of \
                      them in SSL_CERT_FILE"
                    .to_owned(),
            });
        }
        match tokio::time::timeout(HEAD_WAIT, ready.client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                let kind = if error.is_connect() {
                    NetworkErrorKind::Connect
                } else {
                    NetworkErrorKind::Broken
                };
                Err(NetworkError { kind, why: root_cause(&error) })
            }
            Err(_) => Err(NetworkError {
                kind: NetworkErrorKind::Timeout,
                why: format!("no answer within {} s", HEAD_WAIT.as_secs()),
            }),
        }
    }

    async fn make(&self) -> Result<Ready, NetworkError> {
        let failed = |why: String| NetworkError { kind: NetworkErrorKind::Connect, why };
        let roots = match &self.roots {
            Some(roots) => roots.clone(),
            None => tokio::task::spawn_blocking(machine_roots)
                .await
                .map_err(|error| failed(error.to_string()))?,
        };
        let knows_roots = !roots.is_empty();
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_WAIT));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(https);
        Ok(Ready { client, knows_roots })
    }
}

/// The machine's root certificates, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. One that cannot be read is
/// passed over: machines carry odd ones.
fn machine_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!(%error, "a root certificate cannot be read");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    roots
}

/// The innermost reason, which is what a person needs: "Connection refused", not "client error".
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
