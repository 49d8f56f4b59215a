//! One client connection, HTTP/1.1 or HTTP/2, from its first byte to its last.
//!
//! It takes any stream, encrypted or not.

use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use http::{Request, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{self, Instant};
use tokio_io_timeout::TimeoutStream;

use crate::answer_body::AnswerBody;
use crate::control_plane::PeerInfo;
use crate::serve::serve;
use crate::settings::Limits;
use crate::task;
use crate::worker::Worker;

use super::activity::Activity;
use super::linger::Linger;

/// How long a connection that was asked to close may take for it when nothing is under way.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(5);

/// The longest head of a request. The headers of `InvokeEndpoint` come to 8 KiB at most, a session token to 4 KiB.
const HEAD_BYTES_MAX: u32 = 64 * 1024;

/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 128;

/// HTTP/2 streams that a client may have reset before they were taken up ("rapid reset"): beyond it, it is not a
/// client that changed its mind but one that makes work, and its connection ends.
const RESETS_PENDING_MAX: usize = 20;

/// HTTP/2 streams on one connection that may end in an error that the client provoked. It then ends as a whole.
const RESETS_PROVOKED_MAX: usize = 256;

/// How often an HTTP/2 client that says nothing is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Starts hyper's tasks on this thread.
#[derive(Debug, Clone, Copy)]
struct ThisThread;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for ThisThread {
    fn execute(&self, future: F) {
        task::spawn_local("HTTP/2 stream", future);
    }
}

/// How this thread speaks HTTP.
#[derive(Debug, Clone)]
pub(super) struct Http {
    builder: Builder<ThisThread>,
    idle: Duration,
    write: Duration,
}

impl Http {
    pub(super) fn new(limits: &Limits) -> Self {
        let mut builder = Builder::new(ThisThread);
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(HEAD_BYTES_MAX as usize)
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(HEAD_BYTES_MAX)
            .max_concurrent_streams(STREAMS_MAX)
            .max_pending_accept_reset_streams(RESETS_PENDING_MAX)
            .max_local_error_reset_streams(RESETS_PROVOKED_MAX)
            .keep_alive_interval(PING_INTERVAL);
        Self { builder, idle: limits.idle, write: limits.write }
    }

    /// Serves the stream until either side closes it.
    pub(super) async fn serve<S>(
        &self,
        worker: Rc<Worker>,
        stream: S,
        peer: PeerInfo,
        activity: Rc<Activity>,
    ) where
        S: AsyncRead + AsyncWrite + 'static,
    {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.write));
        let requests = Rc::clone(&activity);
        let service = service_fn(move |request: Request<Incoming>| {
            // HTTP/2 ends a stream whose request is not wanted any more, and the connection goes on.
            let is_alone = request.version() <= Version::HTTP_11;
            requests.set_sending(is_alone && !request.body().is_end_stream());
            let (worker, busy) = (Rc::clone(&worker), requests.begin());
            async move {
                let response = serve(&worker, peer, request).await;
                Ok::<_, Infallible>(response.map(|body: AnswerBody| body.with_busy(busy)))
            }
        });
        let stream = TokioIo::new(Linger::new(Box::pin(stream), Rc::clone(&activity)));
        let mut connection = pin!(self.builder.serve_connection(stream, service));
        let mut alarm = pin!(time::sleep(self.idle));
        let mut is_closing = false;
        std::future::poll_fn(|cx| {
            loop {
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    if let Err(error) = ended {
                        tracing::debug!(%error, peer = %peer.address, "a connection ended early");
                    }
                    return Poll::Ready(());
                }
                let is_asked = activity.poll_closing(cx) && !is_closing;
                if !is_asked && alarm.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                let allowed = if is_closing { CLOSE_TIME_MAX } else { self.idle };
                let idle_since = activity.idle_since();
                match verdict(is_asked, is_closing, idle_since, allowed, Instant::now()) {
                    Verdict::Close { look_again } => {
                        // hyper closes right after an answer to a body that nobody read. A connection that is idle
                        // instead has had it whole.
                        if idle_since.is_some() {
                            activity.set_sending(false);
                        }
                        is_closing = true;
                        connection.as_mut().graceful_shutdown();
                        alarm.as_mut().reset(look_again);
                    }
                    Verdict::Wait { look_again } => alarm.as_mut().reset(look_again),
                    Verdict::Drop => return Poll::Ready(()),
                }
            }
        })
        .await;
    }
}

/// What becomes of a connection that is asked to close, or whose alarm rang.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It may go on.
    Wait { look_again: Instant },
    /// It ends with the requests under way.
    Close { look_again: Instant },
    /// It was asked to close, had time for it, and has not.
    Drop,
}

fn verdict(
    is_asked: bool,
    is_closing: bool,
    idle_since: Option<Instant>,
    allowed: Duration,
    now: Instant,
) -> Verdict {
    match idle_since.map(|since| since + allowed) {
        _ if is_asked => Verdict::Close { look_again: now + CLOSE_TIME_MAX },
        None => Verdict::Wait { look_again: now + allowed },
        Some(end) if now < end => Verdict::Wait { look_again: end },
        Some(_) if is_closing => Verdict::Drop,
        Some(_) => Verdict::Close { look_again: now + CLOSE_TIME_MAX },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::IDLE_TIME_MAX;

    #[test]
    fn a_connection_closes_when_asked_or_idle_and_is_dropped_when_it_does_not() {
        let now = Instant::now() + IDLE_TIME_MAX * 2;
        let (long_ago, just_now) = (Some(now - IDLE_TIME_MAX), Some(now - CLOSE_TIME_MAX / 2));
        let close = Verdict::Close { look_again: now + CLOSE_TIME_MAX };
        let table = [
            ((true, false, None), close),
            ((true, false, just_now), close),
            ((false, false, None), Verdict::Wait { look_again: now + IDLE_TIME_MAX }),
            (
                (false, false, just_now),
                Verdict::Wait { look_again: now - CLOSE_TIME_MAX / 2 + IDLE_TIME_MAX },
            ),
            ((false, false, long_ago), close),
            ((false, true, None), Verdict::Wait { look_again: now + CLOSE_TIME_MAX }),
            ((false, true, just_now), Verdict::Wait { look_again: now + CLOSE_TIME_MAX / 2 }),
            ((false, true, long_ago), Verdict::Drop),
        ];
        for ((is_asked, is_closing, idle_since), expected) in table {
            let allowed = if is_closing { CLOSE_TIME_MAX } else { IDLE_TIME_MAX };
            let found = verdict(is_asked, is_closing, idle_since, allowed, now);
            assert_eq!(
                found, expected,
                "asked {is_asked}, closing {is_closing}, idle since {idle_since:?}"
            );
        }
    }
}
