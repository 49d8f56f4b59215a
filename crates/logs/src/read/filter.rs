//! A page of a whole group: its streams merged by time.
//!
//! Events have one order: by time, then by stream, then by place. A page ends behind one of them, and the next page
//! begins there. A stream is opened when the merge has come to its time, so that old streams cost nothing.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::segment::Record;
use super::stream::{Room, event};
use super::{Direction, EventPage, Place, Query};
use crate::bounds::{CHUNK_BYTES, PEEK_BYTES, SCAN_BYTES_MAX};
use crate::keep::Shelf;
use crate::keep::index::StreamCut;

pub(super) fn events(shelf: &Shelf, query: &Query) -> Option<EventPage> {
    let named = |name: &_| query.names.as_ref().is_none_or(|names| names.contains(name));
    let wanted = |name: &crate::StreamName| {
        named(name)
            && query.prefix.as_deref().is_none_or(|prefix| name.as_str().starts_with(prefix))
    };
    let mut streams = shelf.index().cut(&shelf.root, &query.endpoint, wanted)?;
    let overlaps = |stream: &StreamCut| stream.created < query.until && stream.last() >= query.from;
    streams.retain(overlaps);
    Some(page(&streams, query))
}

fn page(streams: &[StreamCut], query: &Query) -> EventPage {
    let mut merge = Merge::new(streams, query);
    let (mut events, mut room) = (Vec::new(), Room::new(query.limit));
    let (mut scanned, mut last) = (0, None);
    while let Some(position) = merge.front() {
        let cursor = &mut merge.cursors[position];
        let Some(record) = cursor.front() else {
            merge.drop_front();
            continue;
        };
        if scanned >= SCAN_BYTES_MAX || room.is_full() {
            return EventPage { events, next: last };
        }
        let text = cursor.bytes.get(record.text.clone()).unwrap_or_default();
        if query.pattern.matches(text) {
            let event = event(cursor.stream, record.at, record.offset, text);
            if !room.take(&event.message) {
                return EventPage { events, next: last };
            }
            events.push(event);
        }
        scanned += record.end - record.offset;
        last = Some(Place {
            at: record.at,
            stream: cursor.stream.name.clone(),
            offset: record.offset,
        });
        merge.advance();
    }
    EventPage { events, next: None }
}

/// Streams by what comes next. The number is a key that is the smaller the earlier a record comes on the page.
struct Merge<'a> {
    cursors: Vec<Cursor<'a>>,
    next: BinaryHeap<Reverse<(i64, usize)>>,
}

impl<'a> Merge<'a> {
    fn new(streams: &'a [StreamCut], query: &'a Query) -> Self {
        let cursors: Vec<_> = match query.direction {
            Direction::Ascending => streams.iter().map(|one| Cursor::new(one, query)).collect(),
            // Backwards, names count backwards too.
            Direction::Descending => {
                streams.iter().rev().map(|one| Cursor::new(one, query)).collect()
            }
        };
        let next = cursors.iter().enumerate();
        let next = next.map(|(position, cursor)| Reverse((cursor.bound(), position))).collect();
        Self { cursors, next }
    }

    /// The stream with the next record. Its cursor is open.
    fn front(&mut self) -> Option<usize> {
        loop {
            let Reverse((key, position)) = *self.next.peek()?;
            let cursor = self.cursors.get_mut(position)?;
            match cursor.key() {
                // It comes later than it was thought to.
                Some(now) if now > key => {
                    self.next.pop();
                    self.next.push(Reverse((now, position)));
                }
                Some(_) => return Some(position),
                None => {
                    self.next.pop();
                }
            }
        }
    }

    /// Goes on behind the front's record.
    fn advance(&mut self) {
        let Some(Reverse((_, position))) = self.next.pop() else { return };
        let Some(cursor) = self.cursors.get_mut(position) else { return };
        cursor.advance();
        if let Some(key) = cursor.key() {
            self.next.push(Reverse((key, position)));
        }
    }

