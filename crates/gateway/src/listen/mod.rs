//! The one port: threads that serve its connections, and the thread that accepts them.
//!
//! Each thread has a runtime of its own and shares only what it reads. Nothing here looks into a request.

mod acceptor;
mod activity;
mod connection;
mod linger;
mod thread;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{self, Instant};

use crate::settings::Settings;
use crate::worker::{Parts, Shared};

pub(crate) use activity::Busy;

/// How far a shutdown has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// No new connections; those that are open end with the requests they are busy with.
    Draining,
    /// Everything is dropped as it is.
    Cut,
}

/// The part of a drain's time that is kept for telling those clients whose streams do not end in it.
const FAREWELL: Duration = Duration::from_secs(2);

/// A running data plane. Dropping it cuts every connection off; [`Gateway::drain`] is the polite way.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    phase: watch::Sender<Phase>,
    /// Tells the streams when they must have ended.
    ending: watch::Sender<Option<Instant>>,
    threads: Vec<JoinHandle<()>>,
    /// Closed when the last thread is done.
    running: mpsc::Receiver<()>,
    connections: Arc<Semaphore>,
    connections_max: usize,
}

/// What [`Gateway::drain`] had to leave unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still busy at the deadline, and were cut off.
    pub cut_off: usize,
}

impl Gateway {
    /// Starts the threads and serves the listener's connections from now on.
    ///
    /// # Errors
    /// A thread, a runtime or the listener could not be set up, or the system has no random numbers.
    pub fn start(listener: TcpListener, settings: Settings, parts: Parts) -> io::Result<Self> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let connections_max = settings.limits.connections.min(Semaphore::MAX_PERMITS);
        let connections = Arc::new(Semaphore::new(connections_max));
        let (phase, phases) = watch::channel(Phase::Running);
        let (ending, endings) = watch::channel(None);
        let (alive, running) = mpsc::channel(1);
        let (mut threads, mut queues) = (Vec::new(), Vec::new());
        let count = settings.threads.get();
        let certificate_check = settings.limits.certificate_check;
        let tls = settings.tls.clone();
        let shared = Shared::new(settings, parts, endings);
        for index in 0..count {
            let (queue, accepted) = mpsc::channel(acceptor::QUEUE_MAX);
            queues.push(queue);
            let start = thread::Start {
                shared: shared.clone(),
                accepted,
                phase: phases.clone(),
                alive: alive.clone(),
                seed: getrandom::u64().map_err(io::Error::other)?,
                looks: index == 0,
            };
            threads.push(thread::spawn(format!("gateway-{index}"), move || start.run())?);
        }
        let acceptor = acceptor::Acceptor {
            listener,
            queues,
            connections: Arc::clone(&connections),
            phase: phases,
            certificate: tls.map(|tls| (tls, certificate_check)),
        };
        threads.push(thread::spawn("gateway-accept".to_owned(), move || {
            let _alive = alive;
            acceptor.run()
        })?);
        Ok(Self { address, phase, ending, threads, running, connections, connections_max })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Client connections open now.
    pub fn connections(&self) -> usize {
        self.connections_max.saturating_sub(self.connections.available_permits())
    }

    /// Stops accepting, lets requests finish for at most `limit`, and ends every thread.
    pub async fn drain(mut self, limit: Duration) -> Drained {
        let farewell = FAREWELL.min(limit / 4);
        self.ending.send_replace(Some(Instant::now() + limit.saturating_sub(farewell)));
        self.phase.send_replace(Phase::Draining);
        // Nothing is ever sent: it ends when the last thread has dropped its sender.
        let in_time = time::timeout(limit, self.running.recv()).await.is_ok();
        let cut_off = if in_time { 0 } else { self.connections() };
        self.phase.send_replace(Phase::Cut);
        let threads = std::mem::take(&mut self.threads);
        let joined = tokio::task::spawn_blocking(move || threads.into_iter().for_each(join)).await;
        if let Err(error) = joined {
            tracing::error!(%error, "the gateway's threads could not be joined");
        }
        Drained { cut_off }
    }
}

fn join(thread: JoinHandle<()>) {
    let name = thread.thread().name().unwrap_or_default().to_owned();
    if thread.join().is_err() {
        tracing::error!(thread = name, "a gateway thread panicked");
    }
}
