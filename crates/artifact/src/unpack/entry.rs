//! What an entry's name may be, and what was there before it.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::limits::{Limits, NAME_BYTES_MAX};
use super::refusal::Refusal;

/// Bytes of a name that a message repeats; the rest is cut, since `FailureReason` holds 1,024 characters.
const SHOWN_BYTES_MAX: usize = 120;

/// What an entry is, once everything else is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
}

/// The name as a message shows it: printable, and short.
pub(crate) fn shown(raw: &[u8]) -> String {
    let cut = raw.len() > SHOWN_BYTES_MAX;
    let text = String::from_utf8_lossy(&raw[..raw.len().min(SHOWN_BYTES_MAX)]);
    let mut text: String =
        text.chars().map(|c| if c.is_control() || c == '"' { '\u{fffd}' } else { c }).collect();
    if cut {
        text.push('…');
    }
    text
}

/// The entry's place below the folder, `None` for the folder itself (`./`).
pub(crate) fn place(raw: &[u8], limits: &Limits) -> Result<Option<PathBuf>, Refusal> {
    let entry = || shown(raw);
    if raw.is_empty() || raw.contains(&0) {
        return Err(Refusal::BadName { entry: entry() });
    }
    if raw[0] == b'/' {
        return Err(Refusal::Absolute { entry: entry() });
    }
    if raw.len() > limits.path_bytes {
        return Err(Refusal::TooLong {
            entry: entry(),
            bytes: raw.len(),
            limit: limits.path_bytes,
        });
    }
    let mut path = PathBuf::new();
    for part in raw.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err(Refusal::Outside { entry: entry() }),
            part if part.len() > NAME_BYTES_MAX => {
                return Err(Refusal::TooLong {
                    entry: entry(),
                    bytes: part.len(),
                    limit: NAME_BYTES_MAX,
                });
            }
            part => path.push(OsStr::from_bytes(part)),
        }
    }
    Ok((!path.as_os_str().is_empty()).then_some(path))
}

/// Everything placed so far, folders that no entry names included.
#[derive(Debug, Default)]
pub(crate) struct Places(HashMap<PathBuf, Kind>);

impl Places {
    /// Takes `path` for an entry of `kind`; `false` if something else is in the way. A folder may be named twice, a file may not.
    pub(crate) fn take(&mut self, path: &Path, kind: Kind) -> bool {
        for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            match self.0.get(folder) {
                Some(Kind::File) => return false,
                Some(Kind::Folder) => break,
                None => {
                    self.0.insert(folder.to_owned(), Kind::Folder);
                }
            }
        }
        match self.0.insert(path.to_owned(), kind) {
            None => true,
            Some(before) => before == Kind::Folder && kind == Kind::Folder,
        }
    }

    /// Files and folders so far.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
