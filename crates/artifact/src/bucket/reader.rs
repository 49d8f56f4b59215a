//! An object's bytes, read from its blobs one after the other.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use super::blob::{Blobs, Pin};
use super::record::Piece;

/// Reads a stretch of one object. What it reads cannot change: a new object under the same key has other blobs, and the old
/// ones stay until the last reader is gone.
#[derive(Debug)]
pub struct ObjectReader {
    blobs: Arc<Blobs>,
    pieces: VecDeque<(Piece, u64)>,
    current: Option<io::Take<File>>,
    left: u64,
    _pin: Pin,
}

impl ObjectReader {
    /// `pin` keeps the blobs of `pieces`; `range` is in bytes of the object and lies within it.
    pub(super) fn new(blobs: Arc<Blobs>, pieces: Vec<Piece>, range: &Range<u64>, pin: Pin) -> Self {
        let mut wanted = VecDeque::new();
        let mut start = 0;
        for piece in pieces {
            let end = start + piece.size;
            if end > range.start && start < range.end {
                wanted.push_back((piece, range.start.saturating_sub(start)));
            }
            start = end;
        }
        Self {
            blobs,
            pieces: wanted,
            current: None,
            left: range.end.saturating_sub(range.start),
            _pin: pin,
        }
    }

    /// Bytes still to come.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Opens the next blob that has anything to give; `false` after the last.
    fn advance(&mut self) -> io::Result<bool> {
        let Some((piece, skip)) = self.pieces.pop_front() else { return Ok(false) };
        let mut file = self.blobs.open_blob(piece.blob)?;
        file.seek(SeekFrom::Start(skip))?;
        self.current = Some(file.take((piece.size - skip).min(self.left)));
        Ok(true)
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.left > 0 {
            if let Some(current) = &mut self.current {
                let count = current.read(buffer)?;
                if count > 0 {
                    self.left -= count as u64;
                    return Ok(count);
                }
                if current.limit() > 0 {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "a blob is shorter than the index says",
                    ));
                }
            }
            if !self.advance()? {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "an object is shorter than the index says",
                ));
            }
        }
        Ok(0)
    }
}
