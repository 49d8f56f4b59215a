//! A page of one stream.

use std::collections::VecDeque;

use domain::time::Timestamp;

use super::{StreamPage, StreamPosition, StreamQuery};
use crate::Event;
use crate::bounds::{CHUNK_BYTES, PAGE_BYTES_MAX, PAGE_EVENT_BYTES};
use crate::keep::Shelf;
use crate::keep::index::StreamCut;

/// What still fits on a page.
#[derive(Debug)]
pub(super) struct Room {
    events: usize,
    bytes: usize,
    limit: usize,
}

impl Room {
    pub(super) fn new(limit: usize) -> Self {
        Self { events: 0, bytes: 0, limit }
    }

    /// Takes room for an event, if there is; the first one always fits.
    pub(super) fn take(&mut self, message: &str) -> bool {
        let bytes = self.bytes + message.len() + PAGE_EVENT_BYTES;
        let fits = self.events < self.limit && (self.events == 0 || bytes <= PAGE_BYTES_MAX);
        if fits {
            self.events += 1;
            self.bytes = bytes;
        }
        fits
    }

    pub(super) fn is_full(&self) -> bool {
        self.events >= self.limit
    }
}

pub(super) fn page(shelf: &Shelf, query: &StreamQuery) -> Option<StreamPage> {
    let wanted = |name: &_| *name == query.key.stream;
    let stream = shelf.index().cut(&shelf.root, &query.key.endpoint, wanted)?.pop()?;
    let (from, until) = (stream.seek(query.from), stream.seek(query.until));
    Some(match query.position {
        StreamPosition::Head => ascending(&stream, from..until, query.limit),
        StreamPosition::From(at) => {
            let aligned = stream.align(at);
            let page = ascending(&stream, aligned.max(from)..until, query.limit);
            if page.events.is_empty() { asked(at) } else { page }
        }
        StreamPosition::Tail => descending(&stream, from..until, query.limit),
        StreamPosition::Before(at) => {
            let aligned = stream.align(at);
            let page = descending(&stream, from..aligned.min(until), query.limit);
            if page.events.is_empty() { asked(at) } else { page }
        }
    })
}

/// A page without events, which is where the client has been before.
fn asked(at: u64) -> StreamPage {
    StreamPage { events: Vec::new(), forward: at, backward: at }
}

fn ascending(stream: &StreamCut, range: std::ops::Range<u64>, limit: usize) -> StreamPage {
    let (mut events, mut room) = (Vec::new(), Room::new(limit));
    let (mut at, mut first, mut end) = (range.start, None, range.start);
    'page: while at < range.end && !room.is_full() {
        let chunk = stream.forward(at, CHUNK_BYTES);
        for record in &chunk.records {
            let text = chunk.bytes.get(record.text.clone()).unwrap_or_default();
            let event = event(stream, record.at, record.offset, text);
            if record.offset >= range.end || !room.take(&event.message) {
                break 'page;
            }
            first.get_or_insert(record.offset);
            end = record.end;
            events.push(event);
        }
        if chunk.records.is_empty() {
            break;
        }
        at = chunk.next;
    }
    StreamPage { events, forward: end, backward: first.unwrap_or(range.start) }
}

fn descending(stream: &StreamCut, range: std::ops::Range<u64>, limit: usize) -> StreamPage {
    let (mut events, mut room) = (VecDeque::new(), Room::new(limit));
    let (mut before, mut first, mut end) = (range.end, range.end, None);
    'page: while before > range.start && !room.is_full() {
        let chunk = stream.backward(before, CHUNK_BYTES);
        for record in chunk.records.iter().rev() {
            let text = chunk.bytes.get(record.text.clone()).unwrap_or_default();
            let event = event(stream, record.at, record.offset, text);
            if record.offset < range.start || !room.take(&event.message) {
                break 'page;
            }
            end.get_or_insert(record.end);
            first = record.offset;
            events.push_front(event);
        }
        if chunk.records.is_empty() {
            break;
        }
        before = chunk.next;
    }
    StreamPage { events: events.into(), forward: end.unwrap_or(range.end), backward: first }
}

pub(super) fn event(stream: &StreamCut, at: i64, offset: u64, text: &[u8]) -> Event {
    Event {
        stream: stream.name.clone(),
        at: Timestamp::from_millis(at),
        offset,
        message: String::from_utf8_lossy(text).into_owned(),
    }
}
