//! Clients that sign as AWS's do, and one that does not care.

use std::net::SocketAddr;
use std::time::Duration;

use auth::{SecretKey, Signer};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::world::{KEY_ID, REGION, SECRET, now};

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// Status, type and message of an error.
    pub(crate) fn error(&self) -> (u16, String, String) {
        let kind = self.header("x-amzn-errortype").unwrap_or_default().to_owned();
        let message = self.json()["Message"].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), kind, message)
    }
}

/// An unsigned request to endpoint `e`.
pub(crate) fn invocation(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body.into()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = "/endpoints/e/invocations".parse().expect("a path");
    request
}

/// Signs for the service; the body is whatever the request's first frame holds.
pub(crate) async fn sign(request: &mut Request<Full<Bytes>>, host: &str, service: &str) {
    let body = request.body().clone().collect().await.expect("it is whole").to_bytes();
    request.headers_mut().insert("host", host.parse().expect("a host"));
    let secret = SecretKey::new(SECRET);
    let signer = Signer {
        access_key_id: KEY_ID,
        secret: &secret,
        session_token: None,
        region: REGION,
        service,
    };
    auth::sign(request, &auth::sigv4::sha256(&body), &signer, now()).expect("it can be signed");
}

/// One HTTP/1.1 connection.
pub(crate) struct Client {
    address: SocketAddr,
    sender: http1::SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the gateway listens");
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a client");
        Self { address, sender, driver: drive(connection) }
    }

    pub(crate) async fn invoke(&mut self, body: impl Into<Bytes>) -> Answer {
        self.signed(invocation(body)).await
    }

    pub(crate) async fn invoke_with(
        &mut self,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = invocation(body);
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().expect("a header's name");
            request.headers_mut().append(name, value.parse().expect("a header's value"));
        }
        self.signed(request).await
    }

    pub(crate) async fn signed(&mut self, mut request: Request<Full<Bytes>>) -> Answer {
        sign(&mut request, &self.address.to_string(), "sagemaker").await;
        self.send(request).await
    }

    pub(crate) async fn signed_for(
        &mut self,
        service: &str,
        mut request: Request<Full<Bytes>>,
    ) -> Answer {
        sign(&mut request, &self.address.to_string(), service).await;
        self.send(request).await
    }

    pub(crate) async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Answer {
        let host = self.address.to_string().parse().expect("a host");
        request.headers_mut().entry("host").or_insert(host);
        self.try_send(request).await.expect("an answer")
    }

    pub(crate) async fn try_send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Answer> {
        self.sender.ready().await?;
        answer(self.sender.send_request(request).await?).await
    }

    /// Goes away without a word.
    pub(crate) fn hang_up(self) {
        self.driver.abort();
    }
}

/// One HTTP/2 connection, for many requests at once.
#[derive(Clone)]
pub(crate) struct Http2 {
    address: SocketAddr,
    sender: http2::SendRequest<Full<Bytes>>,
}

impl Http2 {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the gateway listens");
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new());
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.expect("a client");
        drop(drive(connection));
        Self { address, sender }
    }

    pub(crate) async fn invoke(&mut self, body: impl Into<Bytes>) -> Answer {
        let mut request = invocation(body);
        sign(&mut request, &self.address.to_string(), "sagemaker").await;
        let url = format!("http://{}{}", self.address, request.uri().path());
        *request.uri_mut() = url.parse().expect("a URL");
        // Here the authority says what the host header would.
        request.headers_mut().remove("host");
        let response = self.sender.send_request(request).await.expect("an answer");
        answer(response).await.expect("a whole answer")
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own runtime, with no tasks to name")]
fn drive(connection: impl Future<Output = hyper::Result<()>> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        // A broken connection shows in the request that was on it.
        let _ = connection.await;
    })
}

async fn answer(response: http::Response<hyper::body::Incoming>) -> hyper::Result<Answer> {
    let (head, body) = response.into_parts();
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body: body.collect().await?.to_bytes(),
    })
}

/// Sends bytes as they are and reads until the gateway closes.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the gateway listens");
    stream.write_all(bytes).await.expect("it is sent");
    to_the_end(stream).await
}

/// The same, and says that nothing more will come.
pub(crate) async fn raw_and_finish(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the gateway listens");
    stream.write_all(bytes).await.expect("it is sent");
    stream.shutdown().await.expect("nothing more is sent");
    to_the_end(stream).await
}

async fn to_the_end(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), read)
        .await
        .expect("the gateway closes in the end")
        .expect("an answer, not a reset");
    String::from_utf8_lossy(&answer).into_owned()
}
