//! Where what model servers write is kept and read: files, their bounds, and queries over them.
//!
//! A log stream is one instance's output, and outlives the instance. Writing never waits: one thread writes for all,
//! and lines that find its queue full are dropped and counted. Reading is bounded in bytes, and sees a consistent cut
//! of everything written. Nothing here knows AWS's API, and nothing reads a clock.

mod bounds;
mod event;
mod keep;
mod pattern;
mod read;

use std::fmt;

use domain::instance::InstanceId;
use domain::name::{EndpointName, VariantName};

pub use bounds::{Bounds, EVENT_BYTES_MAX};
pub use event::{Event, EventId};
pub use keep::{Log, Logs, Output};
pub use pattern::{Pattern, PatternError};
pub use read::{
    BoxFuture, Busy, Direction, Empty, EventPage, Group, Place, Query, Read, Stream, StreamPage,
    StreamPosition, StreamQuery,
};

/// A stream's name, unique within its group: `<Variant>/<instance-id>` (`reference/sagemaker-hosting.md`, section 6).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamName(std::sync::Arc<str>);

impl StreamName {
    /// The stream of one instance.
    pub fn new(variant: &VariantName, instance: &InstanceId) -> Self {
        Self(format!("{variant}/{instance}").into())
    }

    /// A name that came from a client; it need not be that of any stream.
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn variant(&self) -> &str {
        self.0.split_once('/').map_or("", |(variant, _)| variant)
    }

    pub fn instance(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, instance)| instance)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Whose log a stream is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamKey {
    pub endpoint: EndpointName,
    pub stream: StreamName,
}
