//! Bounds the chunks of `aws-chunked` bodies, and sees to it that the last one came.
//!
//! A body that is cut between two chunks looks whole to `s3s`, which stops where nothing more comes. `s3s` also holds each
//! chunk in memory until it is complete, and a chunk may claim 4 GiB. Chunks without signatures are cut into those that arrive
//! (Go's SDK sends a whole object as one); signed ones cannot be cut, so large ones are refused.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};

use super::BodyError;

/// Bytes of one signed chunk. SDKs sign 64 KiB to 1 MiB at a time.
const SIGNED_CHUNK_BYTES_MAX: u64 = 16 << 20;

/// Bytes of a chunk's first line: 16 digits and `;chunk-signature=` with 64 more.
const LINE_BYTES_MAX: usize = 256;

/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Plain,
    SignedChunks,
    UnsignedChunks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Within a chunk's first line.
    Line,
    /// This many bytes of the chunk are to come, then its line end.
    Data(u64),
    /// This many bytes of the line end behind a chunk are to come.
    LineEnd(u8),
    /// Behind the last chunk: trailers, which `s3s` bounds itself.
    Tail,
}

/// A body whose chunks are small.
pub(super) struct Chunks<B> {
    inner: Pin<Box<B>>,
    framing: Framing,
    state: State,
    line: Vec<u8>,
    ready: VecDeque<Bytes>,
}

impl<B> Chunks<B> {
    pub(super) fn new(inner: B, framing: Framing) -> Self {
        Self {
            inner: Box::pin(inner),
            framing,
            state: State::Line,
            line: Vec::new(),
            ready: VecDeque::new(),
        }
    }

    /// Whether nothing may be missing: the empty chunk that ends such a body has come.
    fn is_whole(&self) -> bool {
        self.framing == Framing::Plain || self.state == State::Tail
    }

    /// Takes in what arrived and queues what goes on.
    fn take(&mut self, mut bytes: Bytes) -> Result<(), BodyError> {
        let cut = self.framing == Framing::UnsignedChunks;
        while !bytes.is_empty() {
            match self.state {
                State::Line => self.line(&mut bytes)?,
                State::Data(left) => {
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let data = bytes.split_to(count);
                    if cut {
                        self.ready.push_back(Bytes::from(format!("{count:x}\r\n")));
                        self.ready.push_back(data);
                        self.ready.push_back(Bytes::from_static(b"\r\n"));
                    } else {
                        self.ready.push_back(data);
                    }
                    let left = left - count as u64;
                    self.state = if left == 0 { State::LineEnd(2) } else { State::Data(left) };
                }
                State::LineEnd(left) => {
                    let expected = if left == 2 { b'\r' } else { b'\n' };
                    if bytes[0] != expected {
                        return Err("FormatError: a chunk does not end where it says".into());
                    }
                    let end = bytes.split_to(1);
                    if !cut {
                        self.ready.push_back(end);
                    }
                    self.state = if left == 1 { State::Line } else { State::LineEnd(left - 1) };
                }
                State::Tail => self.ready.push_back(std::mem::take(&mut bytes)),
            }
        }
        Ok(())
    }

    fn line(&mut self, bytes: &mut Bytes) -> Result<(), BodyError> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(bytes.len(), |end| end + 1);
        if self.line.len() + count > LINE_BYTES_MAX {
            return Err("FormatError: the first line of a chunk is too long".into());
        }
        self.line.extend_from_slice(&bytes[..count]);
        bytes.advance(count);
        if end.is_none() {
            return Ok(());
        }
        let line = std::mem::take(&mut self.line);
        let digits: &[u8] =
            line.split(|byte| matches!(byte, b';' | b'\r')).next().unwrap_or_default();
        let size = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let size = size.ok_or("FormatError: a chunk has no size")?;
        if self.framing == Framing::SignedChunks && size > SIGNED_CHUNK_BYTES_MAX {
            return Err("ChunkTooLarge".into());
        }
        self.state = if size == 0 { State::Tail } else { State::Data(size) };
        if size == 0 || self.framing == Framing::SignedChunks {
            self.ready.push_back(line.into());
        }
        Ok(())
    }
}

