//! One thread's connections to the model servers, and one exchange over them.
//!
//! Nothing here knows who called or how the answer is worded; it sends `POST /invocations` and says what came of it.
//! A request that may have reached a model server is never sent again (`reference/sagemaker-hosting.md` has no retry
//! either): only what provably was not sent is safe to try elsewhere.

mod body;
mod chunks;
mod connection;
mod exchange;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod head;
mod pool;
mod socket;

use http::{HeaderName, HeaderValue, StatusCode};
use tokio::time::Instant;

use crate::quota::Share;
use crate::whole::Whole;

pub(crate) use connection::Connection;
pub(crate) use exchange::Sent;
pub(crate) use pool::Pool;

/// What goes to the model server.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// Only what the model server may see.
    pub(crate) headers: Headers,
    pub(crate) body: Whole,
}

/// A few headers in their order, that nobody looks up by name.
pub(crate) type Headers = Vec<(HeaderName, HeaderValue)>;

/// What the model server answered, whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) custom_attributes: Option<HeaderValue>,
    pub(crate) body: Whole,
    /// The body's part of what the process may hold.
    pub(crate) held: Share,
    /// The body of an error was longer than is repeated to a client; `body` is its beginning.
    pub(crate) cut: bool,
}

/// When a model server had a request. The readings are those that the pool needs anyway.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timing {
    /// Just before the first byte went out; absent while none has.
    pub(crate) sent: Option<Instant>,
    /// When the whole answer was here; absent until then.
    pub(crate) answered: Option<Instant>,
}

/// Why there is no reply, and whether the request may be sent to another instance.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub(crate) struct Failure {
    pub(crate) replay: Replay,
    pub(crate) cause: Cause,
}

impl Failure {
    /// Whether another instance may get the request.
    pub(crate) fn may_try_another_instance(&self) -> bool {
        self.replay == Replay::Safe
    }
}

/// Whether sending a request once more could make a model server do it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replay {
    /// No byte of it was sent.
    Safe,
    /// It was sent, or may have been.
    Never,
}

/// What went wrong between the gateway and a model server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("could not connect to the model server")]
    Connect(#[source] std::io::Error),
    #[error("the model server's connection closed before the request was sent")]
    NotSent(#[source] std::io::Error),
    #[error("the model server did not answer in time")]
    TimedOut,
    #[error("the model server's answer broke off")]
    Broken(#[source] std::io::Error),
    #[error("the model server's answer is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the process holds as many bytes of bodies as it may")]
    NoRoom,
}

impl Cause {
    /// The request did not leave: sending it elsewhere cannot double it.
    fn before_sending(self) -> Failure {
        Failure { replay: Replay::Safe, cause: self }
    }

    /// The request left, or part of it may have.
    pub(crate) fn after_sending(self) -> Failure {
        Failure { replay: Replay::Never, cause: self }
    }
}
