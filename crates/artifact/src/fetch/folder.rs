//! A folder that stands for an archive: copied under the same rules.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::FetchError;
use crate::Stop;
use crate::unpack::{Limits, Refusal, Workplace, place, shown};

/// Bytes copied between two looks at [`Stop`]; the kernel does the copying, or shares the blocks.
const COPY_BYTES: u64 = 16 << 20;

/// Copies the folder `from` so that `into` appears, complete. Links and special files refuse the whole, as in an archive.
pub(super) fn copy(
    url: &str,
    from: &Path,
    into: &Path,
    limits: &Limits,
    stop: &Stop,
) -> Result<(), FetchError> {
    let work = Workplace::beside(into).map_err(|error| FetchError::writing(url, error))?;
    let mut copier =
        Copier { url, from, to: work.path(), limits, stop, entries: 0, left: limits.bytes };
    // Depth is bounded by the length of a path.
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        copier.folder(&folder, &mut folders)?;
    }
    work.finish(into).map_err(|error| FetchError::writing(url, error))
}

struct Copier<'a> {
    url: &'a str,
    from: &'a Path,
    to: &'a Path,
    limits: &'a Limits,
    stop: &'a Stop,
    entries: usize,
    left: u64,
}

impl Copier<'_> {
    fn folder(&mut self, folder: &Path, folders: &mut Vec<PathBuf>) -> Result<(), FetchError> {
        let reading = |error| FetchError::reading(self.url, error);
        for found in fs::read_dir(self.from.join(folder)).map_err(reading)? {
            self.stop.check().map_err(|_| FetchError::Stopped { url: self.url.to_owned() })?;
            let found = found.map_err(reading)?;
            let path = folder.join(found.file_name());
            let entry = shown(path.as_os_str().as_bytes());
            place(path.as_os_str().as_bytes(), self.limits)
                .map_err(|refusal| self.refused(refusal))?;
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(self.refused(Refusal::TooMany { entry, limit: self.limits.entries }));
            }
            let file_type = found.file_type().map_err(reading)?;
            if file_type.is_dir() {
                fs::create_dir(self.to.join(&path))
                    .map_err(|error| FetchError::writing(self.url, error))?;
                folders.push(path);
            } else if file_type.is_file() {
                self.file(&path, entry)?;
            } else {
                return Err(self.refused(unfit(file_type, entry)));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, entry: String) -> Result<(), FetchError> {
        let source =
            open(&self.from.join(path)).map_err(|error| FetchError::reading(self.url, error))?;
        let Some(source) = source else {
            return Err(self.refused(Refusal::NotAFile { entry, kind: "special file" }));
        };
        let writing = |error| FetchError::writing(self.url, error);
        let mode = source
            .metadata()
            .map_err(|error| FetchError::reading(self.url, error))?
            .permissions()
            .mode();
        let mode = if mode & 0o111 == 0 { 0o644 } else { 0o755 };
        let mut target = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(self.to.join(path))
            .map_err(writing)?;
        loop {
            self.stop.check().map_err(|_| FetchError::Stopped { url: self.url.to_owned() })?;
            // One byte more than is left tells a file that is too large from one that just fits.
            let room = COPY_BYTES.min(self.left.saturating_add(1));
            let count = io::copy(&mut (&source).take(room), &mut target).map_err(writing)?;
            if count == 0 {
                return Ok(());
            }
            if count > self.left {
                return Err(self.refused(Refusal::TooLarge { entry, limit: self.limits.bytes }));
            }
            self.left -= count;
        }
    }

    fn refused(&self, refusal: Refusal) -> FetchError {
        FetchError::Refused { url: self.url.to_owned(), refusal }
    }
}

fn unfit(file_type: fs::FileType, entry: String) -> Refusal {
    if file_type.is_symlink() {
        return Refusal::Link { entry, kind: "symbolic link" };
    }
    let kind = match file_type {
        _ if file_type.is_fifo() => "FIFO",
        _ if file_type.is_socket() => "socket",
        _ if file_type.is_block_device() || file_type.is_char_device() => "device",
        _ => "special file",
    };
    Refusal::NotAFile { entry, kind }
}

/// Opens a regular file. Without waiting: a FIFO would block until someone writes. `None` if it is something else.
pub(super) fn open(path: &Path) -> io::Result<Option<File>> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    Ok(file.metadata()?.is_file().then_some(file))
}
