//! One gateway thread: takes up the connections dealt to it, and ends when they have.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::TcpStream;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::control_plane::PeerInfo;
use crate::recorder::keep_offering;
use crate::task;
use crate::worker::{Shared, Worker};

use super::Phase;
use super::acceptor::Accepted;
use super::activity::Activity;
use super::connection::Http;

/// A runtime for the thread that calls this, and for no other.
pub(super) fn runtime() -> io::Result<LocalRuntime> {
    Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
}

/// Starts a thread of that name, and logs how it failed if it did.
pub(super) fn spawn(
    name: String,
    run: impl FnOnce() -> io::Result<()> + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.clone()).spawn(move || {
        if let Err(error) = run() {
            tracing::error!(thread = name, %error, "a gateway thread ended");
        }
    })
}

/// What a thread starts from.
pub(super) struct Start {
    pub(super) shared: Shared,
    pub(super) accepted: mpsc::Receiver<Accepted>,
    pub(super) phase: watch::Receiver<Phase>,
    /// Dropped when the thread is done.
    pub(super) alive: mpsc::Sender<()>,
    pub(super) seed: u64,
    /// Whether it is the one that counts what all of them are busy with.
    pub(super) looks: bool,
}

impl Start {
    pub(super) fn run(self) -> io::Result<()> {
        let Self { shared, accepted, phase, alive, seed, looks } = self;
        let runtime = runtime()?;
        let worker = Rc::new(Worker::new(shared, seed));
        let recorder = worker.recorder.clone();
        let looks = looks.then(|| Arc::clone(&worker.shared.parts.routes));
        let pause = worker.shared.settings.flush;
        let offering = keep_offering(recorder.clone(), pause, looks);
        runtime.block_on(async {
            task::spawn_local("metrics", offering);
            work(worker, accepted, phase).await;
        });
        // Whatever still runs is dropped with the runtime, and only then is the thread done.
        drop(runtime);
        recorder.finish();
        drop(alive);
        Ok(())
    }
}

async fn work(
    worker: Rc<Worker>,
    mut accepted: mpsc::Receiver<Accepted>,
    mut phase: watch::Receiver<Phase>,
) {
    let open = Rc::new(Open::default());
    let http = Rc::new(Http::new(&worker.shared.settings.limits));
    loop {
        tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase > Phase::Running) => break,
            next = accepted.recv() => match next {
                Some(next) => take_up(&worker, &http, &open, next),
                None => break,
            },
        }
    }
    open.close();
    tokio::select! {
        biased;
        _ = phase.wait_for(|phase| *phase > Phase::Draining) => {}
        () = open.none_left() => {}
    }
}

fn take_up(worker: &Rc<Worker>, http: &Rc<Http>, open: &Rc<Open>, accepted: Accepted) {
    let (worker, http, open) = (Rc::clone(worker), Rc::clone(http), Rc::clone(open));
    task::spawn_local("connection", async move {
        let Accepted { stream, peer, place } = accepted;
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken up");
                return;
            }
        };
        let entry = open.enter();
        let (activity, peer) = (Rc::clone(&entry.activity), PeerInfo { address: peer });
        match &worker.shared.settings.tls {
            None => http.serve(worker, stream, peer, activity).await,
            Some(tls) => {
                let acceptor = TlsAcceptor::from(tls.config());
                if let Some(stream) = shake_hands(&worker, acceptor, stream, peer).await {
                    Box::pin(http.serve(worker, stream, peer, activity)).await;
                }
            }
        }
        drop((entry, place));
    });
}

/// The encrypted stream; nothing if the client does not manage it in time.
async fn shake_hands(
    worker: &Worker,
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: PeerInfo,
) -> Option<TlsStream<TcpStream>> {
    let limit = worker.shared.settings.limits.handshake;
    match time::timeout(limit, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, peer = %peer.address, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(peer = %peer.address, "a TLS handshake took too long");
            None
        }
    }
}

/// The connections of this thread.
#[derive(Debug, Default)]
struct Open {
    activities: RefCell<HashMap<u64, Rc<Activity>>>,
    next: Cell<u64>,
    is_closing: Cell<bool>,
    closed_one: Notify,
}

impl Open {
    fn enter(self: &Rc<Self>) -> Entry {
        let (number, activity) = (self.next.get(), Activity::new());
        self.next.set(number + 1);
        if self.is_closing.get() {
            // It was dealt just before accepting ended.
            activity.close();
        }
        self.activities.borrow_mut().insert(number, Rc::clone(&activity));
        Entry { open: Rc::clone(self), number, activity }
    }

    fn close(&self) {
        self.is_closing.set(true);
        self.activities.borrow().values().for_each(|activity| activity.close());
    }

    async fn none_left(&self) {
        while !self.activities.borrow().is_empty() {
            self.closed_one.notified().await;
        }
    }
}

/// One connection's entry; dropping it takes it out, also when its task panics.
#[derive(Debug)]
struct Entry {
    open: Rc<Open>,
    number: u64,
    activity: Rc<Activity>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.open.activities.borrow_mut().remove(&self.number);
        self.open.closed_one.notify_one();
    }
}
