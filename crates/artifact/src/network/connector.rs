//! [`Network`] as `object_store` wants it, so that the program has one way out and one TLS stack.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::uri::Scheme;
use http_body_util::{BodyExt as _, Limited};
use object_store::ClientOptions;
use object_store::client::{
    ClientConfigKey, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest,
    HttpResponse, HttpResponseBody, HttpService,
};

use super::{Network, NetworkError, NetworkErrorKind};

/// Bytes of an error's body: `object_store` holds it in memory. S3's are below a kilobyte.
const ERROR_BYTES_MAX: usize = 64 << 10;

/// Instance metadata is one hop away or not there at all.
const METADATA_WAIT: Duration = Duration::from_secs(2);

/// Makes clients of one [`Network`].
#[derive(Debug)]
pub(crate) struct Connector(pub(crate) Arc<Network>);

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let plain = options.get_config_value(&ClientConfigKey::AllowHttp);
        let plain_allowed = plain.is_some_and(|allowed| allowed == "true");
        Ok(HttpClient::new(Service { network: Arc::clone(&self.0), plain_allowed }))
    }
}

#[derive(Debug)]
struct Service {
    network: Arc<Network>,
    plain_allowed: bool,
}

/// A key or token must not go out in the clear.
#[derive(Debug, thiserror::Error)]
#[error("http:// is not allowed here, only https://")]
struct PlainRefused;

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if !self.plain_allowed && request.uri().scheme() != Some(&Scheme::HTTPS) {
            return Err(HttpError::new(HttpErrorKind::Unknown, PlainRefused));
        }
        let answer = if is_link_local(request.uri().host()) {
            match tokio::time::timeout(METADATA_WAIT, self.network.exchange(request)).await {
                Ok(answer) => answer,
                Err(_) => Err(NetworkError {
                    kind: NetworkErrorKind::Timeout,
                    why: "this machine's instance metadata service does not answer".to_owned(),
                }),
            }
        } else {
            self.network.exchange(request).await
        };
        let (parts, body) = answer.map_err(failed)?.into_parts();
        let body = if parts.status.is_success() {
            HttpResponseBody::new(
                body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error)),
            )
        } else {
            HttpResponseBody::new(
                Limited::new(body, ERROR_BYTES_MAX)
                    .map_err(|error| HttpError::new_boxed(HttpErrorKind::Unknown, error)),
            )
        };
        Ok(HttpResponse::from_parts(parts, body))
    }
}

fn failed(error: NetworkError) -> HttpError {
    let kind = match error.kind {
        NetworkErrorKind::Connect => HttpErrorKind::Connect,
        NetworkErrorKind::Timeout => HttpErrorKind::Timeout,
        NetworkErrorKind::Broken => HttpErrorKind::Interrupted,
    };
    HttpError::new(kind, error)
}

fn is_link_local(host: Option<&str>) -> bool {
    matches!(host.map(str::parse), Some(Ok(IpAddr::V4(address))) if address.is_link_local())
}
