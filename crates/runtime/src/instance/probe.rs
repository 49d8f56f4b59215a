//! `GET /ping`, as the platform asks a model server whether it is well (`reference/sagemaker-hosting.md`, section 6).
//! Each probe has a connection of its own: a server that closes idle ones must not look ill.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use domain::instance::Address;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// Wall time one probe may take, as on the platform.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes of an answer that are read out of politeness, so that the server does not see its answer cut off.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What became of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// 200.
    Good,
    /// Nothing listens, the connection broke, or the answer was not 200.
    Bad,
    /// It accepted the connection and did not answer in time. It may be at work on a request, if it does one at a time.
    Silent,
}

/// Asks once, and waits `PROBE_TIMEOUT` at most.
pub(crate) async fn ping(address: &Address) -> Health {
    tokio::time::timeout(PROBE_TIMEOUT, ask(address)).await.unwrap_or(Health::Silent)
}

async fn ask(address: &Address) -> Health {
    match address {
        Address::Tcp(address) => match TcpStream::connect(address).await {
            Ok(stream) => exchange(stream, &address.to_string()).await,
            Err(_) => Health::Bad,
        },
        Address::Unix(path) => match UnixStream::connect(path).await {
            Ok(stream) => exchange(stream, "localhost").await,
            Err(_) => Health::Bad,
        },
    }
}

async fn exchange<S>(stream: S, host: &str) -> Health
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ok((mut sender, connection)) = http1::handshake(TokioIo::new(stream)).await else {
        return Health::Bad;
    };
    let request = Request::get("/ping")
        .header(hyper::header::HOST, host)
        .header(hyper::header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .expect("a constant path and an address make a valid request");
    let answer = async {
        let Ok(answer) = sender.send_request(request).await else { return Health::Bad };
        let health = if answer.status() == StatusCode::OK { Health::Good } else { Health::Bad };
        let _ = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        health
    };
    let (mut answer, mut connection) = (pin!(answer), pin!(connection));
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            health = &mut answer => return health,
            _ = &mut connection, if open => open = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, UnixListener};

    /// Probes a server that gives `answer` to the first request, and then ends the connection unless `holds` it.
    async fn probed(answer: &'static [u8], holds: bool) -> Health {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /ping HTTP/1.1\r\n"));
            stream.write_all(answer).await.unwrap();
            if holds {
                std::future::pending::<()>().await;
            }
            drop(stream);
            std::future::pending::<Health>().await
        };
        tokio::select! { health = ping(&address) => health, health = serve => health }
    }

    #[tokio::test]
    async fn only_200_is_good() {
        for (answer, expected) in [
            (&b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"[..], Health::Good),
            (b"HTTP/1.1 200 OK\r\n\r\nany body until the end", Health::Good),
            (b"HTTP/1.0 200 OK\r\n\r\n", Health::Good),
            (b"HTTP/1.1 204 No Content\r\n\r\n", Health::Bad),
            (b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\nno", Health::Bad),
            (b"not http at all\r\n\r\n", Health::Bad),
            (b"", Health::Bad),
        ] {
            assert_eq!(
                probed(answer, false).await,
                expected,
                "{}",
                String::from_utf8_lossy(answer)
            );
        }
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_silent_and_one_that_is_not_there_is_bad() {
        assert_eq!(probed(b"", true).await, Health::Silent);
        assert_eq!(ping(&Address::Unix("/nonexistent/socket".into())).await, Health::Bad);
    }

    #[tokio::test]
    async fn a_unix_socket_is_asked_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            std::future::pending::<Health>().await
        };
        let address = Address::Unix(path);
        let health = tokio::select! { health = ping(&address) => health, health = serve => health };
        assert_eq!(health, Health::Good);
    }
}
