//! How much of the disk there is, and that uploads leave its last to the databases that share it.

use std::fs::File;
use std::io;

/// Bytes that uploads leave free, at most. Enough for the logs of the databases that share the disk.
const RESERVE_BYTES: u64 = 64 << 20;

/// The part of a small disk (1 in this many) that stands for [`RESERVE_BYTES`] when it is less.
const RESERVE_SHARE: u64 = 20;

/// A file system, in bytes; both 0 where it does not say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disk {
    pub(super) total: u64,
    pub(super) free: u64,
}

/// The file system of `folder`.
pub(super) fn disk(folder: &File) -> io::Result<Disk> {
    let stat = rustix::fs::fstatvfs(folder)?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Ok(Disk { total: bytes(stat.f_blocks), free: bytes(stat.f_bavail) })
}

/// Whether `more` bytes may be written to the file system of `folder`.
///
/// # Errors
/// [`io::ErrorKind::StorageFull`] if they would cut into the reserve.
pub(super) fn check(folder: &File, more: usize) -> io::Result<()> {
    let Disk { total, free } = disk(folder)?;
    // Some network and virtual file systems report no size at all; there the write itself decides.
    if total == 0 || free >= reserve(total).saturating_add(more as u64) {
        Ok(())
    } else {
        Err(io::ErrorKind::StorageFull.into())
    }
}

fn reserve(total: u64) -> u64 {
    RESERVE_BYTES.min(total / RESERVE_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_disks_keep_a_share_and_large_ones_a_fixed_amount() {
        assert_eq!(reserve(0), 0);
        assert_eq!(reserve(16 << 20), (16 << 20) / 20);
        assert_eq!(reserve(1 << 40), RESERVE_BYTES);
    }

    #[test]
    fn a_write_larger_than_the_disk_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let folder = File::open(folder.path()).unwrap();
        assert!(check(&folder, 1).is_ok());
        assert_eq!(check(&folder, usize::MAX).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
