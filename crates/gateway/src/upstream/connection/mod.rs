//! One connection to a model server: HTTP/1.1 by hand, on the task of the request that uses it.
//!
//! A request needs no second task and no channel, the head and a small body leave in one system call, and a body of known
//! length is read into the room that it needs. Dropping the connection closes it.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use domain::instance::Address;

use crate::whole::Whole;

use super::Outgoing;
use super::body::Body;
use super::chunks::Step;
use super::head::{self, Awaited, Head};
use super::socket::Socket;

/// What is read at once while the head is awaited: more than most answers have in all.
const READ_BYTES: usize = 8 * 1024;

/// A body up to this is sent in one piece with its head: copying it costs less than telling the kernel of two pieces.
const JOINED_BYTES_MAX: usize = 4 * 1024;

/// What is read at once of a body.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

/// What is offered to the kernel at once: more than it takes of pieces of that size.
const PIECES_AT_ONCE: usize = 16;

/// A connection that can carry one request at a time.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: Socket,
    /// What has come and is not used yet.
    buffer: BytesMut,
    /// The head that is being sent, with a small body behind it, and how much of it has been.
    head: Vec<u8>,
    head_sent: usize,
    /// What is left to send of the body.
    body: Whole,
    /// Whether any byte of the request has been sent.
    has_sent: bool,
    left: Body,
    /// Whether the model server keeps the connection after the answer.
    stays: bool,
}

/// Why a request got no answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) error: io::Error,
    /// Whether a byte of it was sent.
    pub(super) was_sent: bool,
}

impl Connection {
    pub(super) async fn open(address: &Address) -> io::Result<Self> {
        Ok(Self::on(Socket::connect(address).await?))
    }

    pub(super) fn on(socket: Socket) -> Self {
        Self {
            socket,
            buffer: BytesMut::new(),
            head: Vec::new(),
            head_sent: 0,
            body: Whole::default(),
            has_sent: false,
            left: Body::Nothing,
            stays: true,
        }
    }

    /// Whether another request may be sent on it now.
    pub(super) fn is_reusable(&self) -> bool {
        self.is_at_rest() && self.socket.is_quiet()
    }

    /// Whether its last exchange is over on both sides, and the model server keeps it.
    pub(super) fn is_at_rest(&self) -> bool {
        let is_sent = self.head_sent == self.head.len() && self.body.is_empty();
        self.stays && is_sent && self.left == Body::Nothing && self.buffer.is_empty()
    }

    /// Sends a request and gives back the head of its answer. A model server may answer before it has read everything;
    /// the rest is sent while the answer is read.
    pub(super) async fn exchange(&mut self, request: &Outgoing) -> Result<Head, Unanswered> {
        self.head.clear();
        head::write(&mut self.head, &request.headers, request.body.len());
        self.head_sent = 0;
        self.body = Whole::default();
        if request.body.len() <= JOINED_BYTES_MAX {
            request.body.pieces().for_each(|piece| self.head.extend_from_slice(piece));
        } else {
            self.body = request.body.clone();
        }
        self.has_sent = false;
        let mut awaited = Awaited::default();
        let answered = poll_fn(|cx| self.poll_head(&mut awaited, cx)).await;
        answered.map_err(|error| Unanswered { error, was_sent: self.has_sent })
    }

    /// The next bytes of the answer's body, at least one; nothing at its end.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The rest of the body's length, where it is known.
    pub(super) fn announced(&self) -> Option<u64> {
        self.left.announced()
    }

    /// Reads of a body whose length is known into `whole`, once: how much, at most `room`, and 0 at its end.
    pub(super) async fn read_into(
        &mut self,
        whole: &mut BytesMut,
        room: usize,
    ) -> io::Result<usize> {
        let Body::Length(left) = self.left else { return Ok(0) };
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(room);
        if wanted == 0 {
            return Ok(0);
        }
        let read = if self.buffer.is_empty() {
            let read = poll_fn(|cx| {
                // An error of it is the request's, and that has its answer.
                drop(self.poll_send(cx));
                self.socket.poll_read(cx, &mut (&mut *whole).limit(wanted))
            });
            match read.await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => read,
            }
        } else {
            let here = self.buffer.len().min(wanted);
            whole.put_slice(&self.buffer[..here]);
            self.buffer.advance(here);
            here
        };
        self.left.took(read);
        Ok(read)
    }

    fn poll_head(&mut self, awaited: &mut Awaited, cx: &mut Context<'_>) -> Poll<io::Result<Head>> {
        loop {
            let sending = self.poll_send(cx);
            match ready!(self.poll_more(cx, READ_BYTES)) {
                Ok(0) => {
                    // Whoever closes while it is being written to may have answered before, but has not.
                    sending?;
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(sending.err().unwrap_or(error))),
            }
            let taken = awaited.take(&mut self.buffer).map_err(io::Error::other)?;
            if let Some(head) = taken {
                if !self.has_sent {
                    // Whatever it says, it says it of something else.
                    let error = io::Error::other("an answer came before the request was sent");
                    return Poll::Ready(Err(error));
                }
                self.stays = head.stays;
                self.left = Body::new(head.framing);
                return Poll::Ready(Ok(head));
            }
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        loop {
            match self.left.step(&mut self.buffer).map_err(io::Error::other)? {
                Step::Over => return Poll::Ready(Ok(None)),
                Step::Data(here) => {
                    self.left.took(here);
                    return Poll::Ready(Ok(Some(self.buffer.split_to(here).freeze())));
                }
                Step::More => {}
            }
            drop(self.poll_send(cx));
            if ready!(self.poll_more(cx, PIECE_BYTES))? == 0 && !self.left.closed() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    fn poll_more(&mut self, cx: &mut Context<'_>, room: usize) -> Poll<io::Result<usize>> {
        self.buffer.reserve(room);
        self.socket.poll_read(cx, &mut self.buffer)
    }

    /// Sends what can be sent.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        loop {
            let head = &self.head[self.head_sent..];
            let mut slices = [IoSlice::new(&[]); PIECES_AT_ONCE];
            let mut count = 0;
            if !head.is_empty() {
                slices[0] = IoSlice::new(head);
                count = 1;
            }
            count += self.body.chunks_vectored(&mut slices[count..]);
            if count == 0 {
                return Ok(());
            }
            let sent = match self.socket.poll_write(cx, &slices[..count]) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(sent) => sent,
            };
            match sent {
                Ok(sent) => {
                    self.has_sent = true;
                    let of_head = sent.min(head.len());
                    self.head_sent += of_head;
                    self.body.advance(sent - of_head);
                }
                Err(error) => {
                    // Nothing more can be sent; what the model server has said already may still be read.
                    self.head_sent = self.head.len();
                    self.body = Whole::default();
                    self.stays = false;
                    return Err(error);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
