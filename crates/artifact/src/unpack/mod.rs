//! `model.tar.gz` into a folder, from a stranger.
//!
//! All or nothing: entries land in a temporary folder beside the target, which takes the target's name only after the last
//! byte of the archive was read and found good. Only files and folders are made; owners, times, extended attributes and all
//! permission bits but "executable" are dropped. This must not follow, make or repair anything else.

mod entry;
mod limits;
mod meter;
mod refusal;
#[cfg(test)]
mod tests;
mod work;

pub(crate) use entry::{Kind, Places, place, shown};
pub use limits::{ENTRIES_MAX, Limits, NAME_BYTES_MAX, PATH_BYTES_MAX, UNPACKED_BYTES_MAX};
pub use refusal::{Refusal, UnpackError};
pub(crate) use work::Workplace;

use std::cell::RefCell;
use std::fs::{self, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use crate::Stop;
use limits::{HEADER_BYTES_MAX, PADDING_BYTES_MAX};
use meter::{Gauge, Meter, Source};

/// Bytes moved between two looks at [`Stop`].
const CHUNK_BYTES: usize = 128 << 10;

type Failure = Rc<RefCell<Option<io::Error>>>;

/// Unpacks `archive` so that `into` appears, complete. Blocks; call it where blocking is allowed.
///
/// `into` must not exist, or be an empty folder; its parent must exist. Whatever goes wrong, nothing new is left on disk.
///
/// # Errors
/// [`UnpackError`]: the archive is refused, reading or writing failed, or `stop` was set.
pub fn unpack(
    archive: impl Read,
    into: &Path,
    limits: &Limits,
    stop: &Stop,
) -> Result<(), UnpackError> {
    let work = Workplace::beside(into).map_err(UnpackError::Write)?;
    let gauge = Rc::new(Gauge::default());
    let failure = Failure::default();
    let source = Source::new(BufReader::with_capacity(CHUNK_BYTES, archive), Rc::clone(&failure));
    let meter = Meter::new(MultiGzDecoder::new(source), Rc::clone(&gauge), stop.clone());
    let mut unpacker = Unpacker {
        limits,
        stop,
        gauge,
        failure,
        root: work.path(),
        places: Places::default(),
        left: limits.bytes,
        last: String::new(),
    };
    unpacker.run(meter)?;
    work.finish(into).map_err(UnpackError::Write)
}

/// One archive on its way to disk.
struct Unpacker<'a> {
    limits: &'a Limits,
    stop: &'a Stop,
    gauge: Rc<Gauge>,
    failure: Failure,
    root: &'a Path,
    places: Places,
    left: u64,
    last: String,
}

