//! Bodies of answers: whole ones, those of the control plane, which stream, and a model server's streams.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use tokio::sync::mpsc;

use crate::listen::Busy;
use crate::quota::Share;
use crate::whole::Whole;

/// Any error, as bodies report it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A body that the control plane answers with.
pub type ControlBody = UnsyncBoxBody<Bytes, BoxError>;

/// A control plane's body that is at hand whole.
pub fn whole(bytes: impl Into<Bytes>) -> ControlBody {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// The body of an answer on its way to a client.
pub(crate) struct AnswerBody {
    kind: Kind,
    /// Keeps the connection from being taken for idle until the last frame is on its way.
    _busy: Option<Busy>,
}

enum Kind {
    Whole(Whole),
    Relayed(ControlBody),
    /// Frames as they come.
    Streamed(mpsc::Receiver<Whole>),
}

impl AnswerBody {
    pub(crate) fn whole(body: impl Into<Whole>) -> Self {
        Self { kind: Kind::Whole(body.into()), _busy: None }
    }

    /// A whole body whose share of what the process may hold is given back when hyper has let go of the bytes.
    pub(crate) fn held(body: Whole, share: Share) -> Self {
        Self::whole(body.held(share))
    }

    pub(crate) fn streamed(frames: mpsc::Receiver<Whole>) -> Self {
        Self { kind: Kind::Streamed(frames), _busy: None }
    }

    pub(crate) fn relayed(body: ControlBody) -> Self {
        Self { kind: Kind::Relayed(body), _busy: None }
    }

    #[must_use]
    pub(crate) fn with_busy(self, busy: Busy) -> Self {
        Self { _busy: Some(busy), ..self }
    }
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Whole(body) => write!(out, "AnswerBody({} bytes)", body.len()),
            Kind::Relayed(_) => out.write_str("AnswerBody(relayed)"),
            Kind::Streamed(_) => out.write_str("AnswerBody(streamed)"),
        }
    }
}

impl Body for AnswerBody {
    /// What comes at once, in its pieces: hyper hands them to the kernel together.
    type Data = Whole;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Whole>, BoxError>>> {
        match &mut self.kind {
            Kind::Whole(body) => {
                let body = std::mem::take(body);
                Poll::Ready((!body.is_empty()).then(|| Ok(Frame::data(body))))
            }
            Kind::Relayed(body) => {
                let relay = |frame: Result<Frame<Bytes>, BoxError>| {
                    frame.map(|it| it.map_data(Whole::from))
                };
                Pin::new(body).poll_frame(cx).map(|next| next.map(relay))
            }
            Kind::Streamed(frames) => {
                frames.poll_recv(cx).map(|next| next.map(|frame| Ok(Frame::data(frame))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole(body) => body.is_empty(),
            Kind::Relayed(body) => body.is_end_stream(),
            Kind::Streamed(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole(body) => SizeHint::with_exact(body.len() as u64),
            Kind::Relayed(body) => body.size_hint(),
            Kind::Streamed(_) => SizeHint::default(),
        }
    }
}
