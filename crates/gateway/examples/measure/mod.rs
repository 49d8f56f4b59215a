//! What a request costs the gateway's thread: two gateways side by side, clients before them and a model server behind.
//!
//! Shared by the examples that measure; it is no example itself.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use auth::{Credential, Credentials, Principal, SecretKey, Signer};
use domain::instance::{Address, InstanceId};
use domain::metric::Sink;
use domain::route::{EndpointRoute, InstanceRoute, RouteTable, Strategy, Traffic, VariantRoute};
use domain::time::{Clock, Timestamp};
use gateway::{ControlPlane, Everybody, Gateway, Parts, Permission, Routes, Settings, Step};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener};
use tokio::runtime::Handle;

pub(crate) const KEY_ID: &str = "AKIAMEASURINGONLYKEY";
pub(crate) const SECRET: &str = "measuring-only/0123456789012345678901234";
pub(crate) const REGION: &str = "us-east-1";
const BODY: &str = "{\"instances\": [[1.0, 2.0, 3.0, 4.0]]}";
pub(crate) const CLIENTS: usize = 32;
const WARM_UP: Duration = Duration::from_secs(1);
/// The sides take turns, so that a slow moment of the machine meets both.
const TURN: Duration = Duration::from_millis(250);
pub(crate) const TURNS: usize = 80;

#[derive(Debug)]
pub(crate) struct Wall;

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

pub(crate) fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// What two gateways may differ in.
pub(crate) struct Way {
    pub(crate) size: Size,
    /// How often one of the endpoints gets other instances.
    pub(crate) update_every: Option<Duration>,
    pub(crate) credentials: Arc<dyn Credentials + Send + Sync>,
    pub(crate) permission: Arc<dyn Permission>,
    pub(crate) sink: Option<Arc<dyn Sink>>,
}

impl Way {
    /// One key, which may do everything; and no metrics.
    pub(crate) fn plain() -> Self {
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
        let find = move |id: &str| (id == KEY_ID).then(|| Arc::clone(&credential));
        let size = Size { endpoints: 1, variants: 1, instances: 1 };
        Self {
            size,
            update_every: None,
            credentials: Arc::new(find),
            permission: Arc::new(Everybody),
            sink: None,
        }
    }
}

fn endpoint_name(number: u32) -> String {
    if number == 0 { "e".to_owned() } else { format!("e{number}") }
}

/// How many endpoints a route table has, of how many variants, of how many instances each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) endpoints: u32,
    pub(crate) variants: u32,
    pub(crate) instances: u32,
}

impl Size {
    /// Endpoint `e` with its variants `v0`, `v1` and so on, and others like it; all instances are the one model server.
    pub(crate) fn table(self, upstream: &Address) -> io::Result<RouteTable> {
        let mut endpoints = BTreeMap::new();
        for endpoint in 0..self.endpoints {
            let name = endpoint_name(endpoint).parse().map_err(io::Error::other)?;
            endpoints.insert(name, Arc::new(self.endpoint((endpoint, 0), upstream)?));
        }
        Ok(RouteTable { endpoints })
    }

    /// One of the endpoints, after so many updates, each of which gave it other instances.
    fn endpoint(
        self,
        (endpoint, updates): (u32, u32),
        upstream: &Address,
    ) -> io::Result<EndpointRoute> {
        let mut variants = Vec::new();
        for variant in 0..self.variants {
            let instance = |number| {
                let parts = [updates, endpoint, variant, number].map(u128::from);
                let bits = parts.into_iter().fold(0, |bits, part| bits << 16 | part);
                InstanceRoute { id: InstanceId::from_entropy(bits), address: upstream.clone() }
            };
            variants.push(VariantRoute {
                // Names of one length: clients count on answers that are as long as the first.
                name: format!("v{variant}").parse().map_err(io::Error::other)?,
                weight: 1.0,
                strategy: Strategy::LeastOutstanding,
                instances: (0..self.instances).map(instance).collect(),
            });
        }
        Ok(EndpointRoute { variants, shadow: None })
    }
}

/// A gateway of one thread in front of a model server, which is variant `v0` of endpoint `e`.
pub(crate) fn start(
    listen: &str,
    upstream: &Address,
    way: Way,
) -> io::Result<(Gateway, Arc<Routes>)> {
    let routes = Arc::new(Routes::new());
    routes.publish(Arc::new(way.size.table(upstream)?));
    let control = ControlPlane::new(
        Handle::current(),
        Arc::new(|request: http::Request<hyper::body::Incoming>, _| {
            let echo = http::Response::new(request.into_body().map_err(Into::into).boxed_unsync());
            Box::pin(async { Step::Answered(echo) })
        }),
    );
    let mut settings = Settings::new(REGION, "000000000000");
    settings.threads = NonZeroUsize::MIN;
    settings.sink = way.sink;
    let published = Arc::clone(&routes);
    let gateway = Gateway::start(
        TcpListener::bind(listen)?,
        settings,
        Parts {
            credentials: way.credentials,
            permission: way.permission,
            clock: Arc::new(Wall),
            routes,
            control,
        },
    )?;
    Ok((gateway, published))
}

