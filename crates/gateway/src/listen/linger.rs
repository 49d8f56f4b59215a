//! Closes a connection without taking the last answer away from a client that is still sending.
//!
//! Many clients read only when they have sent all. If a connection is closed while bytes lie unread, or come later, the
//! kernel resets it, and the reset overtakes an answer that the client has not read yet: it never sees why it was
//! refused. So the own side is closed first, after the answer, and what still comes is thrown away for a while. The
//! client waits for nothing of this.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{self, Sleep};

use super::activity::Activity;

/// How much of an unwanted body is read and thrown away. One of 100 MB, the largest that people try, still gets its
/// answer.
const LINGER_BYTES_MAX: usize = 128 * 1024 * 1024;

/// How long an unwanted body is read and thrown away.
const LINGER_TIME_MAX: Duration = Duration::from_secs(10);

/// A head and a body that are no longer than this together are written in one piece: copying them costs less than
/// telling the kernel of two.
const JOINED_BYTES_MAX: usize = 4 * 1024;

thread_local! {
    static JOINED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What is thrown away at a time.
const BLOCK_BYTES: usize = 8 * 1024;

/// A stream that lingers when it is closed, if the connection's client may still be sending.
pub(super) struct Linger<S> {
    stream: S,
    activity: Rc<Activity>,
    phase: Phase,
}

enum Phase {
    Open,
    /// Nothing is written any more.
    Lingering {
        left: usize,
        until: Pin<Box<Sleep>>,
    },
}

impl<S> Linger<S> {
    pub(super) fn new(stream: S, activity: Rc<Activity>) -> Self {
        Self { stream, activity, phase: Phase::Open }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Linger<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Linger<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, activity, phase } = &mut *self;
        if let Phase::Open = phase {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
            if !activity.is_sending() {
                return Poll::Ready(Ok(()));
            }
            let until = Box::pin(time::sleep(LINGER_TIME_MAX));
            *phase = Phase::Lingering { left: LINGER_BYTES_MAX, until };
        }
        let Phase::Lingering { left, until } = phase else { return Poll::Ready(Ok(())) };
        let mut block = [0; BLOCK_BYTES];
        while *left > 0 && until.as_mut().poll(cx).is_pending() {
            let mut block = ReadBuf::new(&mut block);
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut block));
            // The client has closed as well, or is gone.
            if read.is_err() || block.filled().is_empty() {
                break;
            }
            *left = left.saturating_sub(block.filled().len());
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length: usize = bytes.iter().map(|piece| piece.len()).sum();
        if bytes.len() < 2 || length > JOINED_BYTES_MAX {
            return Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        }
        JOINED.with_borrow_mut(|joined| {
            joined.clear();
            for piece in bytes {
                joined.extend_from_slice(piece);
            }
            Pin::new(&mut self.stream).poll_write(cx, joined)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
