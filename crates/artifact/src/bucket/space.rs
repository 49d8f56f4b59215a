//! The last of the disk belongs to the index: deleting, the way out of a full disk, must still be possible.

use std::fs::File;
use std::io;

/// Bytes that uploads leave free, at most. Enough for the logs of the databases that share the disk.
const RESERVE_BYTES: u64 = 64 << 20;

/// The part of a small disk (1 in this many) that stands for [`RESERVE_BYTES`] when it is less.
const RESERVE_SHARE: u64 = 20;

/// Whether `more` bytes may be written to the file system of `folder`.
///
/// # Errors
/// [`io::ErrorKind::StorageFull`] if they would cut into the reserve.
pub(super) fn check(folder: &File, more: usize) -> io::Result<()> {
    let stat = rustix::fs::fstatvfs(folder)?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let total = stat.f_blocks.saturating_mul(stat.f_frsize);
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
