//! One line of output, on disk and for readers.
//!
//! On disk a record is `MILLIS out|err TEXT` and a line end; MILLIS is server time. Times never fall within a stream.

use std::fmt;

use domain::time::Timestamp;

use crate::StreamName;

/// What a reader gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub stream: StreamName,
    pub at: Timestamp,
    /// Where the record begins in its stream, in bytes since the stream's beginning.
    pub offset: u64,
    /// The text without its line end. Bytes that are not UTF-8 have become U+FFFD.
    pub message: String,
}

/// Unique within a group and the same whenever the event is read: 56 digits, as CloudWatch Logs' are.
#[derive(Debug, Clone, Copy)]
pub struct EventId<'a>(&'a Event);

impl Event {
    pub fn id(&self) -> EventId<'_> {
        EventId(self)
    }
}

impl fmt::Display for EventId<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { stream, at, offset, .. } = self.0;
        // An instance's id has 68 bits, which are 21 digits.
        let hexadecimal = stream.instance().trim_start_matches("i-");
        let instance = u128::from_str_radix(hexadecimal, 16).unwrap_or(0) & ((1 << 68) - 1);
        write!(out, "{:015}{instance:021}{offset:020}", at.as_millis().max(0))
    }
}

/// Which of its two streams a model server wrote to.
pub(crate) const OUT: &str = "out";
pub(crate) const ERR: &str = "err";

/// A record's time and text, if the line (without its end) is one.
pub(crate) fn parse(line: &[u8]) -> Option<(i64, &[u8])> {
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let (millis, name, text) = (parts.next()?, parts.next()?, parts.next()?);
    let known = name == OUT.as_bytes() || name == ERR.as_bytes();
    let millis = std::str::from_utf8(millis).ok()?.parse().ok()?;
    known.then_some((millis, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_from_torn_and_foreign_lines() {
        assert_eq!(parse(b"17 out a b  c"), Some((17, &b"a b  c"[..])));
        assert_eq!(parse(b"17 err "), Some((17, &b""[..])));
        for torn in [&b""[..], b"17", b"17 out", b"17 ou", b"x out a", b"\0\0\0", b"17 in a"] {
            assert_eq!(parse(torn), None, "{torn:?}");
        }
    }

    #[test]
    fn ids_have_56_digits_and_tell_events_apart() {
        let event = |instance: &str, at, offset| Event {
            stream: StreamName::from_text(&format!("AllTraffic/{instance}")),
            at: Timestamp::from_millis(at),
            offset,
            message: String::new(),
        };
        let all = [
            event("i-00000000000000001", 1, 0),
            event("i-00000000000000001", 1, 1),
            event("i-00000000000000002", 1, 0),
            event("i-fffffffffffffffff", 1_767_225_600_000, u64::MAX),
        ];
        let mut ids: Vec<String> = all.iter().map(|event| event.id().to_string()).collect();
        assert!(ids.iter().all(|id| id.len() == 56), "{ids:?}");
        ids.dedup();
        assert_eq!(ids.len(), all.len());
    }
}
