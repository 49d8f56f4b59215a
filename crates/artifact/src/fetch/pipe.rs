//! From a download, which waits, to an unpacker, which blocks.
//!
//! A download that ends early must never look like one that ended: the reader sees the end only if it was said.

use std::io::{self, Read};

use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Pieces under way, a few hundred kilobytes each at the most: enough that neither side waits for the other's every step.
const PIECES_MAX: usize = 8;

enum Piece {
    Data(Bytes),
    End,
}

/// The download's side.
#[derive(Debug)]
pub(super) struct Feed {
    pieces: Sender<Piece>,
    left: u64,
}

/// The unpacker's side. Reading blocks.
#[derive(Debug)]
pub(super) struct Drain {
    pieces: Receiver<Piece>,
    data: Bytes,
    ended: bool,
}

/// Why a feed takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// More bytes than allowed.
    TooLong,
    /// The reader has gone: it has its own reason.
    Gone,
}

/// The two sides of a pipe for at most `most` bytes.
pub(super) fn pipe(most: u64) -> (Feed, Drain) {
    let (sender, receiver) = channel(PIECES_MAX);
    (
        Feed { pieces: sender, left: most },
        Drain { pieces: receiver, data: Bytes::new(), ended: false },
    )
}

impl Feed {
    pub(super) async fn push(&mut self, data: Bytes) -> Result<(), Closed> {
        self.left = self.left.checked_sub(data.len() as u64).ok_or(Closed::TooLong)?;
        self.pieces.send(Piece::Data(data)).await.map_err(|_| Closed::Gone)
    }

    /// The last byte was pushed.
    pub(super) async fn end(self) -> Result<(), Closed> {
        self.pieces.send(Piece::End).await.map_err(|_| Closed::Gone)
    }

    /// Comes back when nobody reads any more.
    pub(super) fn gone(&self) -> impl Future<Output = ()> + Send + use<> {
        let pieces = self.pieces.clone();
        async move { pieces.closed().await }
    }
}

impl Read for Drain {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.data.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Piece::Data(data)) => self.data = data,
                Some(Piece::End) => self.ended = true,
                None => return Err(io::Error::other("the download ended before its end")),
            }
        }
        let count = self.data.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.data.split_to(count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_an_end_that_was_said_is_an_end() {
        for said in [true, false] {
            let (mut feed, mut drain) = pipe(10);
            let reader = tokio::task::spawn_blocking(move || {
                let mut all = Vec::new();
                drain.read_to_end(&mut all).map(|_| all)
            });
            feed.push(Bytes::from_static(b"one")).await.unwrap();
            feed.push(Bytes::from_static(b"two")).await.unwrap();
            if said {
                feed.end().await.unwrap();
            } else {
                drop(feed);
            }
            assert_eq!(reader.await.unwrap().ok(), said.then(|| b"onetwo".to_vec()));
        }
    }

    #[tokio::test]
    async fn the_limit_and_a_reader_that_has_gone_close_it() {
        let (mut feed, drain) = pipe(4);
        feed.push(Bytes::from_static(b"four")).await.unwrap();
        assert_eq!(feed.push(Bytes::from_static(b"5")).await, Err(Closed::TooLong));
        drop(drain);
        feed.gone().await;
        assert_eq!(feed.push(Bytes::new()).await, Err(Closed::Gone));
    }
}