impl Unpacker<'_> {
    fn run<R: Read>(&mut self, meter: Meter<R>) -> Result<(), UnpackError> {
        let mut archive = Archive::new(meter);
        let mut entries = archive.entries().map_err(|error| self.blame(&error))?;
        let mut count = 0_usize;
        loop {
            self.gauge.allow(HEADER_BYTES_MAX);
            let Some(next) = entries.next() else { break };
            let mut entry = next.map_err(|error| self.blame(&error))?;
            self.last = shown(&entry.path_bytes());
            count += 1;
            if count > self.limits.entries {
                return Err(Refusal::TooMany {
                    entry: self.last.clone(),
                    limit: self.limits.entries,
                }
                .into());
            }
            if matches!(entry.header().entry_type(), EntryType::XGlobalHeader) {
                self.skip(&mut entry)?;
                continue;
            }
            self.entry(&mut entry)?;
        }
        self.end(archive.into_inner())
    }

    fn entry<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<(), UnpackError> {
        let raw = entry.path_bytes().into_owned();
        let kind =
            kind(entry.header().entry_type(), &raw).map_err(|unfit| unfit.refusal(&self.last))?;
        let Some(path) = place(&raw, self.limits)? else {
            return match kind {
                Kind::Folder => self.skip(entry),
                Kind::File => Err(Refusal::BadName { entry: self.last.clone() }.into()),
            };
        };
        if !self.places.take(&path, kind) {
            return Err(Refusal::Collision { entry: self.last.clone() }.into());
        }
        if self.places.len() > self.limits.entries {
            return Err(
                Refusal::TooMany { entry: self.last.clone(), limit: self.limits.entries }.into()
            );
        }
        let target = self.root.join(&path);
        match kind {
            Kind::Folder => {
                make_folder(&target).map_err(UnpackError::Write)?;
                self.skip(entry)
            }
            Kind::File => {
                if let Some(folder) = target.parent() {
                    make_folder(folder).map_err(UnpackError::Write)?;
                }
                self.file(entry, &target)
            }
        }
    }

    fn file<R: Read>(
        &mut self,
        entry: &mut Entry<'_, R>,
        target: &Path,
    ) -> Result<(), UnpackError> {
        let size = entry.size();
        if size > self.left {
            return Err(
                Refusal::TooLarge { entry: self.last.clone(), limit: self.limits.bytes }.into()
            );
        }
        let executable = entry.header().mode().unwrap_or(0) & 0o111 != 0;
        let mode = if executable { 0o755 } else { 0o644 };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(target)
            .map_err(UnpackError::Write)?;
        self.gauge.allow(size.saturating_add(HEADER_BYTES_MAX));
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut done = 0_u64;
        loop {
            self.stop.check()?;
            let count = entry.read(&mut buffer).map_err(|error| self.blame(&error))?;
            if count == 0 {
                break;
            }
            file.write_all(&buffer[..count]).map_err(UnpackError::Write)?;
            done += count as u64;
        }
        if done != size {
            return Err(Refusal::Truncated { last: self.last.clone() }.into());
        }
        self.left -= size;
        Ok(())
    }

    /// The data of an entry that should have none; bounded like a header.
    fn skip<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<(), UnpackError> {
        self.gauge.allow(HEADER_BYTES_MAX);
        io::copy(entry, &mut io::sink()).map_err(|error| self.blame(&error))?;
        Ok(())
    }

    /// After the end marker there may be padding, and nothing else; reading to the end also checks gzip's own checksum.
    fn end<R: Read>(&mut self, mut rest: Meter<R>) -> Result<(), UnpackError> {
        if self.gauge.ended() {
            return Err(Refusal::Truncated { last: self.last.clone() }.into());
        }
        self.gauge.allow(PADDING_BYTES_MAX);
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let count = rest.read(&mut buffer).map_err(|error| self.blame(&error))?;
            if count == 0 {
                return Ok(());
            }
            if buffer[..count].iter().any(|byte| *byte != 0) {
                return Err(
                    Refusal::Malformed("bytes follow the end of the archive".to_owned()).into()
                );
            }
        }
    }

    /// Whose fault a failed read was: the clock's, the disk's or the archive's.
    fn blame(&self, error: &io::Error) -> UnpackError {
        if self.gauge.stopped() {
            return UnpackError::Stopped(crate::Interrupt);
        }
        if let Some(failure) = self.failure.borrow_mut().take() {
            return UnpackError::Read(failure);
        }
        if self.gauge.exceeded() {
            return Refusal::Malformed(format!(
                "headers or padding after \"{}\" are too large",
                self.last
            ))
            .into();
        }
        // The tar reader reports an end within a block in several ways; the meter saw the end itself.
        let cut = self.gauge.ended() && !self.last.is_empty();
        if cut || error.kind() == io::ErrorKind::UnexpectedEof {
            return Refusal::Truncated { last: self.last.clone() }.into();
        }
        Refusal::Malformed(shown(error.to_string().as_bytes())).into()
    }
}

/// An entry that is neither file nor folder.
enum Unfit {
    Link(&'static str),
    Other(&'static str),
}

impl Unfit {
    fn refusal(self, entry: &str) -> Refusal {
        let entry = entry.to_owned();
        match self {
            Self::Link(kind) => Refusal::Link { entry, kind },
            Self::Other(kind) => Refusal::NotAFile { entry, kind },
        }
    }
}

/// Old archives write a folder as a file whose name ends in a slash.
fn kind(entry_type: EntryType, raw: &[u8]) -> Result<Kind, Unfit> {
    match entry_type {
        EntryType::Regular | EntryType::Continuous if raw.ends_with(b"/") => Ok(Kind::Folder),
        EntryType::Regular | EntryType::Continuous => Ok(Kind::File),
        EntryType::Directory => Ok(Kind::Folder),
        EntryType::Symlink => Err(Unfit::Link("symbolic link")),
        EntryType::Link => Err(Unfit::Link("hard link")),
        EntryType::Char | EntryType::Block => Err(Unfit::Other("device")),
        EntryType::Fifo => Err(Unfit::Other("FIFO")),
        EntryType::GNUSparse => Err(Unfit::Other("sparse file")),
        _ => Err(Unfit::Other("special entry")),
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(path)
}
