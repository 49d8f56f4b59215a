//! The data plane: Tidegate's one port, and inference from a client to a model server and back.
//!
//! It serves from the last route table it was given and needs neither the store nor the control plane for it
//! (invariant A3). It never reads state, never starts or stops an instance, and never forwards a byte of a body whose
//! signature has not been verified (promise T5).
//!
//! A request's way: `listen` (a connection on one of the threads, through `tls` if that is set) · `serve` (inference,
//! or the control plane's?) · `admit` (signature, size, members, permission) · `forward` (choice of an instance from the
//! `route_table` by `pick`) · `upstream` (one exchange with its model server, or the beginning of a `stream`) · an
//! answer, or a `fault`; and by `mirror`, a copy to the endpoint's shadow. A `recorder` counts it. Every thread has its own runtime, connections to the model servers, signing keys and random
//! numbers; what threads share is read without a lock.

mod admit;
mod answer_body;
mod control_plane;
mod ejection;
mod fault;
mod forward;
mod gate;
mod header;
mod listen;
mod mirror;
mod permission;
mod pick;
mod quota;
mod recorder;
mod route_table;
mod serve;
mod settings;
mod stream;
mod task;
mod tls;
mod upstream;
mod whole;
mod worker;

pub use answer_body::{BoxError, ControlBody, whole};
pub use control_plane::{BoxFuture, ControlPlane, Handler, PeerInfo, Step};
pub use listen::{Drained, Gateway};
pub use permission::{Came, Everybody, Forbidden, Permission};
pub use quota::{Quota, Share};
pub use route_table::Routes;
pub use settings::{
    ANSWER_TIME_MAX, BODY_BYTES_MAX, BODY_READ_TIME_MAX, CERTIFICATE_CHECK_INTERVAL,
    CONNECTIONS_MAX, COPIES_MAX, FLUSH_INTERVAL, HANDSHAKE_TIME_MAX, HEAD_TIME_MAX, HELD_BY_COPIES,
    HELD_BYTES_MAX, IDLE_TIME_MAX, INSIDE_MAX, Limits, STREAM_DRAIN_TIME_MAX, STREAM_TIME_MAX,
    Settings, WAITING_MAX, WRITE_TIME_MAX,
};
pub use tls::{Tls, TlsError};
#[cfg(feature = "fuzzing")]
pub use upstream::fuzzing;
pub use worker::Parts;
