//! Where safe updates are kept between two runs of the program: a file for each endpoint of a server, below the user's state.
//!
//! What stands in one is `safe_update::journal`'s matter. A file is replaced whole, and it is on
//! disk when [`Held::write`] returns. Whoever changes one holds its lock, so that an endpoint is updated by one process.

#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use domain::safe_update::Run;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use safe_update::journal::{JournalError, Whose};

use crate::Error;
use crate::environment::{Environment, variable};

/// The longest journal. A target's two hundred scheduled actions and its policies are some hundred kilobytes.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The longest process id, and a line end.
const PID_BYTES_MAX: u64 = 16;

/// The file of one endpoint, which need not exist.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    whose: Whose,
    folder: PathBuf,
    stem: String,
}

/// The file, and the right to change it until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    place: Place,
    /// Its lock is given back when it is closed, however the process ends.
    _lock: File,
}

impl Place {
    pub(crate) fn of(whose: Whose, environment: &Environment) -> Result<Self, Error> {
        let Whose { url, account, region, endpoint } = &whose;
        let key = auth::sigv4::sha256(format!("{url}\n{account}\n{region}\n{endpoint}").as_bytes());
        let hash = key.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        // A name as SageMaker has them is safe in a path.
        let stem = format!("{endpoint}-{hash:016x}");
        Ok(Self { whose, folder: folder(environment)?, stem })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.stem))
    }

    /// The last update, finished or not; `None` if there was none.
    pub(crate) fn read(&self) -> Result<Option<Run>, Error> {
        let path = self.path();
        let Some(text) = text(&path)? else { return Ok(None) };
        safe_update::journal::read(&text, &self.whose)
            .map(Some)
            .map_err(|why| Error::Malformed { path, problem: why.to_string() })
    }

    /// Takes the lock, or says who has it.
    pub(crate) fn hold(self) -> Result<Held, Error> {
        let make = |cause| Error::File { action: "make", path: self.folder.clone(), cause };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(make)?;
        // One that somebody else has made is the user's alone from now on.
        fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o700)).map_err(make)?;
        let path = self.folder.join(format!("{}.lock", self.stem));
        let failed = |cause| Error::File { action: "lock", path: path.clone(), cause };
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(taken(&lock, &path)),
            Err(error) => return Err(failed(error.into())),
        }
        lock.set_len(0).map_err(failed)?;
        writeln!(lock, "{}", std::process::id()).map_err(failed)?;
        Ok(Held { place: self, _lock: lock })
    }
}

impl Held {
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Puts the run in the place of what was there. A crash leaves the one or the other. Fails in a sentence.
    pub(crate) fn write(&self, run: &Run) -> Result<(), String> {
        let text = safe_update::journal::write(&self.place.whose, run)?;
        let path = self.place.path();
        self.replace(&text).map_err(|cause| format!("cannot write {}: {cause}", path.display()))
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(io::Error::other(format!(
                "the journal is longer than {FILE_BYTES_MAX} bytes"
            )));
        }
        // What a crash has left under this name is overwritten: nobody else writes while we hold the lock.
        let new = self.place.folder.join(format!("{}.new", self.place.stem));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, self.place.path())?;
        File::open(&self.place.folder)?.sync_all()
    }
}

/// A file of at most so many bytes, or nothing.
fn text(path: &Path) -> Result<Option<String>, Error> {
    let failed = |cause| Error::File { action: "read", path: path.to_owned(), cause };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    let text = String::from_utf8(bytes).ok();
    let text = text.filter(|text| text.len() as u64 <= FILE_BYTES_MAX);
    let problem = || JournalError::Other.to_string();
    text.map(Some).ok_or_else(|| Error::Malformed { path: path.to_owned(), problem: problem() })
}

fn taken(lock: &File, path: &Path) -> Error {
    let mut pid = String::new();
    let whose = match lock.take(PID_BYTES_MAX).read_to_string(&mut pid) {
        Ok(_) if !pid.trim().is_empty() => format!("process {}", pid.trim()),
        _ => "another process".to_owned(),
    };
    Error::Usage(format!(
        "{whose} is updating this endpoint (it holds {}); wait for it, or end it and go on with --resume or --undo",
        path.display()
    ))
}

/// `$XDG_STATE_HOME/tidegate/journal`, else `$HOME/.local/state/tidegate/journal`.
fn folder(environment: &Environment) -> Result<PathBuf, Error> {
    let absolute =
        |name| variable(environment, name).map(Path::new).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").map(Path::to_owned);
    let base = base.or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    base.map(|base| base.join("tidegate/journal")).ok_or(Error::NoStateDir)
}
