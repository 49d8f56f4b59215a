//! A socket to a model server, TCP or Unix, and what only the kernel knows of it.

use std::io;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BufMut;
use domain::instance::Address;
use rustix::io::Errno;
use rustix::net::RecvFlags;
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time;

/// A model server must accept within this (`reference/sagemaker-hosting.md`, section 6, `POST /invocations`).
pub(crate) const CONNECT_TIME_MAX: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    pub(super) async fn connect(address: &Address) -> io::Result<Self> {
        let connecting = async {
            match address {
                Address::Tcp(address) => {
                    let stream = TcpStream::connect(address).await?;
                    // Without it the last part of a request waits for the acknowledgement of the first.
                    stream.set_nodelay(true)?;
                    Ok(Self::Tcp(stream))
                }
                Address::Unix(path) => UnixStream::connect(path).await.map(Self::Unix),
            }
        };
        time::timeout(CONNECT_TIME_MAX, connecting)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Whether the model server has neither closed nor said anything since the last answer.
    ///
    /// Asking the kernel right before sending leaves a closing server no more than the time of one system call to be
    /// overtaken by a request, which could then not be told from one that it had begun to work on. A Unix socket's other
    /// end is in the same kernel, which refuses to write to one that is closed: there it is enough to go by what the
    /// runtime knows.
    pub(super) fn is_quiet(&self) -> bool {
        let mut byte = [0_u8; 1];
        match self {
            Self::Tcp(stream) => {
                let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
                matches!(rustix::net::recv(stream, &mut byte[..], flags), Err(Errno::AGAIN))
            }
            Self::Unix(stream) => stream
                .try_read(&mut byte)
                .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock),
        }
    }

    /// Reads what has come into the room that is left in `buffer`: how much, and 0 at the end.
    ///
    /// It goes by the runtime's readiness and not by trying, so that a read which was not filled costs no second one.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut impl BufMut,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => pin!(stream.read_buf(buffer)).poll(cx),
            Self::Unix(stream) => pin!(stream.read_buf(buffer)).poll(cx),
        }
    }

    /// Writes the slices, or their beginning: how much.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // One piece costs less if it is not told as several.
        match (self, slices) {
            (Self::Tcp(stream), [only]) => Pin::new(stream).poll_write(cx, only),
            (Self::Unix(stream), [only]) => Pin::new(stream).poll_write(cx, only),
            (Self::Tcp(stream), slices) => Pin::new(stream).poll_write_vectored(cx, slices),
            (Self::Unix(stream), slices) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}
