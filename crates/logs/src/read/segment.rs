//! Records out of a stream's files: forwards, backwards, and by time.
//!
//! A position is a byte of the stream's whole history, so it stays what it is when old files go.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::bounds::{CHUNK_BYTES, PEEK_BYTES, RECORD_BYTES_MAX};
use crate::event;
use crate::keep::index::{Segment, StreamCut};

/// One record of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) at: i64,
    pub(super) offset: u64,
    /// Where the next one begins.
    pub(super) end: u64,
    /// Where in the chunk its text is.
    pub(super) text: Range<usize>,
}

/// Records that were read together, in their order, and where to read on. No records: there is nothing more.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) records: Vec<Record>,
    pub(super) next: u64,
}

/// Windows of a corrupted stream that are skipped in one go: more than two whole segments have.
const SKIPS_MAX: usize = 64;

impl StreamCut {
    /// The records from the byte `at` on, which must be a record's beginning or a segment's.
    pub(super) fn forward(&self, at: u64, size: usize) -> Chunk {
        let (mut at, mut size) = (at, size);
        for _ in 0..SKIPS_MAX {
            let Some((segment, path)) = self.segments.iter().find(|(one, _)| one.end() > at) else {
                break;
            };
            let from = at.max(segment.base);
            let until = segment.end().min(from.saturating_add(size as u64));
            let Ok(mut bytes) = read(path, segment, from..until) else {
                at = segment.end();
                continue;
            };
            let Some(last) = memchr::memrchr(b'\n', &bytes) else {
                if size < RECORD_BYTES_MAX && until < segment.end() {
                    size = RECORD_BYTES_MAX;
                } else {
                    at = until;
                }
                continue;
            };
            bytes.truncate(last + 1);
            let next = from + bytes.len() as u64;
            let records = parse(&bytes, from);
            if !records.is_empty() {
                return Chunk { bytes, records, next };
            }
            at = next;
        }
        Chunk { next: at, ..Chunk::default() }
    }

    /// The records before the byte `before`, which must be a record's end, the oldest of them first.
    pub(super) fn backward(&self, before: u64, size: usize) -> Chunk {
        let (mut before, mut size) = (before, size);
        for _ in 0..SKIPS_MAX {
            let segment = self.segments.iter().rfind(|(one, _)| one.base < before && one.len > 0);
            let Some((segment, path)) = segment else { break };
            let until = before.min(segment.end());
            let from = segment.base.max(until.saturating_sub(size as u64));
            let Ok(mut bytes) = read(path, segment, from..until) else {
                before = segment.base;
                continue;
            };
            let mut begin = from;
            if from > segment.base {
                // What the window begins with is the end of a record, or a whole one that is read the next time.
                match memchr::memchr(b'\n', &bytes).filter(|first| first + 1 < bytes.len()) {
                    Some(first) => {
                        bytes.drain(..=first);
                        begin = from + first as u64 + 1;
                    }
                    None if size <= RECORD_BYTES_MAX => {
                        size = 2 * RECORD_BYTES_MAX;
                        continue;
                    }
                    None => {
                        before = from;
                        continue;
                    }
                }
            }
            let records = parse(&bytes, begin);
            if !records.is_empty() {
                return Chunk { bytes, records, next: begin };
            }
            before = begin;
        }
        Chunk { next: before, ..Chunk::default() }
    }

    /// Where the first record of this time or a later one begins, or the stream's end.
    pub(super) fn seek(&self, time: i64) -> u64 {
        for (segment, path) in &self.segments {
            let Some((first, last)) = segment.span else { continue };
            if last >= time {
                return if first >= time {
                    segment.base
                } else {
                    search(self, segment, path, time).unwrap_or(segment.base)
                };
            }
        }
        self.end
    }

    /// The first record's beginning at or behind a byte that a client has named.
    pub(super) fn align(&self, at: u64) -> u64 {
        let inside = |(one, _): &&(Segment, _)| one.base < at && at < one.end();
        let Some((segment, path)) = self.segments.iter().find(inside) else { return at };
        let until = segment.end().min(at.saturating_add(RECORD_BYTES_MAX as u64));
        let Ok(bytes) = read(path, segment, at - 1..until) else { return segment.end() };
        memchr::memchr(b'\n', &bytes).map_or_else(|| segment.end(), |end| at + end as u64)
    }
}

/// Halves the segment until what is left is read in one go.
fn search(stream: &StreamCut, segment: &Segment, path: &Path, time: i64) -> io::Result<u64> {
    let file = File::open(path)?;
    // Records that begin before `low` are older than the time; the first that is not begins before `high`, or there.
    let (mut low, mut high) = (segment.base, segment.end());
    while high - low > CHUNK_BYTES as u64 {
        let middle = low + (high - low) / 2;
        match probe(&file, segment, middle..high)? {
            Some((at, offset)) if at < time => low = offset,
            _ => high = middle,
        }
    }
    let mut at = low;
    loop {
        let chunk = stream.forward(at, CHUNK_BYTES);
        if let Some(found) = chunk.records.iter().find(|record| record.at >= time) {
            return Ok(found.offset);
        }
        if chunk.records.is_empty() || chunk.next >= segment.end() {
            return Ok(segment.end());
        }
        at = chunk.next;
    }
}

/// The time and place of the first record that begins within the range.
fn probe(file: &File, segment: &Segment, range: Range<u64>) -> io::Result<Option<(i64, u64)>> {
    for size in [PEEK_BYTES, 2 * RECORD_BYTES_MAX] {
        let from = range.start - 1;
        let until = segment.end().min(from.saturating_add(size as u64));
        let mut bytes = vec![0; usize::try_from(until - from).unwrap_or(0)];
        file.read_exact_at(&mut bytes, from - segment.base)?;
        for end in memchr::memchr_iter(b'\n', &bytes) {
            let offset = from + end as u64 + 1;
            if offset >= range.end {
                return Ok(None);
            }
            let line = bytes.get(end + 1..).unwrap_or_default();
            if let Some((at, _)) = event::parse(line) {
                return Ok(Some((at, offset)));
            }
        }
    }
    Ok(None)
}

fn read(path: &Path, segment: &Segment, range: Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or(0)];
    File::open(path)?.read_exact_at(&mut bytes, range.start - segment.base)?;
    Ok(bytes)
}

/// The records in bytes that begin with one and end with a line end. What is none is skipped.
fn parse(bytes: &[u8], from: u64) -> Vec<Record> {
    let mut records = Vec::new();
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        let line = bytes.get(start..end).unwrap_or_default();
        if let Some((at, text)) = event::parse(line) {
            records.push(Record {
                at,
                offset: from + start as u64,
                end: from + end as u64 + 1,
                text: end - text.len()..end,
            });
        }
        start = end + 1;
    }
    records
}
