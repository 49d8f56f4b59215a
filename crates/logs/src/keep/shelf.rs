//! The files: appended to, continued in new ones, and removed when there are too many.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::index::{Index, Kept, Segment, folder, path};
use super::{LogFile, Output, scan};
use crate::{Bounds, StreamKey};

/// All logs of a data directory.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) root: PathBuf,
    bounds: Bounds,
    index: Mutex<Index>,
    loaded: Condvar,
}

/// A segment that is open for writing.
#[derive(Debug)]
pub(super) struct Open {
    file: File,
    base: u64,
}

impl Shelf {
    pub(super) fn new(root: PathBuf, bounds: Bounds) -> Self {
        Self { root, bounds, index: Mutex::default(), loaded: Condvar::new() }
    }

    /// Takes up what earlier servers left. Others wait for it.
    pub(super) fn load(&self) {
        let left = scan::scan(&self.root);
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, kept) in left {
            index.insert(&key, kept);
        }
        index.loaded = true;
        self.make_room(&mut index);
        drop(index);
        self.loaded.notify_all();
    }

    /// The index, once it is loaded. Held while files are written or removed, so only threads that may block ask.
    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        self.loaded.wait_while(index, |index| !index.loaded).unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a stream known before it has a record.
    pub(super) fn begin(&self, log: &Arc<LogFile>, at: i64) -> io::Result<()> {
        let mut index = self.index();
        let stamp = index.stamp(at);
        self.open(&mut index, log, stamp, 0).map(drop)
    }

    /// Writes lines, which are separated by line ends, as records.
    pub(super) fn append(
        &self,
        log: &Arc<LogFile>,
        at: i64,
        output: Output,
        lines: &[u8],
    ) -> io::Result<()> {
        let mut index = self.index();
        let stamp = index.stamp(at);
        let dropped = log.dropped.swap(0, Ordering::Relaxed);
        let records = records(stamp, output, lines, dropped);
        let written = self
            .open(&mut index, log, stamp, records.len() as u64)
            .and_then(|open| self.write(&mut index, log, open, stamp, &records));
        if written.is_err() {
            log.dropped.fetch_add(dropped + count(lines), Ordering::Relaxed);
        }
        self.make_room(&mut index);
        written
    }

    /// Says how many lines were dropped since the last that was written. Nothing else would, if none follows.
    pub(super) fn tell_dropped(&self, log: &Arc<LogFile>) -> io::Result<()> {
        if log.dropped.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        // Its time is that of the latest record: stamps never fall.
        self.append(log, 0, Output::Err, &[])
    }

    fn write(
        &self,
        index: &mut Index,
        log: &LogFile,
        mut open: Open,
        stamp: i64,
        records: &[u8],
    ) -> io::Result<()> {
        let Some(segment) = index.stream(&log.key).and_then(|kept| kept.segments.back_mut()) else {
            return Err(io::Error::other("the segment that was just opened is gone"));
        };
        if let Err(error) = open.file.write_all(records) {
            // What is not whole must not be followed by anything; if it cannot be cut off, a new segment begins.
            if open.file.set_len(segment.len).is_ok() {
                log.keep_open(open);
            } else {
                let torn = fs::metadata(path_of(self, index, log)).map_or(0, |file| file.len());
                if let Some(kept) = index.stream(&log.key) {
                    kept.end = kept.end.max(open.base + torn);
                }
            }
            return Err(error);
        }
        segment.len += records.len() as u64;
        segment.span = Some((segment.span.map_or(stamp, |(first, _)| first), stamp));
        let end = segment.end();
        index.bytes += records.len() as u64;
        if let Some(kept) = index.stream(&log.key) {
            kept.end = end;
        }
        log.keep_open(open);
        Ok(())
    }

    /// The segment that the next `bytes` go to: the one that is open, the stream's last one, or a new one.
    fn open(
        &self,
        index: &mut Index,
        log: &Arc<LogFile>,
        stamp: i64,
        bytes: u64,
    ) -> io::Result<Open> {
        let was_open = log.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        let bounds = &self.bounds;
        if index.stream(&log.key).is_none() {
            self.make_room_for(index, &log.key);
            index.insert(&log.key, Kept { created: stamp, ..Kept::default() });
        }
        let Some(kept) = index.stream(&log.key) else {
            return Err(io::Error::other("the stream that was just made is gone"));
        };
        kept.writer = Arc::downgrade(log);
        let fits = |segment: &&Segment| {
            segment.len == 0 || segment.len.saturating_add(bytes) <= bounds.segment_bytes
        };
        if let Some(last) = kept.segments.back().filter(fits).filter(|last| last.end() == kept.end)
        {
            match was_open {
                Some(open) if open.base == last.base => return Ok(open),
                _ => {
                    let file = path(&self.root, &log.key, kept.created, last.base);
                    let file = OpenOptions::new().append(true).open(file);
                    if let Some(file) = file.ok().filter(|file| file.set_len(last.len).is_ok()) {
                        return Ok(Open { file, base: last.base });
                    }
                    // Somebody has removed the file; the stream goes on in another.
                }
            }
        }
        let (created, base) = (kept.created, kept.end);
        let excess = (kept.segments.len() + 1).saturating_sub(bounds.segments_per_stream);
        for _ in 0..excess {
            self.remove_first_segment(index, &log.key);
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder(&self.root, &log.key))?;
        let file = path(&self.root, &log.key, created, base);
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(file)?;
        file.set_len(0)?;
        if let Some(kept) = index.stream(&log.key) {
            kept.segments.retain(|segment| segment.base != base);
            kept.segments.push_back(Segment { base, len: 0, span: None });
        }
        Ok(Open { file, base })
    }

    /// Room for one more stream.
    fn make_room_for(&self, index: &mut Index, key: &StreamKey) {
        let variant = Some((&key.endpoint, key.stream.variant()));
        while index.count_of_variant(key) >= self.bounds.streams_per_variant {
            let Some(oldest) = index.oldest_stream(variant, key) else { break };
            self.remove_stream(index, &oldest);
        }
        while index.streams >= self.bounds.streams {
            let Some(oldest) = index.oldest_stream(None, key) else { break };
            self.remove_stream(index, &oldest);
        }
    }

    /// Removes the oldest segments until the bytes are within their bound.
    fn make_room(&self, index: &mut Index) {
        while index.bytes > self.bounds.bytes {
            let Some(oldest) = index.oldest_segment() else { break };
            self.remove_first_segment(index, &oldest);
            let empty = |kept: &mut Kept| kept.segments.is_empty() && !kept.is_live();
            if index.stream(&oldest).is_some_and(empty) {
                self.remove_stream(index, &oldest);
            }
        }
    }

    fn remove_first_segment(&self, index: &mut Index, key: &StreamKey) {
        let Some(kept) = index.stream(key) else { return };
        let Some(segment) = kept.segments.pop_front() else { return };
        let file = path(&self.root, key, kept.created, segment.base);
        index.bytes -= segment.len;
        remove_file(&file);
    }

    fn remove_stream(&self, index: &mut Index, key: &StreamKey) {
        let Some(kept) = index.remove(key) else { return };
        for segment in &kept.segments {
            remove_file(&path(&self.root, key, kept.created, segment.base));
        }
        // Only a folder that is empty goes.
        let variant = folder(&self.root, key);
        if fs::remove_dir(&variant).is_ok()
            && let Some(endpoint) = variant.parent()
        {
            let _ = fs::remove_dir(endpoint);
        }
    }
}

fn path_of(shelf: &Shelf, index: &mut Index, log: &LogFile) -> PathBuf {
    let segment = index
        .stream(&log.key)
        .and_then(|kept| kept.segments.back().map(|segment| (kept.created, segment.base)));
    let (created, base) = segment.unwrap_or_default();
    path(&shelf.root, &log.key, created, base)
}

fn remove_file(file: &std::path::Path) {
    if let Err(error) = fs::remove_file(file)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(log = %file.display(), %error, "cannot remove an old log");
    }
}

/// How many lines there are.
pub(super) fn count(lines: &[u8]) -> u64 {
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64
}

fn records(stamp: i64, output: Output, lines: &[u8], dropped: u64) -> Vec<u8> {
    let head = format!("{stamp} {} ", output.as_str());
    let mut records = Vec::with_capacity(lines.len() + head.len() * 8);
    if dropped > 0 {
        let note = format!(
            "{stamp} {} tidegate: {dropped} lines were dropped here, for the disk could not keep up\n",
            crate::event::ERR
        );
        records.extend_from_slice(note.as_bytes());
    }
    // CloudWatch Logs has no empty events.
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        records.extend_from_slice(head.as_bytes());
        records.extend_from_slice(line);
        records.push(b'\n');
    }
    records
}
