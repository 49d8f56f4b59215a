//! The data directory: private, one server at a time, with the files that others read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use auth::key::{
    AccessKey, FILE_BYTES_MAX, Profile, Profiles, ROOT_KEY_ENTROPY_BYTES, parse, print, root_key,
};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// Bytes that a start must be able to write: the databases' logs and the files that tell where the server is, generously.
const START_BYTES: u64 = 128 * 1024;

/// How often the lock is tried: for a second. A server that was killed while it started a process has left the lock to
/// that process, until it runs its own program.
const LOCK_TRIES_MAX: u32 = 50;

const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The profile of the root access key.
const ROOT_PROFILE: &str = "default";

/// A data directory that this process alone serves from.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// Held open: the lock goes with it, even when the process is killed.
    _lock: File,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    #[error("the data directory {} cannot be used: {why}; choose another with --data-dir", path.display())]
    Unusable { path: PathBuf, why: std::io::Error },
    #[error(
        "the data directory {} is in use by another tidegate; stop that one, or choose another with --data-dir",
        path.display()
    )]
    InUse { path: PathBuf },
    #[error(
        "there is no room on the disk of the data directory {}; make room there, or choose another with --data-dir",
        path.display()
    )]
    NoRoom { path: PathBuf },
    #[error("{}: {why}; repair it, or remove it to have a new key made", path.display())]
    Credentials { path: PathBuf, why: String },
    #[error("no random bits are to be had: {0}")]
    NoEntropy(getrandom::Error),
}

impl DataDir {
    /// Makes the directory if it is not there, and takes it.
    pub(crate) fn open(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |why| DataDirError::Unusable { path: path.to_owned(), why };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        let path = path.canonicalize().map_err(unusable)?;
        let unusable = |why| DataDirError::Unusable { path: path.clone(), why };
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).map_err(unusable)?;
        let lock = private()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(unusable)?;
        for _ in 0..LOCK_TRIES_MAX {
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { path, _lock: lock }),
                Err(Errno::WOULDBLOCK) => pause(),
                Err(why) => return Err(DataDirError::Unusable { path, why: why.into() }),
            }
        }
        Err(DataDirError::InUse { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("state.db")
    }

    pub(crate) fn buckets(&self) -> PathBuf {
        self.path.join("s3")
    }

    /// The root access key: read from `credentials`, which is made at the first start.
    pub(crate) fn root_key(&self) -> Result<AccessKey, DataDirError> {
        let path = self.path.join("credentials");
        let malformed = |why: String| DataDirError::Credentials { path: path.clone(), why };
        let text = match fs::metadata(&path) {
            Ok(file) if file.len() > FILE_BYTES_MAX as u64 => {
                return Err(malformed("it is too long".into()));
            }
            Ok(_) => fs::read_to_string(&path).map_err(|why| malformed(why.to_string()))?,
            Err(why) if why.kind() == ErrorKind::NotFound => {
                return self.make_root_key(&path);
            }
            Err(why) => return Err(malformed(why.to_string())),
        };
        let profiles = parse(&text).map_err(|why| malformed(why.to_string()))?;
        let key = profiles.get(ROOT_PROFILE).and_then(Profile::access_key);
        key.ok_or_else(|| malformed(format!("it has no key under [{ROOT_PROFILE}]")))
    }

    fn make_root_key(&self, path: &Path) -> Result<AccessKey, DataDirError> {
        let mut entropy = [0; ROOT_KEY_ENTROPY_BYTES];
        getrandom::fill(&mut entropy).map_err(DataDirError::NoEntropy)?;
        let key = root_key(entropy);
        let profiles = Profiles::from([(ROOT_PROFILE.to_owned(), Profile::of(&key))]);
        let malformed = |why: String| DataDirError::Credentials { path: path.to_owned(), why };
        let text = print(&profiles).map_err(|why| malformed(why.to_string()))?;
        self.write(path, text.as_bytes()).map_err(|why| malformed(why.to_string()))?;
        Ok(key)
    }

    /// Writes a private file whole: a crash leaves the old one or the new one.
    fn write(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let fresh = path.with_extension("new");
        let mut file = private().create(true).truncate(true).write(true).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        File::open(&self.path)?.sync_all()
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing runs yet")]
fn pause() {
    thread::sleep(LOCK_PAUSE);
}

/// Whether the disk of the data directory has no room for a server to start. It is tried: quotas count too, and databases tell
/// a full disk in many ways.
pub(crate) fn has_no_room(data_dir: &Path) -> bool {
    let path = data_dir.join("room");
    let tried = private().create(true).truncate(true).write(true).open(&path);
    let tried = tried.and_then(|mut file| {
        io::copy(&mut io::repeat(0).take(START_BYTES), &mut file)?;
        file.sync_all()
    });
    drop(fs::remove_file(&path));
    tried.is_err_and(|why| matches!(why.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_serves_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        let why = DataDir::open(dir.path()).unwrap_err().to_string();
        assert!(why.contains("in use by another tidegate"), "{why}");
        drop(first);
        DataDir::open(dir.path()).unwrap();
    }

    #[test]
    fn the_root_key_is_made_once_and_kept_private() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let key = data.root_key().unwrap();
        assert_eq!(data.root_key().unwrap(), key);
        let mode = fs::metadata(dir.path().join("credentials")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_damaged_credentials_file_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        for text in ["aws_access_key_id = a", "[default]\naws_access_key_id = a\n", "[other]\n"] {
            fs::write(dir.path().join("credentials"), text).unwrap();
            assert!(data.root_key().is_err(), "{text}");
            assert_eq!(fs::read_to_string(dir.path().join("credentials")).unwrap(), text);
        }
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "").unwrap();
        let why = DataDir::open(&path).unwrap_err().to_string();
        assert!(why.contains("--data-dir"), "{why}");
    }
}
