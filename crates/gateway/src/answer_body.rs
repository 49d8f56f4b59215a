//! Bodies of answers: whole ones, those of the control plane, which stream, and a model server's streams.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
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
    /// Keeps the connection from being taken for idle.
    busy: Option<Busy>,
}

enum Kind {
    Whole(Whole),
    Relayed(ControlBody),
    /// Frames as they come.
    Streamed(mpsc::Receiver<Whole>),
}

impl AnswerBody {
    pub(crate) fn whole(body: impl Into<Whole>) -> Self {
        Self { kind: Kind::Whole(body.into()), busy: None }
    }

    /// A whole body whose share of what the process may hold is given back when hyper has let go of the bytes.
    pub(crate) fn held(body: Whole, share: Share) -> Self {
        Self::whole(body.held(share))
    }

    pub(crate) fn streamed(frames: mpsc::Receiver<Whole>) -> Self {
        Self { kind: Kind::Streamed(frames), busy: None }
    }

    pub(crate) fn relayed(body: ControlBody) -> Self {
        Self { kind: Kind::Relayed(body), busy: None }
    }

    #[must_use]
    pub(crate) fn with_busy(self, busy: Busy) -> Self {
        Self { busy: Some(busy), ..self }
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

/// What hyper has at once of an answer, in its pieces, which it hands to the kernel together. The connection is busy until
/// the kernel has them, which may be long after the body has ended.
pub(crate) struct Outbound {
    bytes: Whole,
    _busy: Option<Busy>,
}

impl Buf for Outbound {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.bytes.chunks_vectored(slices)
    }
}

impl Body for AnswerBody {
    type Data = Outbound;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Outbound>, BoxError>>> {
        let Self { kind, busy } = &mut *self;
        let outbound = |bytes| Outbound { bytes, _busy: busy.clone() };
        match kind {
            Kind::Whole(body) => {
                let body = std::mem::take(body);
                Poll::Ready((!body.is_empty()).then(|| Ok(Frame::data(outbound(body)))))
            }
            Kind::Relayed(body) => {
                let relayed = Pin::new(body).poll_frame(cx);
                relayed.map_ok(|frame| frame.map_data(|bytes| outbound(bytes.into())))
            }
            Kind::Streamed(frames) => {
                frames.poll_recv(cx).map(|next| next.map(|bytes| Ok(Frame::data(outbound(bytes)))))
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
