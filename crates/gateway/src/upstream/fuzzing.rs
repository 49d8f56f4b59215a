//! The way of an answer's bytes through the parsers, without a socket.

use bytes::BytesMut;

use super::body::Body;
use super::chunks::Step;
use super::head::Awaited;

/// What a model server's bytes come to.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// They are no answer.
    Malformed,
    /// More should have come.
    Cut,
    Answer {
        status: u16,
        body: Vec<u8>,
        /// Bytes behind it.
        left: usize,
    },
}

/// Reads an answer that comes in these pieces, and then the end.
pub fn read_answer<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let (mut pieces, mut buffer) = (pieces.into_iter(), BytesMut::new());
    let mut awaited = Awaited::default();
    let head = loop {
        match awaited.take(&mut buffer) {
            Err(_) => return Read::Malformed,
            Ok(Some(head)) => break head,
            Ok(None) => match pieces.next() {
                Some(piece) => buffer.extend_from_slice(piece),
                None => return Read::Cut,
            },
        }
    };
    let (mut rest, mut body) = (Body::new(head.framing), Vec::new());
    loop {
        match rest.step(&mut buffer) {
            Err(_) => return Read::Malformed,
            Ok(Step::Over) => break,
            Ok(Step::Data(here)) => {
                body.extend_from_slice(&buffer.split_to(here));
                rest.took(here);
            }
            Ok(Step::More) => match pieces.next() {
                Some(piece) => buffer.extend_from_slice(piece),
                None if rest.closed() => break,
                None => return Read::Cut,
            },
        }
    }
    let left = buffer.len() + pieces.map(<[u8]>::len).sum::<usize>();
    Read::Answer { status: head.status.as_u16(), body, left }
}