    fn drop_front(&mut self) {
        self.next.pop();
    }
}

/// A place in a stream, with some records read ahead.
struct Cursor<'a> {
    stream: &'a StreamCut,
    query: &'a Query,
    opened: bool,
    /// Where to read on.
    at: u64,
    /// The time of the record at the front, also when it is not in memory.
    time: Option<i64>,
    bytes: Vec<u8>,
    records: VecDeque<Record>,
}

impl<'a> Cursor<'a> {
    fn new(stream: &'a StreamCut, query: &'a Query) -> Self {
        let (bytes, records) = (Vec::new(), VecDeque::new());
        Self { stream, query, opened: false, at: 0, time: None, bytes, records }
    }

    const fn forwards(&self) -> bool {
        matches!(self.query.direction, Direction::Ascending)
    }

    const fn key_of(&self, time: i64) -> i64 {
        // `!` turns the order round, and has no overflow.
        if self.forwards() { time } else { !time }
    }

    /// What is known of the first key without a look into the files.
    fn bound(&self) -> i64 {
        self.key_of(if self.forwards() { self.stream.created } else { self.stream.last() })
    }

    /// The key of the record at the front. Opens the stream.
    fn key(&mut self) -> Option<i64> {
        if !self.opened {
            self.opened = true;
            self.at = self.beginning();
            self.load(PEEK_BYTES);
            // A record that is larger than what is read ahead is read again when it is its turn.
            if self.bytes.len() > CHUNK_BYTES {
                self.at = if self.forwards() {
                    self.records.front().map_or(self.at, |record| record.offset)
                } else {
                    self.records.front().map_or(self.at, |record| record.end)
                };
                self.records.clear();
                self.bytes = Vec::new();
            }
        }
        self.time.map(|time| self.key_of(time))
    }

    fn front(&mut self) -> Option<Record> {
        if self.records.is_empty() {
            self.load(CHUNK_BYTES);
        }
        self.records.front().cloned()
    }

    fn advance(&mut self) {
        self.records.pop_front();
        if self.records.is_empty() {
            self.load(CHUNK_BYTES);
        } else {
            self.look();
        }
    }

    fn load(&mut self, size: usize) {
        let chunk = if self.forwards() {
            self.stream.forward(self.at, size)
        } else {
            self.stream.backward(self.at, size)
        };
        self.at = chunk.next;
        self.bytes = chunk.bytes;
        self.records = chunk.records.into();
        if !self.forwards() {
            self.records.make_contiguous().reverse();
        }
        self.look();
    }

    /// The front's time, if it is still within the range.
    fn look(&mut self) {
        let range = self.query.from..self.query.until;
        self.time = self.records.front().map(|record| record.at).filter(|at| range.contains(at));
    }

    /// Where the page begins in this stream.
    fn beginning(&self) -> u64 {
        let Query { from, until, after, .. } = self.query;
        let name = &self.stream.name;
        if self.forwards() {
            let from = self.stream.seek(*from);
            let behind = after.as_ref().map(|place| match name.cmp(&place.stream) {
                std::cmp::Ordering::Less => self.stream.seek(place.at.saturating_add(1)),
                std::cmp::Ordering::Greater => self.stream.seek(place.at),
                std::cmp::Ordering::Equal => self.stream.align(place.offset.saturating_add(1)),
            });
            behind.map_or(from, |behind| behind.max(from))
        } else {
            let until = self.stream.seek(*until);
            let behind = after.as_ref().map(|place| match name.cmp(&place.stream) {
                std::cmp::Ordering::Less => self.stream.seek(place.at.saturating_add(1)),
                std::cmp::Ordering::Greater => self.stream.seek(place.at),
                std::cmp::Ordering::Equal => self.stream.align(place.offset),
            });
            behind.map_or(until, |behind| behind.min(until))
        }
    }
}
