//! Stands in for the server's binary in this crate's tests: it has the hidden subcommands, a model server that does
//! nothing but answer, the misbehaviours that tests need, and a server that waits to be killed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use domain::instance::{DeploymentId, FleetId, InstanceId, Order, Resources};
use domain::time::{Clock, Timestamp};
use runtime::artifacts::{ArtifactError, Artifacts, BoxFuture};
use runtime::driver::Driver as _;
use runtime::process::{Image, ImageTable, ProcessDriver, ProcessSettings, exec, supervise};

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let word = args.next().unwrap_or_default();
    let rest: Vec<OsString> = args.collect();
    let first = rest.first().and_then(|word| word.to_str()).unwrap_or_default().to_owned();
    match word.to_str().unwrap_or_default() {
        "__supervise" => return supervise::main(rest.into_iter()),
        "__exec" => return exec::main(rest.into_iter()),
        "__serve" => serve_unix(),
        "serve" => serve_tcp(),
        "end" => return first.parse().map_or(ExitCode::FAILURE, |status: u8| status.into()),
        "chatter" => chatter(&first),
        "environment" => environment(),
        "server" => server(&rest),
        _ => return ExitCode::FAILURE,
    }
    .map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn variable(name: &str) -> io::Result<OsString> {
    std::env::var_os(name).ok_or_else(|| io::Error::other(format!("{name} is not set")))
}

fn answer(mut stream: impl Read + Write) -> io::Result<()> {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

fn serve_unix() -> io::Result<()> {
    let listener = UnixListener::bind(Path::new(&variable("TIDEGATE_BIND_TO_SOCKET")?))?;
    listener.incoming().try_for_each(|stream| answer(stream?).or(Ok(())))
}

fn serve_tcp() -> io::Result<()> {
    let port = variable("SAGEMAKER_BIND_TO_PORT")?;
    let port = port
        .to_str()
        .and_then(|port| port.parse::<u16>().ok())
        .ok_or(io::ErrorKind::InvalidInput)?;
    TcpListener::bind(("127.0.0.1", port))?
        .incoming()
        .try_for_each(|stream| answer(stream?).or(Ok(())))
}

/// Writes megabytes to both streams, and only then serves.
fn chatter(megabytes: &str) -> io::Result<()> {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    for _ in 0..megabytes.parse::<u64>().map_err(io::Error::other)? * 1024 {
        out.write_all(&[b'.'; 512])?;
        err.write_all(format!("{}\n", "e".repeat(511)).as_bytes())?;
    }
    err.write_all(b"that was all\n")?;
    serve_tcp()
}

/// Tells its environment and what else it inherited.
fn environment() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (name, value) in std::env::vars() {
        writeln!(out, "{name}={value}")?;
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    status
        .lines()
        .filter(|line| line.starts_with("SigBlk"))
        .try_for_each(|line| writeln!(out, "{line}"))?;
    for descriptor in std::fs::read_dir("/proc/self/fd")? {
        let path = descriptor?.path();
        writeln!(
            out,
            "fd {} {}",
            path.display(),
            std::fs::read_link(&path).unwrap_or_default().display()
        )?;
    }
    Ok(())
}

#[derive(Debug)]
struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn wall(&self) -> Timestamp {
        Timestamp::default()
    }
}

struct NoArtifacts;

impl Artifacts for NoArtifacts {
    fn prepare<'a>(
        &'a self,
        _: &'a str,
        _: &'a Path,
        _: Duration,
    ) -> BoxFuture<'a, Result<(), ArtifactError>> {
        Box::pin(async { Ok(()) })
    }
}

/// `server DIR ID COMMAND…`: runs one instance, says `ready` and waits to be killed.
fn server(args: &[OsString]) -> io::Result<()> {
    let words: Vec<_> = args.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let [data_dir, id, command @ ..] = &words[..] else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let entropy =
        u128::from_str_radix(id.trim_start_matches("i-"), 16).map_err(io::Error::other)?;
    let (environment, readable, writable) = <_>::default();
    let (pattern, command) = ("image".to_owned(), command.to_vec());
    let image = Image { pattern, command, environment, readable, writable };
    let images = ImageTable::new(vec![image]).map_err(io::Error::other)?;
    let exe = std::env::current_exe()?;
    let mut settings = ProcessSettings::new(data_dir.into(), exe, images, "us-east-1".into());
    settings.path = variable("PATH")?.to_string_lossy().into_owned();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let changed = Arc::new(tokio::sync::Notify::new());
        let nudge = Arc::clone(&changed);
        let nudge = Arc::new(move || nudge.notify_one());
        let driver = ProcessDriver::open(settings, Arc::new(NoArtifacts), Arc::new(NoClock), nudge)
            .map_err(io::Error::other)?;
        driver.start(order(InstanceId::from_entropy(entropy)));
        while !driver.observe().iter().any(|seen| seen.phase.is_ready()) {
            changed.notified().await;
        }
        io::stdout().write_all(b"ready\n")?;
        std::future::pending().await
    })
}

fn order(id: InstanceId) -> Order {
    let (endpoint, variant) =
        ("chat".parse().expect("a name"), "AllTraffic".parse().expect("a name"));
    Order {
        id,
        fleet: FleetId { endpoint, deployment: DeploymentId(1), variant },
        image: "image".into(),
        model_data_url: None,
        environment: BTreeMap::new(),
        resources: Resources::default(),
        download_timeout: Duration::from_mins(1),
        startup_timeout: Duration::from_mins(1),
    }
}
