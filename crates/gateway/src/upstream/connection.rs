//! One connection to a model server, over TCP or a Unix socket.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use bytes::Bytes;
use domain::instance::Address;
use http_body_util::Full;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use rustix::net::RecvFlags;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time;

use crate::task;

/// A model server must accept within this (`reference/sagemaker-hosting.md`, section 6, `POST /invocations`).
pub(crate) const CONNECT_TIME_MAX: Duration = Duration::from_millis(250);

/// The longest head of an answer. Two headers of it are used, neither longer than 1,024 bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A connection that can carry one request at a time.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) sender: SendRequest<Full<Bytes>>,
    /// The same socket once more, to look at while hyper owns the first.
    socket: OwnedFd,
}

impl Connection {
    /// Connects, and starts the task that drives the connection; it ends with the connection.
    pub(super) async fn open(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => {
                let stream = within_time(TcpStream::connect(address)).await?;
                // Without it the last part of a request waits for the acknowledgement of the first.
                stream.set_nodelay(true)?;
                Self::start(stream).await
            }
            Address::Unix(path) => Self::start(within_time(UnixStream::connect(path)).await?).await,
        }
    }

    async fn start<S>(stream: S) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + AsFd + Unpin + 'static,
    {
        let socket = stream.as_fd().try_clone_to_owned()?;
        let mut builder = Builder::new();
        builder.max_buf_size(HEAD_BYTES_MAX);
        let (sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        task::spawn_local("model server connection", async move {
            // How it ended is told to whoever waits for an answer; between requests it does not matter.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to a model server ended");
            }
        });
        Ok(Self { sender, socket })
    }

    /// Whether a request may be sent on it now.
    pub(super) fn is_reusable(&self) -> bool {
        self.sender.is_ready() && self.is_quiet()
    }

    /// Whether the model server has neither closed nor said anything since the last answer.
    ///
    /// hyper hears of a close only when the runtime next looks at its sockets. Asking the kernel right before sending
    /// leaves a closing server no more than the time of one system call to be overtaken by a request, which could then
    /// not be told from one that it had begun to work on.
    fn is_quiet(&self) -> bool {
        let mut byte = [0_u8; 1];
        let peeked =
            rustix::net::recv(&self.socket, &mut byte[..], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        matches!(peeked, Err(rustix::io::Errno::AGAIN))
    }
}

async fn within_time<S>(connect: impl Future<Output = io::Result<S>>) -> io::Result<S> {
    time::timeout(CONNECT_TIME_MAX, connect)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
