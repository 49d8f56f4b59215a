//! Everything that can make a command fail, in words that name the thing, the rule and the way out.

use std::io;
use std::path::PathBuf;

use crate::target::Origin;

/// Why a command failed. `Display` is what the user reads after `error: `; a hint comes on a line of its own.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "no data directory: neither --data-dir nor TIDEGATE_DATA_DIR names one, and neither XDG_DATA_HOME nor HOME is an \
         absolute path"
    )]
    NoDataDir,
    #[error(
        "no place for the journal of safe updates: neither XDG_STATE_HOME nor HOME is an absolute path"
    )]
    NoStateDir,
    #[error("no server runs on {} (it has no server.json); start one with: {start}", data_dir.display())]
    NoServer { data_dir: PathBuf, start: String },
    #[error("{}: {problem}", path.display())]
    Malformed { path: PathBuf, problem: String },
    #[error("{url} ({origin}) {rule}")]
    Url { url: String, origin: Origin, rule: &'static str },
    #[error("no profile `{name}` in {files}; create it, or name another with --profile")]
    NoProfile { name: String, files: String },
    #[error("no access key for {url}: {tried}")]
    NoKey { url: String, tried: String },
    #[error("{problem}")]
    Unreachable { problem: String },
    #[error("{operation}: no answer from {url} within {secs} s")]
    TimedOut { operation: &'static str, url: String, secs: u64 },
    #[error("{operation}: {problem}")]
    Transport { operation: &'static str, problem: String },
    #[error("{0}")]
    Refused(Box<Refusal>),
    #[error("{operation}: the answer is not what its model says: {problem}")]
    Answer { operation: &'static str, problem: String },
    #[error("{0}")]
    Usage(String),
    #[error("cannot {action} {}: {cause}", path.display())]
    File { action: &'static str, path: PathBuf, cause: io::Error },
    #[error("cannot write the output: {0}")]
    Output(io::Error),
    #[error("the reader of the output has gone")]
    ClosedPipe,
    #[error("{0}")]
    Failed(String),
}

/// An error that the service answered.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation}: {code}: {message}{}", hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default())]
pub struct Refusal {
    pub operation: &'static str,
    pub code: String,
    pub message: String,
    pub status: u16,
    /// What the user can do about it, where we know.
    pub hint: Option<String>,
}

impl Error {
    /// The service's refusal, if that is what this is.
    pub fn refusal(&self) -> Option<&Refusal> {
        if let Self::Refused(refusal) = self { Some(refusal) } else { None }
    }

    /// Whether the service says that it was asked too often (`reference/autoscaling-and-cloudwatch.md`, section 1.1).
    pub(crate) fn is_throttled(&self) -> bool {
        let codes = ["Throttling", "ThrottlingException", "RequestLimitExceeded"];
        self.refusal().is_some_and(|refusal| codes.contains(&refusal.code.as_str()))
    }

    /// Whether SageMaker says that the thing does not exist. It has no code of its own for that: the text tells
    /// (`reference/sagemaker-hosting.md`, section 1.1).
    pub(crate) fn is_not_found(&self) -> bool {
        self.refusal().is_some_and(|refusal| {
            refusal.code == "ValidationException" && refusal.message.starts_with("Could not find")
        })
    }

    #[must_use]
    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.hint = hint.or_else(|| refusal.hint.take());
        }
        self
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::Output(error)
        }
    }
}
