//! One request to one instance, and its whole answer.

use bytes::BytesMut;
use tokio::time::{self, Instant};

use crate::quota::{Quota, Share};
use crate::route_table::Instance;
use crate::settings::BODY_BYTES_MAX;
use crate::whole::{Collected, Whole};

use super::connection::{Connection, PIECE_BYTES, Unanswered};
use super::head::Head;
use super::{Cause, Failure, Outgoing, Pool, Reply, Timing};

/// How much of a model server's error is repeated to the client. Beyond it, the text says that it is not whole.
const ERROR_BODY_BYTES_MAX: usize = 64 * 1024;

/// Requests that found their pooled connection closed before anything was sent, before a new connection is opened.
/// The pool may hold many that a restarting model server closed in one go.
const STALE_CONNECTIONS_MAX: u32 = 2;

/// A request that has been sent, and the head of its answer. Dropping it closes the connection, which is how the model
/// server learns that nobody waits any more.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) connection: Connection,
    pub(crate) head: Head,
}

impl Pool {
    /// Reads the whole answer before `deadline`.
    pub(crate) async fn whole(
        &self,
        instance: &Instance,
        sent: Sent,
        room: &Quota,
        deadline: Instant,
        timing: &mut Timing,
    ) -> Result<Reply, Failure> {
        let Sent { mut connection, head } = sent;
        let read = time::timeout_at(deadline, read(&mut connection, head, room)).await;
        let now = Instant::now();
        timing.answered = Some(now);
        let reply = match read {
            Ok(Ok(reply)) => reply,
            Ok(Err(cause)) => return Err(cause.after_sending()),
            Err(_) => return Err(Cause::TimedOut.after_sending()),
        };
        // A model server that could not answer well often closes next, and may not say so: its connection is not worth a
        // later request that would be lost with it.
        if reply.status.is_success() && !reply.cut {
            self.put(&instance.id, connection, now);
        }
        Ok(reply)
    }

    /// Sends the request to the instance `now`, and waits for the head of its answer until `deadline`.
    pub(crate) async fn send(
        &self,
        instance: &Instance,
        request: &Outgoing,
        (now, deadline): (Instant, Instant),
        timing: &mut Timing,
    ) -> Result<Sent, Failure> {
        let mut stale = 0;
        loop {
            let usable = stale < STALE_CONNECTIONS_MAX;
            let pooled = if usable { self.take(&instance.id, now) } else { None };
            let is_pooled = pooled.is_some();
            let mut connection = if let Some(connection) = pooled {
                timing.sent = Some(now);
                connection
            } else {
                let opened = Connection::open(&instance.address).await;
                let connection = opened.map_err(|error| Cause::Connect(error).before_sending())?;
                timing.sent = Some(Instant::now());
                connection
            };
            match time::timeout_at(deadline, connection.exchange(request)).await {
                Ok(Ok(head)) => return Ok(Sent { connection, head }),
                Ok(Err(Unanswered { error, was_sent: true })) => {
                    return Err(Cause::Broken(error).after_sending());
                }
                Ok(Err(Unanswered { error, was_sent: false })) => {
                    timing.sent = None;
                    if !is_pooled {
                        return Err(Cause::NotSent(error).before_sending());
                    }
                    stale += 1;
                }
                Err(_) => return Err(Cause::TimedOut.after_sending()),
            }
        }
    }
}

async fn read(connection: &mut Connection, head: Head, room: &Quota) -> Result<Reply, Cause> {
    let is_error = !head.status.is_success();
    let limit = if is_error { ERROR_BODY_BYTES_MAX } else { BODY_BYTES_MAX };
    let mut share = room.take(0).ok_or(Cause::NoRoom)?;
    let (body, cut) = match connection.announced().map(usize::try_from) {
        Some(Ok(length)) if length <= limit => {
            (known(connection, length, &mut share).await?, false)
        }
        // What is too long for an answer need not be read.
        Some(_) if !is_error => return Err(Cause::TooLong { limit }),
        _ => collect(connection, limit, &mut share).await?,
    };
    if cut && !is_error {
        return Err(Cause::TooLong { limit });
    }
    let Head { status, content_type, custom_attributes, .. } = head;
    Ok(Reply { status, content_type, custom_attributes, body, held: share, cut })
}

/// A body of known length, read into pieces of the size that it needs.
async fn known(
    connection: &mut Connection,
    length: usize,
    share: &mut Share,
) -> Result<Whole, Cause> {
    let mut whole = Whole::default();
    while whole.len() < length {
        let full = (length - whole.len()).min(PIECE_BYTES);
        let mut piece = BytesMut::with_capacity(full);
        while piece.len() < full {
            let room = full - piece.len();
            connection.read_into(&mut piece, room).await.map_err(Cause::Broken)?;
            if !share.cover(whole.len() + piece.len()) {
                return Err(Cause::NoRoom);
            }
        }
        whole.push(piece.freeze());
    }
    Ok(whole)
}

/// Reads a body to its end, or to `limit` bytes and says that there is more.
async fn collect(
    connection: &mut Connection,
    limit: usize,
    share: &mut Share,
) -> Result<(Whole, bool), Cause> {
    let mut whole = Collected::default();
    while let Some(mut data) = connection.next().await.map_err(Cause::Broken)? {
        let cut = data.len() > limit - whole.len();
        data.truncate(limit - whole.len());
        if !share.cover(whole.len() + data.len()) {
            return Err(Cause::NoRoom);
        }
        whole.push(data);
        if cut {
            return Ok((whole.finish(), true));
        }
    }
    Ok((whole.finish(), false))
}
