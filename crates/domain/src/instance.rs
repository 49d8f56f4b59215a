//! One instance of a variant: what is ordered of a driver, and what is seen of it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::name::{EndpointName, VariantName};
use crate::time::Timestamp;

/// An instance's id, of the form that AWS's log streams show: `i-` and 17 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(Arc<str>);

impl InstanceId {
    /// Makes an id of 68 random bits (the higher ones of `entropy` are not used).
    pub fn from_entropy(entropy: u128) -> Self {
        Self(format!("i-{:017x}", entropy & ((1 << 68) - 1)).into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A deployment's number, unique for the life of a data directory: the generation that fences one fleet from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeploymentId(pub u64);

/// The fleet that an instance belongs to: all instances of one are alike and interchangeable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FleetId {
    pub endpoint: EndpointName,
    pub deployment: DeploymentId,
    pub variant: VariantName,
}

/// Where a model server listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    Tcp(SocketAddr),
    /// A Unix socket, which no other user reaches.
    Unix(PathBuf),
}

/// What an instance may use of the machine; `None` is no bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resources {
    /// Processors, at least 1.
    pub cpus: Option<u32>,
    /// Memory of each of its processes, in bytes.
    pub memory_bytes: Option<u64>,
}

/// What a driver needs to know to run one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub id: InstanceId,
    pub fleet: FleetId,
    /// `CreateModel`'s Image.
    pub image: String,
    /// Where the model's archive lies; a model may have none.
    pub model_data_url: Option<String>,
    /// `CreateModel`'s Environment.
    pub environment: BTreeMap<String, String>,
    pub resources: Resources,
    /// Wall time that fetching and unpacking may take.
    pub download_timeout: Duration,
    /// Wall time from the start of the model server to its first good `/ping`.
    pub startup_timeout: Duration,
}

/// What a driver sees of an instance now. A driver tells of every instance until it is told to forget it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    pub id: InstanceId,
    pub fleet: FleetId,
    pub phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The artefact is being fetched and unpacked.
    Preparing,
    /// The model server runs and has not yet answered `/ping` with 200.
    Starting,
    /// `/ping` answers 200; requests may be sent.
    Ready { address: Address },
    /// Told to stop; it may still be running.
    Stopping,
    /// Nothing of it is left running.
    Exited(Exit),
}

impl Phase {
    /// Whether the instance counts towards its fleet.
    pub const fn is_alive(&self) -> bool {
        matches!(self, Self::Preparing | Self::Starting | Self::Ready { .. })
    }

    pub const fn is_ready(&self) -> bool {
        matches!(self, Self::Ready { .. })
    }
}

/// How an instance ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    pub cause: ExitCause,
    /// Whether it had ever answered `/ping` with 200.
    pub was_ready: bool,
    /// Wall time, as [`crate::time::Clock::steady`] tells it.
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitCause {
    /// It was told to stop.
    Stopped,
    /// No runtime knows the image; the text names the `[[image]]` entry to add.
    UnknownImage(String),
    /// The artefact could not be fetched or unpacked; the text says which and why.
    Artifact(String),
    /// The command could not be started.
    Launch(String),
    /// The model server ended by itself: `exit status 1`, `signal 9`.
    Ended { status: String, last_words: String },
    /// It never answered `/ping` with 200 within the time allowed.
    NeverReady { waited: Duration, last_words: String },
    /// It was ready once, and then stopped answering `/ping`.
    Unresponsive { last_words: String },
}
