//! The chunked coding of an answer's body (RFC 9112, section 7.1), piece by piece.
//!
//! Pure: it takes from a buffer what is the coding's, and says how much of what follows is the body's.

use bytes::{Buf, BytesMut};

/// The longest line that says a chunk's size, extensions included.
const LINE_BYTES_MAX: usize = 4 * 1024;

/// The most that may follow the last chunk.
const TRAILER_BYTES_MAX: usize = 16 * 1024;

/// How far a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunks {
    /// A line with a size is next.
    Size,
    /// So many bytes of a chunk are to come.
    Data(u64),
    /// The end of line behind a chunk is next.
    End,
    /// The last chunk has come; so many bytes of trailers are read.
    Trailers(usize),
    Over,
}

/// What the buffer holds at its beginning.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many bytes of the body, at least one; `consumed` is to be told when they are taken.
    Data(usize),
    /// More must be read first.
    More,
    /// The body is over.
    Over,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the chunks of the answer are not as HTTP has them")]
pub(super) struct Malformed;

impl Chunks {
    pub(super) fn step(&mut self, buffer: &mut BytesMut) -> Result<Step, Malformed> {
        loop {
            match *self {
                // The parser takes a line without a number for the last chunk.
                Self::Size if buffer.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) => {
                    return Err(Malformed);
                }
                Self::Size => match httparse::parse_chunk_size(buffer) {
                    Ok(httparse::Status::Complete((length, size))) => {
                        buffer.advance(length);
                        *self = if size == 0 { Self::Trailers(0) } else { Self::Data(size) };
                    }
                    Ok(httparse::Status::Partial) if buffer.len() <= LINE_BYTES_MAX => {
                        return Ok(Step::More);
                    }
                    _ => return Err(Malformed),
                },
                Self::Data(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                    return Ok(if here == 0 { Step::More } else { Step::Data(here) });
                }
                Self::End => match buffer.get(..2) {
                    Some(b"\r\n") => {
                        buffer.advance(2);
                        *self = Self::Size;
                    }
                    Some(_) => return Err(Malformed),
                    None => return Ok(Step::More),
                },
                Self::Trailers(read) => {
                    // Trailers mean nothing to a client of AWS's: a line each is passed over, up to an empty one.
                    let Some(end) = memchr::memchr(b'\n', buffer) else {
                        let is_bounded = read + buffer.len() <= TRAILER_BYTES_MAX;
                        return if is_bounded { Ok(Step::More) } else { Err(Malformed) };
                    };
                    let is_empty = matches!(&buffer[..end], b"" | b"\r");
                    buffer.advance(end + 1);
                    *self = match read + end + 1 {
                        _ if is_empty => Self::Over,
                        read if read <= TRAILER_BYTES_MAX => Self::Trailers(read),
                        _ => return Err(Malformed),
                    };
                }
                Self::Over => return Ok(Step::Over),
            }
        }
    }

    /// So many bytes of the chunk have been taken.
    pub(super) fn consumed(&mut self, bytes: usize) {
        if let Self::Data(left) = self {
            *left = left.saturating_sub(bytes as u64);
            if *left == 0 {
                *self = Self::End;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The body, what is left behind it, and whether it is over.
    type Decoded<B> = Result<(B, usize, bool), Malformed>;

    /// Of bytes that come in pieces of `size`.
    fn decoded(bytes: &[u8], size: usize) -> Decoded<Vec<u8>> {
        let (mut chunks, mut buffer, mut body) = (Chunks::Size, BytesMut::new(), Vec::new());
        let mut pieces = bytes.chunks(size);
        loop {
            match chunks.step(&mut buffer)? {
                Step::Data(here) => {
                    body.extend_from_slice(&buffer.split_to(here));
                    chunks.consumed(here);
                }
                Step::More => match pieces.next() {
                    Some(piece) => buffer.extend_from_slice(piece),
                    None => return Ok((body, buffer.len(), false)),
                },
                Step::Over => return Ok((body, buffer.len() + pieces.flatten().count(), true)),
            }
        }
    }

    #[test]
    fn chunks_are_as_the_rfc_has_them() {
        let table: [(&str, Decoded<&str>); 16] = [
            ("0\r\n\r\n", Ok(("", 0, true))),
            ("3\r\none\r\n0\r\n\r\n", Ok(("one", 0, true))),
            ("3\r\none\r\nA\r\n0123456789\r\n000\r\n\r\n", Ok(("one0123456789", 0, true))),
            ("3;name=\"value\"\r\none\r\n0;last\r\n\r\n", Ok(("one", 0, true))),
            ("3\r\none\r\n0\r\ntrailer: x\r\nanother: y\r\n\r\n", Ok(("one", 0, true))),
            ("3\r\none\r\n0\r\n\r\nHTTP/1.1", Ok(("one", 8, true))),
            ("3\r\none\r\n0\r\n", Ok(("one", 0, false))),
            ("3\r\non", Ok(("on", 0, false))),
            ("3\r\none", Ok(("one", 0, false))),
            ("3\r\noneX\r\n0\r\n\r\n", Err(Malformed)),
            ("3\r\none\n0\r\n\r\n", Err(Malformed)),
            ("g\r\none\r\n", Err(Malformed)),
            ("-3\r\none\r\n", Err(Malformed)),
            ("\r\n", Err(Malformed)),
            ("ffffffffffffffff1\r\n", Err(Malformed)),
            ("3 x\r\none\r\n", Err(Malformed)),
        ];
        for (text, expected) in table {
            let expected =
                expected.map(|(body, left, over)| (body.as_bytes().to_vec(), left, over));
            assert_eq!(decoded(text.as_bytes(), text.len()), expected, "{text:?}");
        }
    }

    #[test]
    fn lines_and_trailers_without_end_are_refused() {
        let long = format!("3;{}", "x".repeat(LINE_BYTES_MAX));
        assert_eq!(decoded(long.as_bytes(), 100), Err(Malformed));
        let trailers = format!("0\r\n{}", "a: b\r\n".repeat(TRAILER_BYTES_MAX));
        assert_eq!(decoded(trailers.as_bytes(), 100), Err(Malformed));
        let trailer = format!("0\r\na: {}", "b".repeat(2 * TRAILER_BYTES_MAX));
        assert_eq!(decoded(trailer.as_bytes(), 100), Err(Malformed));
    }

    proptest! {
        #[test]
        fn a_body_is_the_same_however_its_bytes_come(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..8),
            size in 1_usize..50,
        ) {
            let mut coded = Vec::new();
            for part in &parts {
                coded.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
                coded.extend_from_slice(part);
                coded.extend_from_slice(b"\r\n");
            }
            coded.extend_from_slice(b"0\r\n\r\nnext");
            prop_assert_eq!(decoded(&coded, size), Ok((parts.concat(), 4, true)));
        }
    }
}
