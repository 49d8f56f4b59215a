//! The way to the control plane: a request is looked at where it came, and served on the control plane's runtime unless
//! that took no time.
//!
//! Going to another thread and back costs more than most answers do. What may take long (a query, a file, a commit), and
//! the bodies that come of it, is only ever polled on the control plane's runtime, so that it cannot hold up inference on
//! a gateway thread.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::answer_body::{self, BoxError, ControlBody};

/// Frames of an answer that may wait for a slow client. With more, the control plane reads ahead for nothing.
const FRAMES_AHEAD_MAX: usize = 4;

/// An answer up to this size is taken over in one piece, which saves the usual small one a channel and a task.
const WHOLE_BYTES_MAX: u64 = 64 * 1024;

/// Who sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerInfo {
    pub address: SocketAddr,
}

/// A future that another thread may drive.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How far a request got on the gateway's thread.
pub enum Step {
    /// It is answered, with a body that is at hand.
    Answered(Response<ControlBody>),
    /// The rest is the control plane's runtime's. It is not stopped when its client goes away: what it has begun to write
    /// it also finishes.
    Continues(BoxFuture<Response<ControlBody>>),
}

impl fmt::Debug for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Answered(_) => "Answered",
            Self::Continues(_) => "Continues",
        })
    }
}

/// Takes one request on the thread that it came to, where it may wait for the body but never work for long. The request
/// carries the [`crate::Quota`] of bytes that bodies may take in all, as an extension.
pub type Handler = dyn Fn(Request<Incoming>, PeerInfo) -> BoxFuture<Step> + Send + Sync;

/// Everything that is not inference, and the runtime it runs on.
#[derive(Clone)]
pub struct ControlPlane {
    handler: Arc<Handler>,
    runtime: Handle,
}

impl ControlPlane {
    pub fn new(runtime: Handle, handler: Arc<Handler>) -> Self {
        Self { handler, runtime }
    }

    /// The handler's answer, or nothing if what it continues with panicked or its runtime is gone.
    pub(crate) async fn serve(
        &self,
        request: Request<Incoming>,
        peer: PeerInfo,
    ) -> Option<Response<ControlBody>> {
        let work = match (self.handler)(request, peer).await {
            Step::Answered(response) => return Some(response),
            Step::Continues(work) => work,
        };
        let runtime = self.runtime.clone();
        let served = self.runtime.spawn(async move {
            let (head, body) = work.await.into_parts();
            Response::from_parts(head, detach(&runtime, body).await)
        });
        served
            .await
            .inspect_err(
                |error| tracing::error!(%error, "the control plane did not finish a request"),
            )
            .ok()
    }
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ControlPlane").finish_non_exhaustive()
    }
}

/// A body that another runtime may poll without doing this one's work.
async fn detach(runtime: &Handle, mut body: ControlBody) -> ControlBody {
    let size = body.size_hint();
    if size.exact().is_some_and(|length| length <= WHOLE_BYTES_MAX) {
        return match body.collect().await {
            // Unlike what was collected, bytes know their length; trailers, which small answers lack, would be lost.
            Ok(whole) if whole.trailers().is_none() => answer_body::whole(whole.to_bytes()),
            Ok(whole) => whole.map_err(|never| match never {}).boxed_unsync(),
            Err(error) => Broken(Some(error)).boxed_unsync(),
        };
    }
    let (sender, frames) = mpsc::channel(FRAMES_AHEAD_MAX);
    // It ends with the body, or when the client is gone and nobody receives any more.
    drop(runtime.spawn(async move {
        while let Some(frame) = body.frame().await {
            if sender.send(frame).await.is_err() {
                return;
            }
        }
    }));
    Relay { frames, left: size.exact() }.boxed_unsync()
}

/// The receiving end of a body that is polled elsewhere.
struct Relay {
    frames: mpsc::Receiver<Result<Frame<Bytes>, BoxError>>,
    left: Option<u64>,
}

impl Body for Relay {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = self.frames.poll_recv(cx);
        if let (Poll::Ready(Some(Ok(frame))), Some(left)) = (&polled, &mut self.left) {
            *left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64));
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A body that fails at its first frame, so that the client does not take it for an empty one.
struct Broken(Option<BoxError>);

impl Body for Broken {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(self.0.take().map(Err))
    }
}
