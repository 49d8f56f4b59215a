//! Bytes into lines.

/// The longest line; what is longer becomes several. A progress bar or a dumped tensor without a newline must not be
/// held whole in memory.
const LINE_BYTES_MAX: usize = logs::EVENT_BYTES_MAX;

/// The beginning of a line whose end has not come.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Calls `each` with every line that ends in `bytes`, without its end.
    pub(super) fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut rest = piece;
            while self.begun.len() + rest.len() > LINE_BYTES_MAX {
                let (head, tail) =
                    rest.split_at((LINE_BYTES_MAX - self.begun.len()).min(rest.len()));
                self.begun.extend_from_slice(head);
                let cut = self.begun.split_off(boundary(&self.begun));
                each(&std::mem::replace(&mut self.begun, cut));
                rest = tail;
            }
            self.begun.extend_from_slice(rest);
            if self.begun.ends_with(b"\n") {
                let line = std::mem::take(&mut self.begun);
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                each(line.strip_suffix(b"\r").unwrap_or(line));
            }
        }
    }

    /// Calls `each` with the last line if it has no end.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&[u8])) {
        if !self.begun.is_empty() {
            each(&std::mem::take(&mut self.begun));
        }
    }
}

/// Where to cut bytes so that no character is: at their end, or before a character whose rest is still to come.
fn boundary(bytes: &[u8]) -> usize {
    let behind = bytes.iter().rev().take(3).position(|byte| !(0x80..0xC0).contains(byte));
    let lead = behind.and_then(|behind| bytes.len().checked_sub(behind + 1));
    let Some((at, lead)) = lead.and_then(|at| Some((at, *bytes.get(at)?))) else {
        return bytes.len();
    };
    let wanted = match lead {
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0..0xF8 => 4,
        _ => 1,
    };
    if at > 0 && at + wanted > bytes.len() { at } else { bytes.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for chunk in chunks {
            lines.feed(chunk, |line| seen.push(line.to_vec()));
            assert!(lines.begun.len() <= LINE_BYTES_MAX);
        }
        lines.finish(|line| seen.push(line.to_vec()));
        seen
    }

    #[test]
    fn lines_come_whole_however_they_were_written() {
        assert_eq!(lines(&[b"a\r\nb", b"c\n", b"\n", b"d"]), [&b"a"[..], b"bc", b"", b"d"]);
        assert!(lines(&[b""]).is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_becomes_several() {
        let long = vec![b'x'; LINE_BYTES_MAX * 2 + 5];
        let sizes: Vec<_> = lines(&[&long, b"\ny\n"]).iter().map(Vec::len).collect();
        assert_eq!(sizes, [LINE_BYTES_MAX, LINE_BYTES_MAX, 5, 1]);
    }

    #[test]
    fn a_cut_goes_between_characters() {
        for (text, letter) in [("x", "ä"), ("", "€"), ("x", "€"), ("xx", "𝄞"), ("", "𝄞")]
        {
            let long = format!("{text}{}", letter.repeat(LINE_BYTES_MAX / letter.len() + 9));
            let found = lines(&[long.as_bytes()]);
            assert!(found.iter().all(|line| std::str::from_utf8(line).is_ok()), "{text}{letter}");
            assert_eq!(found.concat(), long.as_bytes());
        }
        let found = lines(&[&vec![0x80; LINE_BYTES_MAX + 1]]);
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [LINE_BYTES_MAX, 1]);
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_wherever_the_cuts_are(
            chunks in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a')], 0..40), 0..8),
        ) {
            let whole = chunks.concat();
            let slices: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(lines(&slices), lines(&[&whole]));
        }
    }
}
