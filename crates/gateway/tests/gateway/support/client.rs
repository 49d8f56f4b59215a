//! Clients that sign as AWS's do, and one that does not care.

use std::net::SocketAddr;
use std::time::Duration;

use auth::{SecretKey, Signer};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use wire::event_stream::{Decoder, EventStreamMessage};

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

/// The same for an answer that streams.
pub(crate) fn streaming(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let mut request = invocation(body);
    *request.uri_mut() = "/endpoints/e/invocations-response-stream".parse().expect("a path");
    request
}

/// An answer that is read frame by frame.
pub(crate) struct Streamed {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: hyper::body::Incoming,
    decoder: Decoder,
    rest: Bytes,
}

impl Streamed {
    fn new(response: http::Response<hyper::body::Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let decoder = Decoder::new();
        Self { status: head.status, headers: head.headers, body, decoder, rest: Bytes::new() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next frame; nothing at the end.
    pub(crate) async fn next(&mut self) -> Option<EventStreamMessage> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.rest).expect("a frame") {
                return Some(frame);
            }
            match self.body.frame().await {
                Some(frame) => self.rest = frame.expect("more").into_data().expect("no trailers"),
                None => return None,
            }
        }
    }

    /// The payload of the next frame, which must be a part of the answer.
    pub(crate) async fn part(&mut self) -> Bytes {
        let frame = self.next().await.expect("a part");
        assert_eq!(frame.text(":message-type"), Some("event"), "{frame:?}");
        assert_eq!(frame.text(":event-type"), Some("PayloadPart"), "{frame:?}");
        assert_eq!(frame.text(":content-type"), Some("application/octet-stream"), "{frame:?}");
        frame.payload
    }

    /// What ends the stream: the type of the exception and its members, and nothing after it.
    pub(crate) async fn exception(&mut self) -> (String, serde_json::Value) {
        let frame = self.next().await.expect("an exception");
        assert_eq!(frame.text(":message-type"), Some("exception"), "{frame:?}");
        let kind = frame.text(":exception-type").expect("a type").to_owned();
        assert_eq!(self.next().await, None);
        (kind, serde_json::from_slice(&frame.payload).expect("JSON"))
    }

    /// The rest of the parts, put together.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut whole = Vec::new();
        while let Some(frame) = self.next().await {
            assert_eq!(frame.text(":event-type"), Some("PayloadPart"), "{frame:?}");
            whole.extend_from_slice(&frame.payload);
        }
        whole
    }
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
        Self::over(address, stream).await
    }

    pub(crate) async fn over<S>(address: SocketAddr, stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
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

    /// Asks for a stream, with these headers.
    pub(crate) async fn open(&mut self, headers: &[(&str, &str)], body: &'static str) -> Streamed {
        let mut request = streaming(body);
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().expect("a header's name");
            request.headers_mut().append(name, value.parse().expect("a header's value"));
        }
        sign(&mut request, &self.address.to_string(), "sagemaker").await;
        self.sender.ready().await.expect("a connection");
        Streamed::new(self.sender.send_request(request).await.expect("an answer"))
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
        Self::over(address, stream).await
    }

    pub(crate) async fn over<S>(address: SocketAddr, stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new());
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.expect("a client");
        drop(drive(connection));
        Self { address, sender }
    }

    pub(crate) async fn invoke(&mut self, body: impl Into<Bytes>) -> Answer {
        let response = self.signed(invocation(body)).await;
        answer(response).await.expect("a whole answer")
    }

    pub(crate) async fn open(&mut self, body: &'static str) -> Streamed {
        Streamed::new(self.signed(streaming(body)).await)
    }

    async fn signed(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> http::Response<hyper::body::Incoming> {
        sign(&mut request, &self.address.to_string(), "sagemaker").await;
        let url = format!("http://{}{}", self.address, request.uri().path());
        *request.uri_mut() = url.parse().expect("a URL");
        // Here the authority says what the host header would.
        request.headers_mut().remove("host");
        self.sender.send_request(request).await.expect("an answer")
    }

    /// Whether the connection has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
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
