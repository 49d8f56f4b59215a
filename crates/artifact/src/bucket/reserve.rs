//! Room that is kept for deleting.
//!
//! To forget an object the index writes a few pages first, and on a disk without a free byte it cannot. So a file of zeros lies
//! beside it, which gives up its room for as long as a deletion takes. Uploads leave room of their own accord (`space`), but model
//! servers and other programs fill the same disk. This must not know what is deleted.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::space;

/// Bytes kept, at most: what the log of the largest deletion takes, an object or upload of 10,000 parts (1 to 3 MiB).
const KEPT_BYTES: u64 = 4 << 20;

/// The part of a small disk (1 in this many) that stands for [`KEPT_BYTES`] when it is less.
const KEPT_SHARE: u64 = 50;

/// The file that holds the room.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    /// Held open to ask how full its disk is.
    folder: File,
}

impl Reserve {
    /// Keeps room in `dir`, as far as there is any.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let reserve = Self { path: dir.join("reserve"), folder: File::open(dir)? };
        reserve.refill();
        Ok(reserve)
    }

    /// Gives up the room.
    pub(super) fn release(&self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "cannot release the room kept for deleting");
        }
    }

    /// Keeps room again: what is missing, but no more than half of what is free, since others need some to go on. A failure
    /// costs deletions on a full disk, nothing else.
    pub(super) fn refill(&self) {
        if let Err(error) = self.try_refill() {
            tracing::warn!(%error, path = %self.path.display(), "cannot keep room for deleting");
        }
    }

    fn try_refill(&self) -> io::Result<()> {
        let disk = space::disk(&self.folder)?;
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        let missing = kept(disk.total).saturating_sub(file.metadata()?.len());
        io::copy(&mut io::repeat(0).take(missing.min(disk.free / 2)), &mut file)?;
        Ok(())
    }
}

fn kept(total: u64) -> u64 {
    KEPT_BYTES.min(total / KEPT_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_disks_keep_a_share_and_large_ones_a_fixed_amount() {
        assert_eq!(kept(0), 0);
        assert_eq!(kept(32 << 20), (32 << 20) / 50);
        assert_eq!(kept(1 << 40), KEPT_BYTES);
    }

    #[test]
    fn room_is_given_up_and_kept_again() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::open(dir.path()).unwrap();
        let path = dir.path().join("reserve");
        let length = || std::fs::metadata(&path).map_or(0, |file| file.len());
        let whole = length();
        assert!(whole > 0, "the tests' own disk has room");
        reserve.release();
        assert_eq!(length(), 0);
        reserve.refill();
        assert_eq!(length(), whole);
        // A file that was cut off is made whole, one that is whole is left alone.
        OpenOptions::new().write(true).open(&path).unwrap().set_len(1).unwrap();
        Reserve::open(dir.path()).unwrap();
        assert_eq!(length(), whole);
        reserve.refill();
        assert_eq!(length(), whole);
    }
}
