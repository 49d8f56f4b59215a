//! What is to come of an answer's body, and where it lies in what has come.
//!
//! Pure: it takes from a buffer what is not the body's, and says how much of what follows is.

use bytes::BytesMut;

use super::chunks::{Chunks, Malformed, Step};
use super::head::Framing;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Length(u64),
    Chunked(Chunks),
    UntilClose,
    Nothing,
}

impl Body {
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length(0) => Self::Nothing,
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(Chunks::Size),
            Framing::UntilClose => Self::UntilClose,
        }
    }

    /// What the buffer holds at its beginning.
    pub(super) fn step(&mut self, buffer: &mut BytesMut) -> Result<Step, Malformed> {
        let here = match self {
            Self::Nothing => return Ok(Step::Over),
            Self::UntilClose => buffer.len(),
            Self::Length(left) => usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len()),
            Self::Chunked(chunks) => {
                let step = chunks.step(buffer)?;
                if step == Step::Over {
                    *self = Self::Nothing;
                }
                return Ok(step);
            }
        };
        Ok(if here == 0 { Step::More } else { Step::Data(here) })
    }

    /// So many bytes of the body have been taken.
    pub(super) fn took(&mut self, bytes: usize) {
        match self {
            Self::Length(left) => {
                *left = left.saturating_sub(bytes as u64);
                if *left == 0 {
                    *self = Self::Nothing;
                }
            }
            Self::Chunked(chunks) => chunks.consumed(bytes),
            Self::UntilClose | Self::Nothing => {}
        }
    }

    /// The model server has closed, and all that came before has been taken: whether the body is whole.
    pub(super) fn closed(&mut self) -> bool {
        if *self == Self::UntilClose {
            *self = Self::Nothing;
        }
        *self == Self::Nothing
    }

    /// The rest of its length, where that is known.
    pub(super) fn announced(self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(left),
            Self::Nothing => Some(0),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }
}
