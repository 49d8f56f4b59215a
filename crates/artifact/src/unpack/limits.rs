//! What one archive may ask of the disk.

/// Bytes of all files together that one archive may unpack to: twice the largest model that fits on the widest instance disk
/// in common use would still pass; a gzip bomb (1:1000) of a few hundred megabytes does not.
pub const UNPACKED_BYTES_MAX: u64 = 200 << 30;

/// Entries of one archive, folders included. Tokenisers and sharded weights have hundreds; a hundred thousand inodes is an attack.
pub const ENTRIES_MAX: usize = 100_000;

/// Bytes of one entry's path. Linux refuses 4,096 with the folder in front of it included; this leaves room for that folder.
pub const PATH_BYTES_MAX: usize = 2_048;

/// Bytes of one part of a path: Linux's own limit for a name.
pub const NAME_BYTES_MAX: usize = 255;

/// Bytes that headers, long names and extensions of one entry may take: they are held in memory while they are read.
pub(super) const HEADER_BYTES_MAX: u64 = 1 << 20;

/// Bytes of padding after the archive's end marker. GNU tar pads to 10 KiB records, some tapes to a megabyte.
pub(super) const PADDING_BYTES_MAX: u64 = 16 << 20;

/// What an archive (or a folder that stands for one) may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Files and folders together.
    pub entries: usize,
    /// Bytes of one path within it.
    pub path_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: UNPACKED_BYTES_MAX, entries: ENTRIES_MAX, path_bytes: PATH_BYTES_MAX }
    }
}
