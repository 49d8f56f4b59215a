//! Why an archive was refused: always naming the entry, never half done.

use std::io;

use crate::Interrupt;

/// The archive, or one of its entries, is not acceptable. `entry` is the path as the archive spells it, made printable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not gzip, a broken tar header, a wrong checksum, bytes after the end.
    #[error("it is not a whole tar.gz archive: {0}")]
    Malformed(String),
    /// Ends before its end marker.
    #[error("it is cut short{}", after(.last))]
    Truncated {
        /// The last entry that was seen, empty if none was.
        last: String,
    },
    /// A path that starts at the root.
    #[error("entry \"{entry}\" has an absolute path")]
    Absolute {
        /// The offender.
        entry: String,
    },
    /// A path that leaves its folder.
    #[error("entry \"{entry}\" leads outside the archive with \"..\"")]
    Outside {
        /// The offender.
        entry: String,
    },
    /// Links make a path mean something else later; SageMaker refuses them as well (reference/sagemaker-hosting.md, container contract).
    #[error("entry \"{entry}\" is a {kind}; put the file itself into the archive")]
    Link {
        /// The offender.
        entry: String,
        /// `symbolic link` or `hard link`.
        kind: &'static str,
    },
    /// Devices, FIFOs, sockets, sparse files and whatever else is not a file or a folder.
    #[error("entry \"{entry}\" is a {kind}; only files and folders may be in the archive")]
    NotAFile {
        /// The offender.
        entry: String,
        /// What it is.
        kind: &'static str,
    },
    /// The same file twice, or a file where another entry needs a folder.
    #[error("entry \"{entry}\" collides with an earlier entry of the archive")]
    Collision {
        /// The offender.
        entry: String,
    },
    /// Empty names, NUL bytes.
    #[error("entry \"{entry}\" has a name that no file can have")]
    BadName {
        /// The offender.
        entry: String,
    },
    /// A path, or a part of it, longer than allowed.
    #[error("entry \"{entry}\" has a path that is too long ({bytes} bytes; at most {limit})")]
    TooLong {
        /// The offender, cut.
        entry: String,
        /// Its length, or that of its longest part.
        bytes: usize,
        /// What was allowed.
        limit: usize,
    },
    /// More entries than allowed.
    #[error("it has more than {limit} entries (the first beyond them is \"{entry}\")")]
    TooMany {
        /// The first one too many.
        entry: String,
        /// What was allowed.
        limit: usize,
    },
    /// More bytes than allowed.
    #[error("it unpacks to more than {limit} bytes (at entry \"{entry}\")")]
    TooLarge {
        /// Where the limit was passed.
        entry: String,
        /// What was allowed.
        limit: u64,
    },
}

fn after(last: &str) -> String {
    if last.is_empty() { String::new() } else { format!(" after entry \"{last}\"") }
}

/// Why unpacking ended without a folder.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The archive's fault.
    #[error("the archive is refused: {0}")]
    Refused(#[from] Refusal),
    /// The disk's.
    #[error("cannot write the unpacked model")]
    Write(#[source] io::Error),
    /// Reading the archive failed, for another reason than its content.
    #[error("cannot read the archive")]
    Read(#[source] io::Error),
    /// Nobody waits any more.
    #[error(transparent)]
    Stopped(#[from] Interrupt),
}
