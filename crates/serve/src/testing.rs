//! What the tests of both servers share: a server on a socket of its own, and a client for it.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::{EchoSettings, Error, Image, Listen, Settings};

/// Longest that a test waits for anything; only a failing one gets there.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// A running server. Its model directory is there before it starts.
pub(crate) struct Server {
    pub(crate) folder: TempDir,
    stop: Option<oneshot::Sender<()>>,
    running: JoinSet<Result<(), Error>>,
    clients: Mutex<JoinSet<()>>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Server {
    pub(crate) fn echo(echo: EchoSettings) -> Self {
        Self::start(Image::Echo, echo, tempfile::tempdir().unwrap())
    }

    /// Serves `folder/model.onnx`; listens from the moment this returns.
    pub(crate) fn onnx(folder: TempDir) -> Self {
        Self::start(Image::Onnx, EchoSettings::default(), folder)
    }

    fn start(image: Image, echo: EchoSettings, folder: TempDir) -> Self {
        let listen = Listen::Socket(folder.path().join("socket"));
        let settings = Settings { listen, model_dir: folder.path().to_owned(), echo };
        let (stop, stopped) = oneshot::channel::<()>();
        let mut running = JoinSet::new();
        running.spawn(async move {
            crate::serve(image, settings, async move { drop(stopped.await) }).await
        });
        Self { folder, stop: Some(stop), running, clients: Mutex::default() }
    }

    /// A connection; waits until the server listens.
    pub(crate) async fn connect(&self) -> SendRequest<Full<Bytes>> {
        let path = self.folder.path().join("socket");
        let deadline = tokio::time::Instant::now() + WAIT_MAX;
        let stream = loop {
            match UnixStream::connect(&path).await {
                Ok(stream) => break stream,
                Err(error) => {
                    assert!(tokio::time::Instant::now() < deadline, "{error}");
                    tokio::task::yield_now().await;
                }
            }
        };
        let (client, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        // It ends with the client; its outcome shows in the answers.
        self.clients.lock().unwrap().spawn(async move { drop(connection.await) });
        client
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Full::default()).unwrap();
        send(&mut self.connect().await, request).await.unwrap()
    }

    /// Waits for a good `/ping`.
    pub(crate) async fn ready(&self) {
        let ready = async {
            while self.get("/ping").await.status != StatusCode::OK {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(WAIT_MAX, ready).await.unwrap();
    }

    /// Invokes with headers given as `name: value` pairs.
    pub(crate) async fn invoke(&self, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        send(&mut self.connect().await, invocation(headers, body)).await.unwrap()
    }

    /// Tells the server to stop, as SIGTERM does.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits for the server's end.
    pub(crate) async fn end(&mut self) -> Result<(), Error> {
        let ended = tokio::time::timeout(WAIT_MAX, self.running.join_next()).await;
        ended.unwrap().unwrap().unwrap()
    }
}

/// A request to invoke.
pub(crate) fn invocation(headers: &[(&str, &str)], body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let mut request = Request::post("/invocations");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body.into())).unwrap()
}

/// Sends a request and reads its answer whole.
pub(crate) async fn send(
    client: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Answer, hyper::Error> {
    client.ready().await?;
    let (parts, body) = client.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}
