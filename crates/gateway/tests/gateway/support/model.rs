//! A model server that does what a test tells it, and remembers what it saw, byte for byte.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::instance::{Address, InstanceId};
use domain::route::InstanceRoute;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinHandle;

/// What it does with a request once it has read it.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// Answers 200 with the request's body, and keeps the connection.
    Echo,
    /// The same, and then closes without having said so.
    EchoAndClose,
    /// The same, when the test gives it a permit.
    EchoWhenTold(Arc<Semaphore>),
    /// Writes these bytes, and closes if told to.
    Raw { bytes: Vec<u8>, close: bool },
    /// Never answers.
    Hang,
    /// Writes what the test hands it, when it does, and closes when the test has no more.
    Pieces(Arc<tokio::sync::Mutex<mpsc::Receiver<Vec<u8>>>>),
}

/// The test's end of [`Behaviour::Pieces`].
pub(crate) struct Pen(mpsc::Sender<Vec<u8>>);

impl Pen {
    pub(crate) async fn write(&self, bytes: impl AsRef<[u8]>) {
        assert!(self.try_write(bytes.as_ref()).await, "the model server has gone");
    }

    /// False if the model server has given up.
    async fn try_write(&self, bytes: &[u8]) -> bool {
        self.0.send(bytes.to_vec()).await.is_ok()
    }

    /// The head of an answer in chunks.
    pub(crate) async fn head(&self) {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\
                    x-amzn-sagemaker-custom-attributes: back\r\n\r\n";
        self.write(head).await;
    }

    /// A chunk of it; an empty one is its end.
    pub(crate) async fn chunk(&self, bytes: &[u8]) {
        assert!(self.try_chunk(bytes).await, "the model server has gone");
    }

    /// A chunk of it; false if the model server has given up.
    pub(crate) async fn try_chunk(&self, bytes: &[u8]) -> bool {
        let length = format!("{:x}\r\n", bytes.len());
        self.try_write(&[length.as_bytes(), bytes, b"\r\n"].concat()).await
    }
}

impl Behaviour {
    /// A well-formed answer.
    pub(crate) fn status(status: u16, body: &str) -> Self {
        let head = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\n\r\n", body.len());
        Self::Raw { bytes: [head.as_bytes(), body.as_bytes()].concat(), close: false }
    }

    pub(crate) fn pieces() -> (Pen, Self) {
        let (sender, receiver) = mpsc::channel(1);
        (Pen(sender), Self::Pieces(Arc::new(tokio::sync::Mutex::new(receiver))))
    }

    pub(crate) fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self::Raw { bytes: bytes.as_ref().to_vec(), close: true }
    }
}

#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    closed: AtomicUsize,
    bytes: AtomicUsize,
    heads: Mutex<Vec<String>>,
}

#[derive(Debug)]
pub(crate) struct ModelServer {
    id: InstanceId,
    address: Address,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
    stop: Arc<Notify>,
    /// The socket's folder, kept while the server lives.
    _folder: Option<tempfile::TempDir>,
}

impl ModelServer {
    pub(crate) async fn tcp(behaviour: Behaviour) -> Self {
        Self::tcp_at("127.0.0.1:0".parse().expect("an address"), behaviour).await
    }

    pub(crate) async fn tcp_at(address: SocketAddr, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = Address::Tcp(listener.local_addr().expect("it is bound"));
        let (seen, stop) = (Arc::new(Seen::default()), Arc::new(Notify::new()));
        let task =
            spawn(accept_all(Arc::clone(&seen), Arc::clone(&stop), behaviour, async move || {
                Ok(listener.accept().await?.0)
            }));
        Self { id: fresh_id(), address, seen, task, stop, _folder: None }
    }

