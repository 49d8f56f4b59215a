//! A model server's answer passed on while it is written: each of its chunks becomes a frame of AWS's event stream.
//!
//! One task per stream reads from the model server only when the client has room for what comes, so that nothing piles
//! up here, and ends for whichever reason comes first. It never decides which instance serves, and never words an error
//! that comes before the first byte; both are `forward`'s.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::{self, Instant};
use wire::event_stream;

use crate::fault::StreamFault;
use crate::gate::Ticket;
use crate::quota::Share;
use crate::recorder;
use crate::route_table::Instance;
use crate::task;
use crate::upstream::{Connection, Pool};
use crate::whole::Whole;
use crate::worker::Shared;

/// Frames that wait for the client. With one, the model server is read from while the frame before is being sent.
const FRAMES_AHEAD_MAX: usize = 1;

/// What a stream may hold of the room for bodies: a chunk as it was read (at most 64 KiB), and frames on their way.
pub(crate) const HELD_BYTES: usize = 256 * 1024;

/// A chunk shorter than this is copied into its frame.
const COPIED_BYTES_MAX: usize = 4 * 1024;

/// A model server that has begun to answer, and all that is held for it.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) connection: Connection,
    pub(crate) instance: Arc<Instance>,
    /// Keeps the instance from being stopped while the stream runs.
    pub(crate) ticket: Ticket,
    pub(crate) pool: Pool,
    pub(crate) held: Share,
    /// Counted when the model server is done with it, or it with the model server.
    pub(crate) record: recorder::Request,
}

/// What ends a stream from this side.
#[derive(Debug)]
pub(crate) struct Limit {
    /// When the request had arrived, and how long its whole answer may take from then on.
    pub(crate) since: Instant,
    pub(crate) total: Duration,
    /// How long it may go on when its instance has been taken out.
    pub(crate) drain: Duration,
    /// Hears of every route table.
    pub(crate) changes: watch::Receiver<()>,
    /// When the server stops.
    pub(crate) ending: watch::Receiver<Option<Instant>>,
}

/// Starts to pass on `first` and whatever follows it; nothing follows if there was not even a first.
pub(crate) fn start(source: Source, first: Option<Bytes>, limit: Limit) -> mpsc::Receiver<Whole> {
    let (client, frames) = mpsc::channel(FRAMES_AHEAD_MAX);
    if let Some(first) = first {
        task::spawn_local("response stream", pass_on(source, first, limit, client));
    } else {
        source.ticket.answered();
        source.pool.put(&source.instance.id, source.connection, Instant::now());
    }
    frames
}

async fn pass_on(source: Source, first: Bytes, limit: Limit, client: mpsc::Sender<Whole>) {
    // The model server's connection is closed, and its ticket given back, before the client is told: however slow the
    // client, nobody waits for it any more.
    if let Err(fault) = source.run(first, limit, &client).await {
        tracing::debug!(?fault, "a response stream broke off");
        // A client that has gone need not be told.
        let _ = client.send(fault.frame().into()).await;
    }
}

impl Source {
    /// Passes on until the end. A client that goes away ends it too, and that is nobody's fault.
    async fn run(
        self,
        first: Bytes,
        limit: Limit,
        client: &mpsc::Sender<Whole>,
    ) -> Result<(), StreamFault> {
        let Self { mut connection, instance, ticket, pool, held: _held, mut record } = self;
        let mut over = pin!(limit.reached(&ticket));
        let mut chunk = first;
        loop {
            let sent = tokio::select! {
                biased;
                fault = &mut over => return Err(record.broke_off(fault)),
                sent = client.send(framed(&chunk)) => sent,
            };
            if sent.is_err() {
                return Ok(());
            }
            let next = tokio::select! {
                biased;
                fault = &mut over => return Err(record.broke_off(fault)),
                () = client.closed() => return Ok(()),
                next = connection.next() => next,
            };
            chunk = match next {
                Ok(Some(chunk)) => chunk,
                Err(error) => {
                    tracing::debug!(%error, instance = %instance.id, "a model server's stream broke off");
                    let now = Instant::now();
                    instance.failed(&ticket, now);
                    ticket.broke_off(now);
                    return Err(record.broke_off(StreamFault::Broken));
                }
                Ok(None) => {
                    ticket.answered();
                    pool.put(&instance.id, connection, Instant::now());
                    return Ok(());
                }
            };
        }
    }
}

/// The frames of a chunk. A long one is not copied; a short one costs less if it is.
fn framed(chunk: &Bytes) -> Whole {
    if chunk.len() < COPIED_BYTES_MAX {
        return event_stream::encode_payload(chunk).into();
    }
    let mut frames = Whole::default();
    event_stream::encode_long_payload(chunk).for_each(|piece| frames.push(piece));
    frames
}

impl Limit {
    /// The limit of a stream whose request had arrived at `since`.
    pub(crate) fn of(shared: &Shared, since: Instant) -> Self {
        let limits = &shared.settings.limits;
        Self {
            since,
            total: limits.stream,
            drain: limits.stream_drain,
            changes: shared.parts.routes.changes(),
            ending: shared.ending.clone(),
        }
    }

    async fn reached(self, ticket: &Ticket) -> StreamFault {
        let Self { since, total, drain, changes, ending } = self;
        tokio::select! {
            () = time::sleep_until(since + total) => StreamFault::TimedOut { limit: total },
            () = taken_out(ticket, drain, changes) => StreamFault::TakenOut,
            () = ended(ending) => StreamFault::Stopping,
        }
    }
}

/// Until the stream's instance has been out of the routes for so long.
async fn taken_out(ticket: &Ticket, drain: Duration, mut changes: watch::Receiver<()>) {
    loop {
        if ticket.is_shut() {
            time::sleep(drain).await;
            // It may have come back meanwhile.
            if ticket.is_shut() {
                return;
            }
        }
        if changes.changed().await.is_err() {
            // Nobody publishes any more, so nothing is taken out.
            std::future::pending::<()>().await;
        }
    }
}

async fn ended(mut ending: watch::Receiver<Option<Instant>>) {
    let at = ending.wait_for(Option::is_some).await.ok().and_then(|at| *at);
    match at {
        Some(at) => time::sleep_until(at).await,
        // The gateway was dropped, and its threads drop this.
        None => std::future::pending().await,
    }
}
