//! Where model servers listen: a Unix socket of one user's own, or a port on loopback.

use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::{Error, Listen};

/// A bound listener.
#[derive(Debug)]
pub(crate) enum Listener {
    Socket(OwnSocket),
    Port(TcpListener),
}

/// A Unix socket whose file goes when the listener does.
#[derive(Debug)]
pub(crate) struct OwnSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// A connection's bytes.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}

/// Waits for connections.
pub(crate) trait Accept {
    type Stream: Stream;
    async fn accept(&self) -> io::Result<Self::Stream>;
}

impl Listener {
    /// Binds; must be called within a runtime.
    ///
    /// # Errors
    /// [`Error::Listen`] with the address.
    pub(crate) fn bind(listen: &Listen) -> Result<Self, Error> {
        match listen {
            Listen::Socket(path) => match bind_socket(path) {
                Ok(listener) => Ok(Self::Socket(OwnSocket { listener, path: path.clone() })),
                Err(cause) => Err(Error::Listen { address: path.display().to_string(), cause }),
            },
            Listen::Port(port) => match bind_port(*port) {
                Ok(listener) => Ok(Self::Port(listener)),
                Err(cause) => Err(Error::Listen { address: format!("127.0.0.1:{port}"), cause }),
            },
        }
    }
}

fn bind_port(port: u16) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Binds a socket with mode 0600 from its first moment. A socket left behind by an earlier run is replaced;
/// any other file is not.
fn bind_socket(path: &Path) -> io::Result<UnixListener> {
    if path.symlink_metadata().is_ok_and(|found| found.file_type().is_socket()) {
        std::fs::remove_file(path)?;
    }
    let before = rustix::process::umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
    let bound = UnixListener::bind(path);
    rustix::process::umask(before);
    bound
}

impl Accept for OwnSocket {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept().await?;
        Ok(stream)
    }
}

impl Accept for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = Self::accept(self).await?;
        // Answers are written whole; waiting for more to send would only delay them.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Drop for OwnSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_socket_is_its_owners_alone_replaces_a_stale_one_and_goes_with_the_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "the stale socket stays behind");

        let listener = Listener::bind(&Listen::Socket(path.clone())).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        UnixStream::connect(&path).await.unwrap();
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("precious");
        std::fs::write(&path, "data").unwrap();
        let text = Listener::bind(&Listen::Socket(path.clone())).unwrap_err().to_string();
        assert!(text.starts_with(&format!("cannot listen on {}: ", path.display())), "{text}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "data");
    }

    #[tokio::test]
    async fn a_port_in_use_is_named() {
        let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let text = Listener::bind(&Listen::Port(port)).unwrap_err().to_string();
        assert!(text.starts_with(&format!("cannot listen on 127.0.0.1:{port}: ")), "{text}");
    }
}
