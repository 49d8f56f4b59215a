//! One request to one instance, and its whole answer.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::time::{self, Instant};

use crate::header::CUSTOM_ATTRIBUTES;
use crate::quota::{Quota, Share};
use crate::route_table::Instance;
use crate::settings::BODY_BYTES_MAX;

use super::connection::Connection;
use super::{Cause, Failure, Outgoing, Pool, Reply, Timing};

/// How much of a model server's error is repeated to the client. Beyond it, the text says that it is not whole.
const ERROR_BODY_BYTES_MAX: usize = 64 * 1024;

/// Requests that found their pooled connection closed before anything was sent, before a new connection is opened.
/// The pool may hold many that a restarting model server closed in one go.
const STALE_CONNECTIONS_MAX: u32 = 2;

/// The path of the container's contract (`reference/sagemaker-hosting.md`, section 6).
const INVOCATIONS: &str = "/invocations";

/// A request that has been sent, and the head of its answer. Dropping it closes the connection, which is how the model
/// server learns that nobody waits any more.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) connection: Connection,
    pub(crate) response: Response<Incoming>,
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
        let Sent { connection, response } = sent;
        let read = time::timeout_at(deadline, read(response, room)).await;
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

    /// Sends the request to the instance, and waits for the head of its answer until `deadline`.
    pub(crate) async fn send(
        &self,
        instance: &Instance,
        request: &Outgoing,
        deadline: Instant,
        timing: &mut Timing,
    ) -> Result<Sent, Failure> {
        let mut stale = 0;
        loop {
            let now = Instant::now();
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
            let sending = connection.sender.try_send_request(request.to_http());
            match time::timeout_at(deadline, sending).await {
                Ok(Ok(response)) => return Ok(Sent { connection, response }),
                Ok(Err(mut error)) => {
                    // hyper gives the request back only if no byte of it has been written.
                    let unsent = error.take_message().is_some();
                    if unsent {
                        timing.sent = None;
                    }
                    match (unsent, is_pooled) {
                        (true, true) => stale += 1,
                        (true, false) => {
                            return Err(Cause::NotSent(error.into_error()).before_sending());
                        }
                        (false, _) => return Err(Cause::Broken(error.into_error()).after_sending()),
                    }
                }
                Err(_) => return Err(Cause::TimedOut.after_sending()),
            }
        }
    }
}

impl Outgoing {
    fn to_http(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(INVOCATIONS);
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        request
    }
}

async fn read(response: Response<Incoming>, room: &Quota) -> Result<Reply, Cause> {
    let (mut parts, body) = response.into_parts();
    let is_error = !parts.status.is_success();
    let limit = if is_error { ERROR_BODY_BYTES_MAX } else { BODY_BYTES_MAX };
    let mut held = room.take(0).ok_or(Cause::NoRoom)?;
    let (body, cut) = collect(body, limit, &mut held).await?;
    if cut && !is_error {
        return Err(Cause::TooLong { limit });
    }
    Ok(Reply {
        status: parts.status,
        content_type: take(&mut parts.headers, &CONTENT_TYPE),
        custom_attributes: take(&mut parts.headers, &CUSTOM_ATTRIBUTES),
        body,
        held,
        cut,
    })
}

fn take(headers: &mut HeaderMap, name: &http::HeaderName) -> Option<HeaderValue> {
    headers.remove(name)
}

/// Reads a body to its end, or to `limit` bytes and says that there is more.
async fn collect(
    mut body: Incoming,
    limit: usize,
    held: &mut Share,
) -> Result<(Bytes, bool), Cause> {
    let announced = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame.map_err(Cause::Broken)?.into_data() else { continue };
        let cut = data.len() > limit - whole.len();
        data.truncate(limit - whole.len());
        if !held.cover(whole.len() + data.len()) {
            return Err(Cause::NoRoom);
        }
        if whole.is_empty() && (cut || body.is_end_stream()) {
            // The usual answer comes in one piece, which need not be copied.
            return Ok((data, cut));
        }
        if whole.is_empty() {
            whole.reserve(announced.unwrap_or(0).min(limit));
        }
        whole.extend_from_slice(&data);
        if cut {
            return Ok((whole.freeze(), true));
        }
    }
    Ok((whole.freeze(), false))
}
