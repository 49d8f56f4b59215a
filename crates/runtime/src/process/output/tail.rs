//! The last of what a stream said.

use std::collections::VecDeque;

/// Bytes kept of a stream; the last lines of a traceback fit.
const TAIL_BYTES_MAX: usize = 4 * 1024;

/// Bytes of last words. SageMaker's `FailureReason` has room for 1,024 characters, and says more than these.
const LAST_WORDS_BYTES_MAX: usize = 400;

/// Stands between two lines of last words, for they end up in a single line.
const BETWEEN: &str = "; ";

#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: VecDeque<u8>,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(TAIL_BYTES_MAX);
        let excess = (self.bytes.len() + kept).saturating_sub(TAIL_BYTES_MAX);
        self.bytes.drain(..excess);
        self.bytes.extend(bytes.get(bytes.len() - kept..).unwrap_or_default());
    }

    /// As many of the last lines as fit, printable, in their order. Of a last line that is too long, its end.
    pub(super) fn last_words(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let mut words = String::new();
        for line in text.lines().rev() {
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            if words.is_empty() {
                end_of(line, LAST_WORDS_BYTES_MAX).clone_into(&mut words);
            } else if words.len() + BETWEEN.len() + line.len() <= LAST_WORDS_BYTES_MAX {
                words.insert_str(0, BETWEEN);
                words.insert_str(0, line);
            } else {
                break;
            }
        }
        words
    }
}

/// The last `most` bytes of `text`, or a few less so that no character is cut.
fn end_of(text: &str, most: usize) -> &str {
    let from = text.len().saturating_sub(most);
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(written: &[&[u8]]) -> String {
        let mut tail = Tail::default();
        for bytes in written {
            tail.push(bytes);
        }
        tail.last_words()
    }

    #[test]
    fn the_last_lines_that_fit_are_the_last_words() {
        let traceback =
            b"Traceback:\n  File \"server.py\"\n\n\x1b[31mModuleNotFoundError: no 'x'\x1b[0m\r\n";
        assert_eq!(
            words(&[traceback]),
            "Traceback:; File \"server.py\"; [31mModuleNotFoundError: no 'x' [0m"
        );
        assert_eq!(words(&[b""]), "");
        assert_eq!(words(&[b"first\n", &[b'y'; 396], b"\nend"]), "end");
        assert_eq!(words(&["ü".repeat(5000).as_bytes()]), "ü".repeat(200));
    }

    proptest! {
        #[test]
        fn it_is_bounded_printable_and_keeps_the_end(
            written in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..6000), 0..4),
        ) {
            let slices: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
            let mut tail = Tail::default();
            for bytes in &slices {
                tail.push(bytes);
            }
            let all = written.concat();
            let expected = all.get(all.len().saturating_sub(TAIL_BYTES_MAX)..).unwrap();
            prop_assert!(tail.bytes.iter().eq(expected));
            let words = tail.last_words();
            prop_assert!(words.len() <= LAST_WORDS_BYTES_MAX && !words.contains(char::is_control));
        }
    }
}
