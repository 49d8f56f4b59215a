//! The HTTP/1.1 server that both model servers stand on: accept, keep alive, drain.
//!
//! It must stay lean (the echo server is what benchmarks measure against) and must not know a route.

mod listen;
mod respond;

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::Error;
pub(crate) use listen::Listener;
use listen::{Accept, Stream};
pub(crate) use respond::{Refusal, empty, media_type, no_such_route, read_body, refuse};

/// A request whose body has not been read yet.
pub(crate) type Request = http::Request<Incoming>;
/// An answer, whole in memory: what a model answers always is.
pub(crate) type Response = http::Response<Full<Bytes>>;

/// Connections open at once. The gateway keeps a small pool per thread; a thousand is far beyond any pool
/// and far below the usual limit of file descriptors.
const CONNECTIONS_MAX: usize = 1000;

/// Pause after a failed accept: out of descriptors is the one lasting cause, and asking again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// How long requests in flight may take once told to stop. SageMaker kills 30 s after SIGTERM
/// (`reference/sagemaker-hosting.md`, section 6); this leaves time to exit in good order.
const DRAIN_MAX: Duration = Duration::from_secs(25);

/// Answers requests. Clones share what they answer from.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// Answers one request; a failure is an answer, too.
    fn answer(&self, request: Request) -> impl Future<Output = Response> + Send;
}

/// How a service ends the server from within a request or a task: the process then exits with the error,
/// connections and all.
#[derive(Clone, Debug)]
pub(crate) struct Crash(mpsc::Sender<Error>);

impl Crash {
    /// The two ends: the service keeps the first, [`serve`] watches the second.
    pub(crate) fn channel() -> (Self, mpsc::Receiver<Error>) {
        // One error ends the server; a second has nobody to tell.
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), receiver)
    }

    /// Ends the server with `error`; the first one wins.
    pub(crate) fn with(&self, error: Error) {
        let _ = self.0.try_send(error);
    }
}

/// Serves until `stop`, then closes the listener and waits (bounded) for what is in flight.
///
/// # Errors
/// Whatever the service sent through its [`Crash`], at once.
pub(crate) async fn serve(
    listener: Listener,
    service: impl Service,
    stop: impl Future<Output = ()>,
    crashed: mpsc::Receiver<Error>,
) -> Result<(), Error> {
    match listener {
        Listener::Socket(listener) => accept(listener, service, stop, crashed).await,
        Listener::Port(listener) => accept(listener, service, stop, crashed).await,
    }
}

async fn accept(
    listener: impl Accept,
    service: impl Service,
    stop: impl Future<Output = ()>,
    mut crashed: mpsc::Receiver<Error>,
) -> Result<(), Error> {
    let mut connections = JoinSet::new();
    let (closing, _) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(error) = crashed.recv() => return Err(error),
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok(stream) => {
                    connections.spawn(drive(stream, service.clone(), closing.subscribe()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
    drop(listener);
    closing.send_replace(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    tokio::select! {
        _ = tokio::time::timeout(DRAIN_MAX, drained) => Ok(()),
        Some(error) = crashed.recv() => Err(error),
    }
}

/// Serves one connection until the client, an error or `closing` ends it; a request in flight is answered first.
async fn drive(stream: impl Stream, service: impl Service, mut closing: watch::Receiver<bool>) {
    let answer = service_fn(|request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.answer(request).await) }
    });
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    tokio::select! {
        // A client that went away or spoke no HTTP has nobody left to be told.
        _ = connection.as_mut() => return,
        _ = closing.wait_for(|closing| *closing) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
