//! Accepts connections and deals them to the threads in turn.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time;

use crate::task;
use crate::tls::Tls;

use super::{Phase, thread};

/// Connections dealt to a thread that it has not yet taken up. It takes them up between any two requests.
pub(super) const QUEUE_MAX: usize = 64;

/// The pause after accepting failed for want of something (file descriptors, memory) that only time gives back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A connection on its way to a thread.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    /// Its place among the connections there may be.
    pub(super) place: OwnedSemaphorePermit,
}

pub(super) struct Acceptor {
    pub(super) listener: std::net::TcpListener,
    pub(super) queues: Vec<mpsc::Sender<Accepted>>,
    pub(super) connections: Arc<Semaphore>,
    pub(super) phase: watch::Receiver<Phase>,
    /// What connections are encrypted with, and how often its files are looked at.
    pub(super) certificate: Option<(Arc<Tls>, Duration)>,
}

impl Acceptor {
    pub(super) fn run(self) -> io::Result<()> {
        let runtime = thread::runtime()?;
        runtime.block_on(self.accept())
    }

    async fn accept(mut self) -> io::Result<()> {
        if let Some((tls, interval)) = self.certificate.take() {
            task::spawn_local("certificate", keep_fresh(tls, interval));
        }
        let listener = TcpListener::from_std(self.listener)?;
        let mut turn = 0;
        loop {
            let next = Self::next(&listener, &self.connections);
            let accepted = tokio::select! {
                biased;
                _ = self.phase.wait_for(|phase| *phase > Phase::Running) => return Ok(()),
                accepted = next => accepted,
            };
            match accepted {
                Ok(accepted) => {
                    turn = (turn + 1) % self.queues.len();
                    if !deal(&self.queues, turn, accepted).await {
                        return Ok(());
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// The next connection. While there are as many as there may be, it waits, and those behind it in the backlog.
    async fn next(listener: &TcpListener, connections: &Arc<Semaphore>) -> io::Result<Accepted> {
        let (stream, peer) = listener.accept().await?;
        // An answer's head and body may go out in two parts, and the second must not wait for an acknowledgement.
        stream.set_nodelay(true)?;
        let place = Arc::clone(connections).acquire_owned().await.map_err(io::Error::other)?;
        // It belongs to this thread's runtime until it is taken out.
        Ok(Accepted { stream: stream.into_std()?, peer, place })
    }
}

/// Gives the connection to the thread whose turn it is, or to the next that has room; false if all threads are gone.
async fn deal(queues: &[mpsc::Sender<Accepted>], turn: usize, mut accepted: Accepted) -> bool {
    let (before, after) = queues.split_at(turn);
    for queue in after.iter().chain(before) {
        match queue.try_send(accepted) {
            Ok(()) => return true,
            Err(TrySendError::Full(back) | TrySendError::Closed(back)) => accepted = back,
        }
    }
    // Every thread is behind: whichever is slow, the rest of the backlog waits with this one.
    queues[turn].send(accepted).await.is_ok()
}

/// Looks at the certificate's files from time to time, for as long as connections are accepted.
async fn keep_fresh(tls: Arc<Tls>, interval: Duration) {
    loop {
        time::sleep(interval).await;
        let tls = Arc::clone(&tls);
        // A file system may take its time, and connections must not wait for it.
        match tokio::task::spawn_blocking(move || tls.reload()).await {
            Ok(Ok(true)) => tracing::info!("the TLS certificate was replaced"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the TLS certificate stays the old one"),
            Err(error) => tracing::error!(%error, "the TLS certificate could not be looked at"),
        }
    }
}
