//! The files that hold objects' bytes: written once, never changed, found by number.
//!
//! A blob is `N.part` while it is written and `N` once its bytes are on the disk; only then may the index name it. What the
//! index does not name is swept at the next start. This must not know keys or buckets.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::fault::{Faults, Step};
use super::space;

/// Ends the name of a blob in the making.
const PART: &str = "part";

/// The folder of blobs.
#[derive(Debug)]
pub(super) struct Blobs {
    dir: PathBuf,
    /// Held open to sync the folder's entries.
    folder: File,
    next: AtomicU64,
    pins: Mutex<Pins>,
    pub(super) faults: Faults,
}

/// Blobs that are being read outlive their last mention in the index until the last reader is done.
#[derive(Debug, Default)]
struct Pins {
    readers: HashMap<u64, usize>,
    doomed: HashSet<u64>,
}

impl Blobs {
    pub(super) fn open(dir: PathBuf) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let folder = File::open(&dir)?;
        Ok(Self {
            dir,
            folder,
            next: AtomicU64::new(1),
            pins: Mutex::default(),
            faults: Faults::default(),
        })
    }

    /// Whether any finished blob lies here.
    pub(super) fn any(&self) -> io::Result<bool> {
        for found in fs::read_dir(&self.dir)? {
            if number(&found?.path()).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes what `named` does not hold: uploads that were cut off, and blobs whose object went while the process died.
    /// Returns the numbers that `named` holds and the disk does not.
    pub(super) fn sweep(&self, mut named: HashSet<u64>) -> io::Result<HashSet<u64>> {
        let mut highest = named.iter().copied().max().unwrap_or(0);
        for found in fs::read_dir(&self.dir)? {
            let path = found?.path();
            match number(&path) {
                Some(number) if named.remove(&number) => {}
                Some(number) => {
                    highest = highest.max(number);
                    fs::remove_file(&path)?;
                }
                None if path.extension().is_some_and(|extension| extension == PART) => {
                    fs::remove_file(&path)?;
                }
                None => tracing::warn!(path = %path.display(), "not a blob; left alone"),
            }
        }
        self.next.store(highest + 1, Ordering::Relaxed);
        Ok(named)
    }

    /// Begins a blob.
    pub(super) fn create(self: &Arc<Self>) -> io::Result<Draft> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.faults.at(Step::CreateBlob)?;
        let path = self.path(number).with_extension(PART);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Draft { blobs: Arc::clone(self), number, path, file: Some(file), size: 0 })
    }

    pub(super) fn open_blob(&self, number: u64) -> io::Result<File> {
        File::open(self.path(number))
    }

    /// Keeps `numbers` on disk until the pin is dropped. Call it while the index still names them and cannot change.
    pub(super) fn pin(self: &Arc<Self>, numbers: Vec<u64>) -> Pin {
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        for number in &numbers {
            *pins.readers.entry(*number).or_insert(0) += 1;
        }
        Pin { blobs: Arc::clone(self), numbers }
    }

    /// Deletes blobs that the index no longer names, at once or after their last reader. A failure costs room until the next
    /// start, not correctness.
    pub(super) fn discard(&self, numbers: &[u64]) {
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        for number in numbers {
            if pins.readers.contains_key(number) {
                pins.doomed.insert(*number);
            } else {
                self.remove(&self.path(*number));
            }
        }
    }

    fn remove(&self, path: &Path) {
        let removed = self.faults.at(Step::DiscardBlob).and_then(|()| fs::remove_file(path));
        if let Err(error) = removed {
            tracing::warn!(path = %path.display(), %error, "cannot delete a blob that nothing names; the next start will");
        }
    }

    fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{number:016x}"))
    }
}

fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    (name.len() == 16).then(|| u64::from_str_radix(name, 16).ok()).flatten()
}

/// A blob being written. Dropped unsealed, it is removed.
#[derive(Debug)]
pub(super) struct Draft {
    blobs: Arc<Blobs>,
    number: u64,
    path: PathBuf,
    file: Option<File>,
    size: u64,
}

impl Draft {
    /// Appends. Refuses while the disk is nearly full, so that the index can still be written.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.blobs.faults.at(Step::WriteBlob)?;
        space::check(&self.blobs.folder, bytes.len())?;
        let file = self.file.as_mut().ok_or_else(|| io::Error::other("the blob is sealed"))?;
        file.write_all(bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Brings the bytes and the name to the disk. After this the index may name the blob.
    pub(super) fn seal(mut self) -> io::Result<Sealed> {
        self.blobs.faults.at(Step::SyncBlob)?;
        if let Some(file) = self.file.take() {
            file.sync_all()?;
        }
        self.blobs.faults.at(Step::NameBlob)?;
        let path = self.blobs.path(self.number);
        fs::rename(&self.path, &path)?;
        // From here on the finished name is what a failure must remove.
        let sealed = Sealed {
            blobs: Arc::clone(&self.blobs),
            number: self.number,
            size: self.size,
            kept: false,
        };
        self.path = PathBuf::new();
        self.blobs.faults.at(Step::SyncFolder)?;
        self.blobs.folder.sync_all()?;
        Ok(sealed)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() && !self.blobs.faults.dead() {
            self.blobs.remove(&self.path);
        }
    }
}

/// A blob on the disk that the index does not name yet. Dropped unkept, it is removed.
#[derive(Debug)]
pub(super) struct Sealed {
    blobs: Arc<Blobs>,
    number: u64,
    size: u64,
    kept: bool,
}

impl Sealed {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The index names it, or may name it after a crash: the next sweep decides.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        if !self.kept && !self.blobs.faults.dead() {
            self.blobs.remove(&self.blobs.path(self.number));
        }
    }
}

/// See [`Blobs::pin`].
#[derive(Debug)]
pub(super) struct Pin {
    blobs: Arc<Blobs>,
    numbers: Vec<u64>,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = self.blobs.pins.lock().unwrap_or_else(PoisonError::into_inner);
        for number in &self.numbers {
            let left = pins.readers.get_mut(number).map_or(0, |count| {
                *count -= 1;
                *count
            });
            if left == 0 {
                pins.readers.remove(number);
                if pins.doomed.remove(number) {
                    self.blobs.remove(&self.blobs.path(*number));
                }
            }
        }
    }
}
