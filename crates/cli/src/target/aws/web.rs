//! How AWS's library for credentials speaks HTTP: over the very connections that everything else here goes through, so that
//! there is one TLS, one list of authorities and one limit on answers.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full, Limited};
use rustls::ClientConfig;

use crate::client::Connections;

/// The largest answer of a service that lends keys. They are a few kilobytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// How long an answer may take where the library does not say. It does where it matters, as for an instance's own service.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that trust the same authorities as the calls.
pub(super) fn client(trust: &ClientConfig) -> SharedHttpClient {
    let connections = Connections::new(trust);
    http_client_fn(move |settings, _| {
        SharedHttpConnector::new(Connector {
            connections: connections.clone(),
            timeout: timeout(settings),
        })
    })
}

fn timeout(settings: &HttpConnectorSettings) -> Duration {
    match (settings.connect_timeout(), settings.read_timeout()) {
        (Some(connect), Some(read)) => connect.saturating_add(read),
        (Some(one), None) | (None, Some(one)) => one.max(TIMEOUT),
        (None, None) => TIMEOUT,
    }
}

#[derive(Debug, Clone)]
struct Connector {
    connections: Connections,
    timeout: Duration,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { connections, timeout } = self.clone();
        HttpConnectorFuture::new(async move {
            match tokio::time::timeout(timeout, exchange(connections, request)).await {
                Ok(answer) => answer,
                Err(elapsed) => Err(ConnectorError::timeout(elapsed.into())),
            }
        })
    }
}

async fn exchange(
    connections: Connections,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let user = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::user(error);
    let request = request.try_into_http1x().map_err(|error| user(error.into()))?;
    let (parts, body) = request.into_parts();
    let body = body.bytes().map(Bytes::copy_from_slice);
    let body = body.ok_or_else(|| user("the request is a stream".into()))?;
    let request = http::Request::from_parts(parts, Full::new(body));
    let answer =
        connections.request(request).await.map_err(|error| ConnectorError::io(error.into()))?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(ConnectorError::io)?;
    let answer = Response::from_parts(parts, SdkBody::from(body.to_bytes()));
    HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::http::HttpConnectorSettingsBuilder;

    use super::*;
    use crate::testing::FakeServer;

    #[tokio::test]
    async fn the_library_gets_the_answer_as_it_came() {
        let server = FakeServer::answering(&[(404, "not here")]).await;
        let trust = server.target().server.trust;
        let connector = Connector { connections: Connections::new(&trust), timeout: TIMEOUT };
        // The one path that the server answers unsigned.
        let uri = format!("{}/tidegate/clock", server.target().server.url);
        let answer = connector.call(HttpRequest::get(uri).unwrap()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 404);
        assert_eq!(answer.body().bytes(), Some(&b"not here"[..]));
        server.asked();
    }

    #[tokio::test]
    async fn nobody_there_is_an_error_that_may_pass() {
        let target = FakeServer::answering(&[]).await.stop().await;
        let connector =
            Connector { connections: Connections::new(&target.server.trust), timeout: TIMEOUT };
        let uri = format!("{}/x", target.server.url);
        let error = connector.call(HttpRequest::get(uri).unwrap()).await.unwrap_err();
        assert!(error.is_io(), "{error:?}");
    }

    #[test]
    fn the_library_says_how_long_to_wait() {
        let of = |connect: Option<u64>, read: Option<u64>| {
            let mut settings = HttpConnectorSettingsBuilder::new();
            settings.set_connect_timeout(connect.map(Duration::from_secs));
            settings.set_read_timeout(read.map(Duration::from_secs));
            timeout(&settings.build()).as_secs()
        };
        assert_eq!(of(Some(1), Some(1)), 2);
        assert_eq!(of(Some(3), None), 10);
        assert_eq!(of(None, None), 10);
    }
}