    pub(crate) fn unix(behaviour: Behaviour) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path: PathBuf = folder.path().join("model.sock");
        let listener = UnixListener::bind(&path).expect("a socket");
        let (seen, stop) = (Arc::new(Seen::default()), Arc::new(Notify::new()));
        let task =
            spawn(accept_all(Arc::clone(&seen), Arc::clone(&stop), behaviour, async move || {
                Ok(listener.accept().await?.0)
            }));
        Self {
            id: fresh_id(),
            address: Address::Unix(path),
            seen,
            task,
            stop,
            _folder: Some(folder),
        }
    }

    /// An instance that nobody listens for.
    pub(crate) fn absent(folder: &Path) -> InstanceRoute {
        InstanceRoute { id: fresh_id(), address: Address::Unix(folder.join("nobody.sock")) }
    }

    pub(crate) fn route(&self) -> InstanceRoute {
        InstanceRoute { id: self.id.clone(), address: self.address.clone() }
    }

    pub(crate) fn id(&self) -> &InstanceId {
        &self.id
    }

    /// Closes the listener and every connection.
    pub(crate) async fn stop(mut self) {
        self.stop.notify_one();
        (&mut self.task).await.expect("it stops");
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Connections that the other side has closed, or that broke.
    pub(crate) fn closed(&self) -> usize {
        self.seen.closed.load(Ordering::SeqCst)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.seen.bytes.load(Ordering::SeqCst)
    }

    /// Heads of the requests, in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.seen.heads.lock().expect("no test panics with it").clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.heads().len()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn fresh_id() -> InstanceId {
    InstanceId::from_entropy(u128::from(getrandom::u64().expect("random numbers")))
}

#[expect(clippy::disallowed_methods, reason = "a test's own runtime, with no tasks to name")]
fn spawn(future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(future)
}

async fn accept_all<S, F>(seen: Arc<Seen>, stop: Arc<Notify>, behaviour: Behaviour, mut accept: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: AsyncFnMut() -> io::Result<S>,
{
    // Dropped with the server, and its connections with it.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = stop.notified() => break,
            accepted = accept() => accepted.expect("a connection"),
        };
        seen.connections.fetch_add(1, Ordering::SeqCst);
        let (seen, behaviour) = (Arc::clone(&seen), behaviour.clone());
        connections.spawn(async move {
            // How a connection ended is for the test to see in what it counts.
            let _ = serve(stream, &seen, &behaviour).await;
            seen.closed.fetch_add(1, Ordering::SeqCst);
        });
    }
    drop(accept);
    connections.shutdown().await;
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    seen: &Seen,
    behaviour: &Behaviour,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let Some(body) = read_request(&mut stream, &mut buffer, seen).await? else { return Ok(()) };
        match behaviour {
            Behaviour::Echo => echo(&mut stream, &body).await?,
            Behaviour::EchoAndClose => return echo(&mut stream, &body).await,
            Behaviour::EchoWhenTold(permits) => {
                permits.acquire().await.expect("never closed").forget();
                echo(&mut stream, &body).await?;
            }
            Behaviour::Raw { bytes, close } => {
                stream.write_all(bytes).await?;
                if *close {
                    return stream.shutdown().await;
                }
            }
            Behaviour::Pieces(pieces) => loop {
                let mut pieces = pieces.lock().await;
                let piece = tokio::select! {
                    piece = pieces.recv() => piece,
                    read = stream.read_buf(&mut buffer) => match read {
                        // The next request on the same connection.
                        Ok(count) if count > 0 => {
                            seen.bytes.fetch_add(count, Ordering::SeqCst);
                            break;
                        }
                        _ => {
                            pieces.close();
                            return Ok(());
                        }
                    },
                };
                match piece {
                    Some(piece) => {
                        stream.write_all(&piece).await.inspect_err(|_| pieces.close())?;
                    }
                    None => return stream.shutdown().await,
                }
            },
            Behaviour::Hang => {
                // Until the other side gives up.
                return stream.read_to_end(&mut buffer).await.map(drop);
            }
        }
    }
}

async fn echo<S: AsyncWrite + Unpin>(stream: &mut S, body: &[u8]) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/echo\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await
}

/// The next request's body; nothing if the client closed.
async fn read_request<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    seen: &Seen,
) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                seen.heads.lock().expect("no test panics with it").push(head);
                let rest = buffer.split_off(end + 4 + length);
                return Ok(Some(std::mem::replace(buffer, rest).split_off(end + 4)));
            }
        }
        let count = stream.read_buf(buffer).await?;
        seen.bytes.fetch_add(count, Ordering::SeqCst);
        if count == 0 {
            return Ok(None);
        }
    }
}
