//! What may be set, and the limits that bound every queue, body and wait of the data plane.
//!
//! Each limit is a named constant with its reason; [`Limits`] exists so that tests can wait milliseconds instead of a
//! minute, and so that a small machine can hold less.

use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

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

/// Client connections at once. Further ones wait in the listener's backlog until one closes.
pub const CONNECTIONS_MAX: usize = 8192;

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
    /// See [`HELD_BYTES_MAX`].
    pub held_bytes: usize,
    /// See [`WAITING_MAX`].
    pub waiting: usize,
    /// See [`CONNECTIONS_MAX`].
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: ANSWER_TIME_MAX,
            body_read: BODY_READ_TIME_MAX,
            held_bytes: HELD_BYTES_MAX,
            waiting: WAITING_MAX,
            connections: CONNECTIONS_MAX,
        }
    }
}
