//! The data plane by itself, for measuring it.
//!
//! `proxy` measures: one gateway thread between a client and a model server of its own, and what a request costs that
//! thread. `proxy UPSTREAM [LISTEN]` fronts a model server (`127.0.0.1:8080`, or the path of a Unix socket) as variant
//! `v` of endpoint `e`, with the key below, until it is interrupted; the control plane is an echo.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use auth::{Credential, Principal, SecretKey, Signer};
use domain::instance::{Address, InstanceId};
use domain::route::{EndpointRoute, InstanceRoute, RouteTable, Strategy, Traffic, VariantRoute};
use domain::time::{Clock, Timestamp};
use gateway::{ControlPlane, Gateway, Parts, Routes, Settings};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener};
use tokio::runtime::Handle;

const KEY_ID: &str = "AKIAMEASURINGONLYKEY";
const SECRET: &str = "measuring-only/0123456789012345678901234";
const REGION: &str = "us-east-1";
const BODY: &str = "{\"instances\": [[1.0, 2.0, 3.0, 4.0]]}";
const CLIENTS: usize = 32;
const WARM_UP: Duration = Duration::from_secs(1);
const SPAN: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        self.wall()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn wall(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next() {
        Some(upstream) => {
            let upstream =
                upstream.parse().map_or_else(|_| Address::Unix(upstream.into()), Address::Tcp);
            let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:4281".to_owned());
            let gateway = start(&listen, NonZeroUsize::MIN, upstream)?;
            say(&format!(
                "http://{} key {KEY_ID} secret {SECRET} region {REGION}",
                gateway.address()
            ))?;
            tokio::signal::ctrl_c().await?;
            gateway.drain(Duration::from_secs(5)).await;
            Ok(())
        }
        None => measure().await,
    }
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

fn start(listen: &str, threads: NonZeroUsize, upstream: Address) -> io::Result<Gateway> {
    let routes = Arc::new(Routes::new());
    let instance = InstanceRoute { id: InstanceId::from_entropy(1), address: upstream };
    let variant = VariantRoute {
        name: "v".parse().map_err(io::Error::other)?,
        weight: 1.0,
        strategy: Strategy::LeastOutstanding,
        instances: vec![instance],
    };
    let endpoint = EndpointRoute { variants: vec![variant] };
    let endpoints = BTreeMap::from([("e".parse().map_err(io::Error::other)?, Arc::new(endpoint))]);
    routes.publish(Arc::new(RouteTable { endpoints }));
    let credential = Arc::new(Credential {
        access_key_id: KEY_ID.into(),
        secret: SecretKey::new(SECRET),
        session: None,
        principal: Principal {
            account: "0".into(),
            arn: "arn:aws:iam::0:root".into(),
            user_id: "0".into(),
        },
    });
    let control = ControlPlane::new(
        Handle::current(),
        Arc::new(|request: http::Request<hyper::body::Incoming>, _| {
            Box::pin(async {
                http::Response::new(request.into_body().map_err(Into::into).boxed_unsync())
            })
        }),
    );
    let credentials = Arc::new(move |id: &str| (id == KEY_ID).then(|| Arc::clone(&credential)));
    let mut settings = Settings::new(REGION, "000000000000");
    settings.threads = threads;
    Gateway::start(
        TcpListener::bind(listen)?,
        settings,
        Parts { credentials, clock: Arc::new(Wall), routes, control },
    )
}

async fn measure() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("model.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket)?;
    let model =
        std::thread::Builder::new().name("model".to_owned()).spawn(move || answer(listener))?;
    let gateway = start("127.0.0.1:0", NonZeroUsize::MIN, Address::Unix(socket))?;
    let (served, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let request = request(gateway.address())?;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(ask(
            gateway.address(),
            request.clone(),
            Arc::clone(&served),
            Arc::clone(&stop),
        ));
    }
    tokio::time::sleep(WARM_UP).await;
    let before = (served.load(Ordering::Relaxed), busy_nanos("gateway-0")?);
    tokio::time::sleep(SPAN).await;
    let requests = served.load(Ordering::Relaxed) - before.0;
    let nanos = busy_nanos("gateway-0")? - before.1;
    stop.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.map_err(io::Error::other)??;
    }
    gateway.drain(Duration::from_secs(5)).await;
    // It serves until the process ends.
    drop(model);
    say(&format!(
        "{requests} signed requests in {SPAN:?} over {CLIENTS} connections: {:.1} µs of one core each",
        std::time::Duration::from_nanos(nanos / requests.max(1)).as_secs_f64() * 1e6
    ))
}

/// Time that the thread of this name has spent on a core.
fn busy_nanos(name: &str) -> io::Result<u64> {
    for task in std::fs::read_dir("/proc/self/task")? {
        let path = task?.path();
        if std::fs::read_to_string(path.join("comm"))?.trim() == name {
            let stat = std::fs::read_to_string(path.join("schedstat"))?;
            return stat
                .split(' ')
                .next()
                .and_then(|nanos| nanos.parse().ok())
                .ok_or_else(|| io::Error::other(stat));
        }
    }
    Err(io::Error::other("there is no such thread"))
}

/// One signed request, whose signature holds for as long as the measurement takes.
fn request(address: SocketAddr) -> io::Result<Vec<u8>> {
    let mut request = http::Request::post("/endpoints/e/invocations")
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .body(())
        .map_err(io::Error::other)?;
    let secret = SecretKey::new(SECRET);
    let signer = Signer {
        access_key_id: KEY_ID,
        secret: &secret,
        session_token: None,
        region: REGION,
        service: "sagemaker",
    };
    let now = Wall.wall().as_millis() / 1000;
    auth::sign(&mut request, &auth::sigv4::sha256(BODY.as_bytes()), &signer, now)
        .map_err(io::Error::other)?;
    let mut bytes = b"POST /endpoints/e/invocations HTTP/1.1\r\n".to_vec();
    for (name, value) in request.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    write!(bytes, "content-length: {}\r\n\r\n{BODY}", BODY.len())?;
    Ok(bytes)
}

/// Sends the request over and over; all answers are as long as the first.
async fn ask(
    address: SocketAddr,
    request: Vec<u8>,
    served: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 16 * 1024];
    stream.write_all(&request).await?;
    let length = stream.read(&mut buffer).await?;
    if !buffer.starts_with(b"HTTP/1.1 200") {
        return Err(io::Error::other(String::from_utf8_lossy(&buffer[..length]).into_owned()));
    }
    while !stop.load(Ordering::Relaxed) {
        stream.write_all(&request).await?;
        stream.read_exact(&mut buffer[..length]).await?;
        served.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// A model server that is as cheap as one can be.
fn answer(listener: std::os::unix::net::UnixListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = UnixListener::from_std(listener)?;
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let (mut stream, _) = listener.accept().await?;
            connections.spawn(async move {
                let mut buffer = vec![0; 16 * 1024];
                let reply = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{BODY}", BODY.len());
                // A request is small enough to arrive in one piece.
                while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {
                    if stream.write_all(reply.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    })
}
