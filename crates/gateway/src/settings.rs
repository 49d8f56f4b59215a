//! What may be set, and the limits that bound every queue, body and wait of the data plane.
//!
//! Each limit is a named constant with its reason; [`Limits`] exists so that tests can wait milliseconds instead of a
//! minute, and so that a small machine can hold less.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use domain::fleet::DRAIN_LIMIT;
use domain::metric::Sink;

use crate::tls::Tls;

/// The largest body of a request and of an answer (`reference/sagemaker-hosting.md`, section 5, "Limits").
pub const BODY_BYTES_MAX: usize = 6_291_456;

/// How long a request may take from its last byte to the model server's last byte (same section).
pub const ANSWER_TIME_MAX: Duration = Duration::from_mins(1);

/// How long a client may take to send a body. AWS names no figure; as long as the answer may take is generous for 6 MiB.
pub const BODY_READ_TIME_MAX: Duration = Duration::from_mins(1);

/// Bytes of request and answer bodies held at once by the whole process: forty of the largest pairs there can be, or a
/// hundred thousand of the usual ones.
pub const HELD_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Requests that wait at once for an instance to become ready. Each holds its body and its connection; more of them
/// would all run into their deadline when the first instance comes up.
pub const WAITING_MAX: usize = 1024;

/// Requests at once in one instance; further ones go to another instance, or are refused. As many as may wait for the
/// first one, so that a burst which met a cold start fits into it; and a model server that has not answered so many
/// within [`ANSWER_TIME_MAX`] would answer more of them too late. Each holds a connection and its body.
pub const INSIDE_MAX: usize = 1024;

/// Copies of requests for shadow variants that one thread has under way at once. Further ones are dropped and counted as
/// the shadow's errors: what nobody waits for may pile up behind a slow model server, and each holds a connection. As
/// many as a busy model server answers in a second.
pub const COPIES_MAX: usize = 256;

/// The bodies of copies and of their answers may hold this part of [`HELD_BYTES_MAX`] beside it, so that no request is
/// ever refused for the room that copies take: one in so many.
pub const HELD_BY_COPIES: usize = 8;

/// Client connections at once. Further ones wait in the listener's backlog until one closes.
pub const CONNECTIONS_MAX: usize = 8192;

/// How long a streamed answer may take from the request's last byte to its own. Its first byte must come within
/// [`ANSWER_TIME_MAX`]. AWS's figure for the whole is not confirmed; eight minutes is long enough for the longest
/// texts that models write, and bounds those that never stop.
pub const STREAM_TIME_MAX: Duration = Duration::from_mins(8);

/// How long a stream may go on once its instance has been taken out. A little less than the instance has, so that the
/// client hears why from here before the model server is stopped.
pub const STREAM_DRAIN_TIME_MAX: Duration = DRAIN_LIMIT.saturating_sub(Duration::from_secs(2));

/// How long a client may take to send a request's head, and to begin the next one. AWS's waiters ask again over the same
/// connection after 30 or 60 seconds: one that closed at such a moment would cost them a failed call.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(75);

/// How long a connection may be open without a request under way. Longer than [`HEAD_TIME_MAX`], which answers for
/// HTTP/1.1; this one also ends idle HTTP/2 connections and those that never said anything.
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(80);

/// How long a client may refuse to take any byte of its answer.
pub const WRITE_TIME_MAX: Duration = Duration::from_secs(30);

/// How long a client may take for its part of the TLS handshake: two or three round trips and a few milliseconds of
/// arithmetic.
pub const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// How often the certificate's files are looked at. Whoever renews one does so days before the old one expires.
pub const CERTIFICATE_CHECK_INTERVAL: Duration = Duration::from_mins(1);

/// How often what was served is told to the metrics, at most. Each time costs every thread a few microseconds and a
/// variant some hundred bytes; whoever waits for a window waits for so much longer. A server whose time runs faster
/// than the wall's wants it as much shorter.
pub const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// What the server is told about itself.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Threads that serve connections; each has its own runtime and its own connections to the model servers.
    pub threads: NonZeroUsize,
    /// The region that signatures must be scoped to.
    pub region: String,
    /// The account of all endpoints: twelve digits.
    pub account: String,
    /// How far a signature's time may be off, in seconds on either side (`reference/autoscaling-and-cloudwatch.md`,
    /// section 8.4, "Skew").
    pub skew_secs: u32,
    /// What connections are encrypted with; `None` is plain HTTP.
    pub tls: Option<Arc<Tls>>,
    /// Who is told what was served, in windows of server time; `None` counts nothing.
    pub sink: Option<Arc<dyn Sink>>,
    /// How often the sink is told, at most; see [`FLUSH_INTERVAL`]. A window is told once, soon after its end.
    pub flush: Duration,
    pub limits: Limits,
}

impl Settings {
    /// A thread per core, and AWS's limits.
    pub fn new(region: impl Into<String>, account: impl Into<String>) -> Self {
        Self {
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            region: region.into(),
            account: account.into(),
            skew_secs: 15 * 60,
            tls: None,
            sink: None,
            flush: FLUSH_INTERVAL,
            limits: Limits::default(),
        }
    }
}

/// The limits that tests and small machines change; each field's constant says why it has its value.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// See [`ANSWER_TIME_MAX`].
    pub answer: Duration,
    /// See [`BODY_READ_TIME_MAX`].
    pub body_read: Duration,
    /// See [`STREAM_TIME_MAX`].
    pub stream: Duration,
    /// See [`STREAM_DRAIN_TIME_MAX`].
    pub stream_drain: Duration,
    /// See [`HEAD_TIME_MAX`].
    pub head: Duration,
    /// See [`IDLE_TIME_MAX`].
    pub idle: Duration,
    /// See [`WRITE_TIME_MAX`].
    pub write: Duration,
    /// See [`HANDSHAKE_TIME_MAX`].
    pub handshake: Duration,
    /// See [`CERTIFICATE_CHECK_INTERVAL`].
    pub certificate_check: Duration,
    /// See [`HELD_BYTES_MAX`].
    pub held_bytes: usize,
    /// See [`WAITING_MAX`].
    pub waiting: usize,
    /// See [`INSIDE_MAX`].
    pub inside: usize,
    /// See [`COPIES_MAX`].
    pub copies: usize,
    /// See [`CONNECTIONS_MAX`].
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: ANSWER_TIME_MAX,
            body_read: BODY_READ_TIME_MAX,
            stream: STREAM_TIME_MAX,
            stream_drain: STREAM_DRAIN_TIME_MAX,
            head: HEAD_TIME_MAX,
            idle: IDLE_TIME_MAX,
            write: WRITE_TIME_MAX,
            handshake: HANDSHAKE_TIME_MAX,
            certificate_check: CERTIFICATE_CHECK_INTERVAL,
            held_bytes: HELD_BYTES_MAX,
            waiting: WAITING_MAX,
            inside: INSIDE_MAX,
            copies: COPIES_MAX,
            connections: CONNECTIONS_MAX,
        }
    }
}
