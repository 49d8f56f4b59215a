//! CBOR item by item, within bounds: what a stranger's bytes may make the server do and hold.
//!
//! Knows no shapes. A length is believed only as far as there are bytes; nothing is allocated for a promise.

use ciborium_io::Read as _;
use ciborium_ll::{Decoder, Header};

/// Items of one body. The fullest `PutMetricData`, a thousand datapoints of 150 values and counts with thirty
/// dimensions each, has 466,000.
pub(super) const ITEMS_MAX: usize = 500_000;

/// Deepest nesting that is read, as of JSON. AWS's deepest served shape has 8 levels.
pub(super) const DEPTH_MAX: usize = 64;

/// The tag of a point in time that is told in seconds since the Unix epoch.
pub(super) const EPOCH_SECONDS: u64 = 1;

/// Bytes that are not CBOR, or more of it than is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ItemError {
    #[error("The request body is not valid CBOR: it ends too early")]
    End,
    #[error("The request body is not valid CBOR: syntax error at byte {0}")]
    Syntax(usize),
    #[error("The request body is not valid CBOR: a text is not UTF-8")]
    Utf8,
    #[error("The request body has too many values")]
    Items,
    #[error("The value is nested too deeply")]
    Depth,
}

/// A body that is being read.
pub(super) struct Items<'a> {
    decoder: Decoder<&'a [u8]>,
    bytes: usize,
    pulled: usize,
}

/// How many elements of an array or map are left to come; None until its end is met.
#[derive(Debug)]
pub(super) struct Left(Option<usize>);

impl From<Option<usize>> for Left {
    fn from(length: Option<usize>) -> Self {
        Self(length)
    }
}

impl<'a> Items<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { decoder: Decoder::from(body), bytes: body.len(), pulled: 0 }
    }

    pub(super) fn unread(&mut self) -> usize {
        self.bytes.saturating_sub(self.decoder.offset())
    }

    pub(super) fn pull(&mut self) -> Result<Header, ItemError> {
        self.pulled = self.pulled.saturating_add(1);
        if self.pulled > ITEMS_MAX {
            return Err(ItemError::Items);
        }
        self.decoder.pull().map_err(|error| match error {
            ciborium_ll::Error::Io(_) => ItemError::End,
            ciborium_ll::Error::Syntax(at) => ItemError::Syntax(at),
        })
    }

    /// The first item of an array's or map's next element; None if there is no more.
    pub(super) fn next(&mut self, left: &mut Left) -> Result<Option<Header>, ItemError> {
        if let Some(count) = &mut left.0 {
            let Some(fewer) = count.checked_sub(1) else { return Ok(None) };
            *count = fewer;
            return self.pull().map(Some);
        }
        Ok(Some(self.pull()?).filter(|header| *header != Header::Break))
    }

    pub(super) fn text(&mut self, length: Option<usize>) -> Result<String, ItemError> {
        let bytes = self.string(length, |header| match header {
            Header::Text(length) => length,
            _ => None,
        })?;
        String::from_utf8(bytes).map_err(|_| ItemError::Utf8)
    }

    pub(super) fn blob(&mut self, length: Option<usize>) -> Result<Vec<u8>, ItemError> {
        self.string(length, |header| match header {
            Header::Bytes(length) => length,
            _ => None,
        })
    }

    /// Bytes in one piece, or in pieces of which each has a length.
    fn string(
        &mut self,
        length: Option<usize>,
        piece: fn(Header) -> Option<usize>,
    ) -> Result<Vec<u8>, ItemError> {
        let mut bytes = Vec::new();
        if let Some(length) = length {
            self.append(length, &mut bytes)?;
            return Ok(bytes);
        }
        while let Some(header) = self.next(&mut Left(None))? {
            let length = piece(header).ok_or_else(|| ItemError::Syntax(self.decoder.offset()))?;
            self.append(length, &mut bytes)?;
        }
        Ok(bytes)
    }

    fn append(&mut self, length: usize, bytes: &mut Vec<u8>) -> Result<(), ItemError> {
        if length > self.unread() {
            return Err(ItemError::End);
        }
        let start = bytes.len();
        bytes.resize(start.saturating_add(length), 0);
        let piece = bytes.get_mut(start..).unwrap_or_default();
        self.decoder.read_exact(piece).map_err(|_| ItemError::End)
    }

    /// Reads on to the end of a value that begins with this item.
    pub(super) fn skip(&mut self, header: Header, depth: usize) -> Result<(), ItemError> {
        let depth = depth.checked_sub(1).ok_or(ItemError::Depth)?;
        match header {
            Header::Array(length) => {
                let mut left = Left(length);
                while let Some(element) = self.next(&mut left)? {
                    self.skip(element, depth)?;
                }
            }
            Header::Map(length) => {
                let mut left = Left(length);
                while let Some(key) = self.next(&mut left)? {
                    self.skip(key, depth)?;
                    let value = self.pull()?;
                    self.skip(value, depth)?;
                }
            }
            Header::Tag(_) => {
                let tagged = self.pull()?;
                self.skip(tagged, depth)?;
            }
            Header::Bytes(length) => drop(self.blob(length)?),
            Header::Text(length) => drop(self.text(length)?),
            Header::Break => return Err(ItemError::Syntax(self.decoder.offset())),
            Header::Positive(_) | Header::Negative(_) | Header::Float(_) | Header::Simple(_) => {}
        }
        Ok(())
    }
}
