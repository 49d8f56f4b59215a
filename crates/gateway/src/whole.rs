//! A body that is held whole, in the pieces in which it came: none of it is copied on its way, and its memory is in pieces
//! that the next body can use.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use crate::quota::Share;

/// Pieces shorter than this are put together, so that a body that trickles in does not hold far more than its length.
const PIECE_BYTES_MIN: usize = 16 * 1024;

/// A whole body. As a [`Buf`], what is left of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whole {
    /// Empty only if nothing is left.
    first: Bytes,
    rest: VecDeque<Bytes>,
    length: usize,
}

impl Whole {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The pieces, none of them empty.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        std::iter::once(&self.first).chain(&self.rest).filter(|piece| !piece.is_empty())
    }

    /// All of it in one piece, which is a copy unless it is one already.
    pub(crate) fn joined(&self) -> Bytes {
        if self.rest.is_empty() {
            return self.first.clone();
        }
        let mut joined = BytesMut::with_capacity(self.length);
        self.pieces().for_each(|piece| joined.extend_from_slice(piece));
        joined.freeze()
    }

    /// The same, whose share is given back when the last of all users of any piece has let go of it.
    pub(crate) fn held(self, share: Share) -> Self {
        if self.rest.is_empty() {
            let first = if self.first.is_empty() {
                self.first
            } else {
                Bytes::from_owner(Held { bytes: self.first, _share: share })
            };
            return Self { first, ..self };
        }
        let share = Arc::new(share);
        let held = |bytes| Bytes::from_owner(Held { bytes, _share: Arc::clone(&share) });
        let rest = self.rest.into_iter().map(held).collect();
        Self { first: held(self.first), rest, length: self.length }
    }

    /// Adds to its end.
    pub(crate) fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        self.length += piece.len();
        if self.first.is_empty() {
            self.first = piece;
        } else {
            self.rest.push_back(piece);
        }
    }

    /// Takes the first piece.
    fn pop(&mut self) -> Option<Bytes> {
        let first = std::mem::replace(&mut self.first, self.rest.pop_front().unwrap_or_default());
        self.length -= first.len();
        (!first.is_empty()).then_some(first)
    }
}

impl From<Bytes> for Whole {
    fn from(bytes: Bytes) -> Self {
        Self { length: bytes.len(), first: bytes, rest: VecDeque::new() }
    }
}

impl Buf for Whole {
    fn remaining(&self) -> usize {
        self.length
    }

    fn chunk(&self) -> &[u8] {
        &self.first
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.length, "no more than is left");
        while count >= self.first.len() && count > 0 {
            count -= self.pop().map_or(count, |piece| piece.len());
        }
        self.first.advance(count);
        self.length -= count;
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        slices
            .iter_mut()
            .zip(self.pieces())
            .map(|(slot, piece)| *slot = IoSlice::new(piece))
            .count()
    }
}

/// Puts a body together as it comes.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    whole: Whole,
    /// What came last, in pieces too short to be kept.
    tail: BytesMut,
}

impl Collected {
    pub(crate) fn len(&self) -> usize {
        self.whole.len() + self.tail.len()
    }

    pub(crate) fn push(&mut self, piece: Bytes) {
        if piece.len() < PIECE_BYTES_MIN {
            self.tail.extend_from_slice(&piece);
            if self.tail.len() < PIECE_BYTES_MIN {
                return;
            }
            self.settle();
        } else {
            self.settle();
            self.whole.push(piece);
        }
    }

    pub(crate) fn finish(mut self) -> Whole {
        self.settle();
        self.whole
    }

    fn settle(&mut self) {
        self.whole.push(self.tail.split().freeze());
    }
}

struct Held<S> {
    bytes: Bytes,
    _share: S,
}

impl<S> AsRef<[u8]> for Held<S> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::quota::Quota;

    fn collected(lengths: &[usize]) -> (Whole, Vec<u8>) {
        let (mut collected, mut all) = (Collected::default(), Vec::new());
        for (&length, byte) in lengths.iter().zip((0..=u8::MAX).cycle()) {
            collected.push(vec![byte; length].into());
            all.extend(std::iter::repeat_n(byte, length));
            assert_eq!(collected.len(), all.len());
        }
        (collected.finish(), all)
    }

    #[test]
    fn what_trickles_in_is_held_in_few_pieces() {
        let (whole, all) = collected(&vec![1; 100_000]);
        assert!(whole.pieces().count() <= 100_000 / PIECE_BYTES_MIN + 1);
        assert_eq!(whole.joined(), all);
    }

    #[test]
    fn a_share_is_given_back_with_the_last_piece() {
        for lengths in [&[10][..], &[PIECE_BYTES_MIN, PIECE_BYTES_MIN, 5]] {
            let quota = Quota::new(1);
            let (whole, _) = collected(lengths);
            let mut held = whole.held(quota.take(1).unwrap());
            let copy = held.pieces().last().cloned().unwrap();
            while held.pop().is_some() {}
            drop(held);
            assert!(quota.take(1).is_none(), "{lengths:?}");
            drop(copy);
            assert!(quota.take(1).is_some(), "{lengths:?}");
        }
        let quota = Quota::new(1);
        let empty = Whole::default().held(quota.take(1).unwrap());
        assert!(quota.take(1).is_some() && empty.is_empty(), "there is nothing to hold");
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_or_changes_its_place(
            lengths in proptest::collection::vec(0..3 * PIECE_BYTES_MIN, 0..8),
            steps in proptest::collection::vec(1..2 * PIECE_BYTES_MIN, 1..40),
        ) {
            let (whole, all) = collected(&lengths);
            prop_assert_eq!(whole.len(), all.len());
            prop_assert_eq!(&whole.joined()[..], &all[..]);
            let (mut left, mut popped) = (whole.clone(), whole);
            let mut written = Vec::new();
            for step in steps {
                let mut slices = [IoSlice::new(&[]); 3];
                let count = left.chunks_vectored(&mut slices);
                let seen: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
                let step = step.min(seen.len());
                written.extend_from_slice(&seen[..step]);
                left.advance(step);
                prop_assert_eq!(left.len() + written.len(), all.len());
            }
            prop_assert_eq!(&written[..], &all[..written.len()]);
            let pieces: Vec<Bytes> = std::iter::from_fn(|| popped.pop()).collect();
            prop_assert!(popped.is_empty() && pieces.concat() == all);
        }
    }
}