impl<B> Body for Chunks<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            let Some(frame) = ready!(self.inner.as_mut().poll_frame(cx)) else {
                let cut_off = || Err("Incomplete: the last chunk is missing".into());
                return Poll::Ready((!self.is_whole()).then(cut_off));
            };
            let frame = frame.map_err(Into::into)?;
            match frame.into_data() {
                Ok(bytes) if self.framing == Framing::Plain => {
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Ok(bytes) => self.take(bytes)?,
                // HTTP's own trailers mean nothing in S3.
                Err(_) => {}
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.is_whole() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.framing {
            Framing::Plain => self.inner.size_hint(),
            Framing::SignedChunks | Framing::UnsignedChunks => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt as _, Full};
    use proptest::prelude::*;

    /// What comes out when `text` arrives in pieces of `step` bytes.
    fn through(framing: Framing, text: &[u8], step: usize) -> Result<Vec<u8>, String> {
        let mut chunks = Chunks::new(http_body_util::Empty::<Bytes>::new(), framing);
        let mut out = Vec::new();
        for piece in text.chunks(step.max(1)) {
            chunks.take(Bytes::copy_from_slice(piece)).map_err(|error| error.to_string())?;
            out.extend(chunks.ready.drain(..).flatten());
        }
        Ok(out)
    }

    /// The data of well-formed chunks.
    fn data(mut text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            let end = text.iter().position(|byte| *byte == b'\n').unwrap();
            let size =
                usize::from_str_radix(std::str::from_utf8(&text[..end - 1]).unwrap(), 16).unwrap();
            text = &text[end + 1..];
            if size == 0 {
                return out;
            }
            out.extend_from_slice(&text[..size]);
            assert_eq!(&text[size..size + 2], b"\r\n");
            text = &text[size + 2..];
        }
    }

    proptest! {
        #[test]
        fn cutting_chunks_changes_no_data(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 0..8), step in 1_usize..300) {
            let mut text = Vec::new();
            for part in &parts {
                text.extend(format!("{:x}\r\n", part.len()).into_bytes());
                text.extend(part);
                text.extend(b"\r\n");
            }
            text.extend(b"0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n");
            let out = through(Framing::UnsignedChunks, &text, step).unwrap();
            prop_assert!(out.ends_with(b"0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n"));
            prop_assert_eq!(data(&out), parts.concat());
            prop_assert_eq!(through(Framing::SignedChunks, &text, step).unwrap(), text);
        }

        #[test]
        fn anything_is_passed_or_refused(text in prop::collection::vec(any::<u8>(), 0..400), step in 1_usize..50) {
            let _ = through(Framing::UnsignedChunks, &text, step);
            if let Ok(out) = through(Framing::SignedChunks, &text, step) {
                prop_assert!(text.starts_with(&out));
            }
        }
    }

    #[test]
    fn chunks_that_lie_are_refused() {
        assert!(
            through(Framing::SignedChunks, b"fffffff;chunk-signature=00\r\n", 9)
                .unwrap_err()
                .contains("ChunkTooLarge")
        );
        assert!(
            through(Framing::UnsignedChunks, b"3\r\nabcdef", 9)
                .unwrap_err()
                .contains("FormatError")
        );
        assert!(
            through(Framing::UnsignedChunks, b"zz\r\n", 9).unwrap_err().contains("FormatError")
        );
        assert!(
            through(Framing::UnsignedChunks, &[b'1'; 300], 9).unwrap_err().contains("FormatError")
        );
        assert!(through(Framing::SignedChunks, b"\r\n", 9).unwrap_err().contains("FormatError"));
    }

    /// AWS's three forms of a streamed body, as S3's documentation shows them ("Signature calculations: transferring payload
    /// in multiple chunks"); a body that ends before its empty chunk is an `IncompleteBody`, wherever it is cut.
    #[tokio::test]
    async fn a_body_without_its_last_chunk_is_incomplete() {
        let signed = "3;chunk-signature=11\r\nabc\r\n0;chunk-signature=22\r\n";
        let table = [
            (Framing::SignedChunks, format!("{signed}\r\n")),
            (
                Framing::SignedChunks,
                format!("{signed}x-amz-checksum-crc32:AAAA\r\nx-amz-trailer-signature:33\r\n\r\n"),
            ),
            (
                Framing::UnsignedChunks,
                "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n".to_owned(),
            ),
        ];
        for (framing, text) in table {
            let last = text.find("\r\n0").unwrap() + 2;
            let line_end = last + text[last..].find('\n').unwrap() + 1;
            for cut in 0..=text.len() {
                let body = Full::new(Bytes::copy_from_slice(&text.as_bytes()[..cut]));
                let mut chunks = Chunks::new(body, framing);
                assert!(!chunks.is_end_stream(), "its end is yet to be judged");
                let mut outcome = Ok(());
                while let Some(frame) = chunks.frame().await {
                    outcome = frame.map(drop).map_err(|error| error.to_string());
                    if outcome.is_err() {
                        break;
                    }
                }
                if cut < line_end {
                    assert!(outcome.unwrap_err().starts_with("Incomplete"), "{:?}", &text[..cut]);
                } else {
                    assert_eq!(outcome, Ok(()), "{:?}", &text[..cut]);
                }
            }
        }
    }

    #[tokio::test]
    async fn a_plain_body_is_left_alone() {
        let body = Full::new(Bytes::from_static(b"5\r\nnot chunked"));
        let out = Chunks::new(body, Framing::Plain).collect().await.unwrap().to_bytes();
        assert_eq!(&out[..], b"5\r\nnot chunked");
    }
}
