//! Model archives: only files and folders below the one place, or nothing at all.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use artifact::Stop;
use artifact::unpack::{Limits, unpack};
use flate2::Compression;
use flate2::write::GzEncoder;

/// The first byte says whether the rest is an archive as it stands or one that is yet to be compressed.
pub fn run(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let Ok(folder) = tempfile::tempdir() else { return };
    let archive = if first % 2 == 0 { rest.to_vec() } else { compressed(rest) };
    let limits = Limits { bytes: 1 << 20, entries: 100, ..Limits::default() };
    let into = folder.path().join("into");
    match unpack(&archive[..], &into, &limits, &Stop::default()) {
        Ok(()) => assert_plain(&into),
        Err(_) => assert!(!into.exists(), "something was left behind"),
    }
    let beside = fs::read_dir(folder.path()).map(Iterator::count).unwrap_or_default();
    assert!(beside <= 1, "something lies beside the target");
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

fn assert_plain(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(kind) = fs::symlink_metadata(&path).map(|found| found.file_type()) else { continue };
        assert!(
            kind.is_dir() || kind.is_file(),
            "{} is neither a file nor a folder",
            path.display()
        );
        if kind.is_dir() {
            assert_plain(&path);
        }
    }
}