/// Gives the last endpoint of a table other instances, again and again, until nobody else holds the routes.
#[expect(
    clippy::disallowed_methods,
    reason = "a thread of its own, that the gateway's do not wait for"
)]
fn keep_updating(
    routes: &Arc<Routes>,
    size: Size,
    every: Duration,
    upstream: &Address,
) -> io::Result<()> {
    let mut table = size.table(upstream)?;
    let last = endpoint_name(size.endpoints.saturating_sub(1)).parse().map_err(io::Error::other)?;
    for updates in 1..1 << 16 {
        std::thread::sleep(every);
        if Arc::strong_count(routes) == 1 {
            break;
        }
        let updated = size.endpoint((size.endpoints.saturating_sub(1), updates), upstream)?;
        table.endpoints.insert(Clone::clone(&last), Arc::new(updated));
        routes.publish(Arc::new(table.clone()));
    }
    Ok(())
}

/// One gateway, and what it has cost.
struct Side {
    gateway: Gateway,
    /// The number of its one thread.
    thread: String,
    clients: Vec<Client>,
    served: u64,
    nanos_each: Vec<f64>,
}

impl Side {
    async fn start(upstream: Address, way: Way) -> io::Result<Self> {
        let before = threads()?;
        let (size, update_every) = (way.size, way.update_every);
        let (gateway, routes) = start("127.0.0.1:0", &upstream, way)?;
        if let Some(every) = update_every {
            drop(std::thread::spawn(move || keep_updating(&routes, size, every, &upstream)));
        }
        let request = request(gateway.address())?;
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(Client::connect(gateway.address(), request.clone()).await?);
        }
        // By now it has its name.
        let mut threads = threads()?;
        threads.retain(|thread| !before.contains(thread));
        let thread = threads.pop().ok_or_else(|| io::Error::other("there is no new thread"))?;
        let served = u64::try_from(CLIENTS).unwrap_or(u64::MAX);
        Ok(Self { gateway, thread, clients, served, nanos_each: Vec::new() })
    }

    async fn take_turn(&mut self, span: Duration) -> io::Result<()> {
        let before = busy_nanos(&self.thread)?;
        let end = tokio::time::Instant::now() + span;
        let mut load = tokio::task::JoinSet::new();
        for client in self.clients.drain(..) {
            load.spawn(client.ask_until(end));
        }
        let mut served = 0;
        while let Some(ended) = load.join_next().await {
            let (client, count) = ended.map_err(io::Error::other)??;
            self.clients.push(client);
            served += count;
        }
        let nanos = busy_nanos(&self.thread)? - before;
        self.served += served;
        // Both are far from where a double would round them.
        self.nanos_each.push(Duration::from_nanos(nanos).as_secs_f64() * 1e9 / exact(served));
        Ok(())
    }

    fn median(&self) -> f64 {
        median(self.nanos_each.iter().copied())
    }
}

fn median(all: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn exact(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// What the same requests cost in two ways.
pub(crate) struct Compared {
    /// Requests of both, and of the second alone.
    pub(crate) requests: u64,
    pub(crate) of_second: u64,
    /// Nanoseconds of a core each, medians of [`TURNS`] turns.
    pub(crate) first_nanos: f64,
    pub(crate) second_nanos: f64,
    /// The second by the first, of neighbouring turns.
    pub(crate) ratio: f64,
}

/// Measures two gateways in turns, in front of one model server.
pub(crate) async fn compare(first: Way, second: Way) -> io::Result<Compared> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("model.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket)?;
    // It serves until the process ends.
    drop(std::thread::Builder::new().name("model".to_owned()).spawn(move || answer(listener))?);
    let upstream = || Address::Unix(socket.clone());
    let mut off = Side::start(upstream(), first).await?;
    let mut on = Side::start(upstream(), second).await?;
    for side in [&mut off, &mut on] {
        side.take_turn(WARM_UP).await?;
        side.nanos_each.clear();
    }
    for turn in 0..TURNS {
        let sides = if turn % 2 == 0 { [&mut off, &mut on] } else { [&mut on, &mut off] };
        for side in sides {
            side.take_turn(TURN).await?;
        }
    }
    // Of neighbouring turns, which the machine has treated alike.
    let ratio = median(on.nanos_each.iter().zip(&off.nanos_each).map(|(on, off)| on / off));
    let compared = Compared {
        requests: off.served + on.served,
        of_second: on.served,
        first_nanos: off.median(),
        second_nanos: on.median(),
        ratio,
    };
    for side in [off, on] {
        drop(side.clients);
        side.gateway.drain(Duration::from_secs(5)).await;
    }
    Ok(compared)
}

/// The threads that serve connections.
fn threads() -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for task in std::fs::read_dir("/proc/self/task")? {
        let task = task?;
        if std::fs::read_to_string(task.path().join("comm"))?.trim() == "gateway-0" {
            found.push(task.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

/// Time that a thread has spent on a core.
fn busy_nanos(thread: &str) -> io::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{thread}/schedstat"))?;
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.ok_or_else(|| io::Error::other(stat))
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

/// A connection that sends one request over and over; all answers are as long as the first.
struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Client {
    async fn connect(address: SocketAddr, request: Vec<u8>) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut answer = vec![0; 16 * 1024];
        stream.write_all(&request).await?;
        let length = stream.read(&mut answer).await?;
        answer.truncate(length);
        if !answer.starts_with(b"HTTP/1.1 200") {
            return Err(io::Error::other(String::from_utf8_lossy(&answer).into_owned()));
        }
        Ok(Self { stream, request, answer })
    }

    /// Gives itself back, and how often it was answered.
    async fn ask_until(mut self, end: tokio::time::Instant) -> io::Result<(Self, u64)> {
        let mut count = 0;
        while tokio::time::Instant::now() < end {
            self.stream.write_all(&self.request).await?;
            self.stream.read_exact(&mut self.answer).await?;
            count += 1;
        }
        Ok((self, count))
    }
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
