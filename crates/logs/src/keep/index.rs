//! What is kept, in memory: which streams there are, their files, and the times in them.
//!
//! The index is changed under one lock together with the files. So what it says was written is there to be read, and a
//! reader's cut of it is a prefix of everything that was ever written, across all streams.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Weak;

use domain::name::EndpointName;

use super::LogFile;
use crate::{StreamKey, StreamName};

/// A file of a stream: its records from the byte `base` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) base: u64,
    /// Bytes of whole records.
    pub(crate) len: u64,
    /// The times of its first and its last record.
    pub(crate) span: Option<(i64, i64)>,
}

impl Segment {
    pub(crate) const fn end(&self) -> u64 {
        self.base + self.len
    }
}

/// A stream.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) created: i64,
    pub(crate) segments: VecDeque<Segment>,
    /// Where the next record goes, also when the segments before are gone.
    pub(crate) end: u64,
    /// The instance's own handle; gone with the instance.
    pub(super) writer: Weak<LogFile>,
}

impl Kept {
    pub(super) fn is_live(&self) -> bool {
        self.writer.strong_count() > 0
    }

    /// The time of the newest record, or of the stream's beginning.
    fn last(&self) -> i64 {
        self.segments.back().and_then(|segment| segment.span).map_or(self.created, |(_, last)| last)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(super) groups: BTreeMap<EndpointName, BTreeMap<StreamName, Kept>>,
    pub(super) streams: usize,
    pub(super) bytes: u64,
    /// Whether what earlier servers left is in it.
    pub(super) loaded: bool,
    last: i64,
    /// Whether somebody has read since the last record was written.
    seen: bool,
}

/// A stream as a reader sees it: nothing in it changes any more, but files may vanish.
#[derive(Debug, Clone)]
pub(crate) struct StreamCut {
    pub(crate) name: StreamName,
    pub(crate) created: i64,
    pub(crate) segments: Vec<(Segment, PathBuf)>,
    pub(crate) end: u64,
}

impl StreamCut {
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(|(segment, _)| segment.len).sum()
    }

    /// The time of the newest record, or of the stream's beginning.
    pub(crate) fn last(&self) -> i64 {
        let mut spans = self.segments.iter().filter_map(|(segment, _)| segment.span);
        spans.next_back().map_or(self.created, |(_, last)| last)
    }
}

impl Index {
    /// The time of a record that is written now. Times never fall, in all streams together, and are later than what
    /// any reader has seen: a reader that goes on behind the last time it saw misses nothing.
    pub(super) fn stamp(&mut self, at: i64) -> i64 {
        let floor = if self.seen { self.last.saturating_add(1) } else { self.last };
        self.seen = false;
        self.last = at.max(floor);
        self.last
    }

    pub(super) fn stream(&mut self, key: &StreamKey) -> Option<&mut Kept> {
        self.groups.get_mut(&key.endpoint)?.get_mut(&key.stream)
    }

    pub(super) fn insert(&mut self, key: &StreamKey, kept: Kept) {
        self.bytes += kept.segments.iter().map(|segment| segment.len).sum::<u64>();
        let group = self.groups.entry(key.endpoint.clone()).or_default();
        if group.insert(key.stream.clone(), kept).is_none() {
            self.streams += 1;
        }
    }

    /// Forgets a stream and gives back what it had.
    pub(super) fn remove(&mut self, key: &StreamKey) -> Option<Kept> {
        let group = self.groups.get_mut(&key.endpoint)?;
        let kept = group.remove(&key.stream)?;
        if group.is_empty() {
            self.groups.remove(&key.endpoint);
        }
        self.streams -= 1;
        self.bytes -= kept.segments.iter().map(|segment| segment.len).sum::<u64>();
        Some(kept)
    }

    pub(crate) fn endpoints(&self) -> Vec<EndpointName> {
        self.groups.keys().cloned().collect()
    }

    fn all(&self) -> impl Iterator<Item = (&EndpointName, &StreamName, &Kept)> {
        self.groups.iter().flat_map(|(endpoint, streams)| {
            streams.iter().map(move |(name, kept)| (endpoint, name, kept))
        })
    }

    /// The stream that has been silent for longest, those of running instances last.
    pub(super) fn oldest_stream(
        &self,
        only: Option<(&EndpointName, &str)>,
        but: &StreamKey,
    ) -> Option<StreamKey> {
        self.all()
            .filter(|(endpoint, name, _)| {
                only.is_none_or(|(of, variant)| *endpoint == of && name.variant() == variant)
            })
            .filter(|(endpoint, name, _)| (*endpoint, *name) != (&but.endpoint, &but.stream))
            .min_by_key(|(_, _, kept)| (kept.is_live(), kept.last()))
            .map(|(endpoint, name, _)| StreamKey {
                endpoint: endpoint.clone(),
                stream: name.clone(),
            })
    }

    /// The stream whose first segment is the oldest, those that are being written to last.
    pub(super) fn oldest_segment(&self) -> Option<StreamKey> {
        let age = |kept: &Kept| {
            let first = kept.segments.front()?;
            let written_to = kept.is_live() && kept.segments.len() == 1;
            Some((written_to, first.span.map_or(kept.created, |(_, last)| last)))
        };
        self.all()
            .filter(|(_, _, kept)| kept.segments.front().is_some_and(|first| first.len > 0))
            .min_by_key(|(_, _, kept)| age(kept))
            .map(|(endpoint, name, _)| StreamKey {
                endpoint: endpoint.clone(),
                stream: name.clone(),
            })
    }

    pub(super) fn count_of_variant(&self, key: &StreamKey) -> usize {
        let streams = self.groups.get(&key.endpoint).into_iter().flat_map(BTreeMap::keys);
        streams.filter(|name| name.variant() == key.stream.variant()).count()
    }

    /// The streams of a group that are wanted, by name.
    pub(crate) fn cut(
        &mut self,
        root: &Path,
        endpoint: &EndpointName,
        wanted: impl Fn(&StreamName) -> bool,
    ) -> Option<Vec<StreamCut>> {
        self.seen = true;
        let streams = self.groups.get(endpoint)?.iter().filter(|(name, _)| wanted(name));
        let cut = streams.map(|(name, kept)| {
            let key = StreamKey { endpoint: endpoint.clone(), stream: name.clone() };
            let file = |segment: &Segment| (*segment, path(root, &key, kept.created, segment.base));
            StreamCut {
                name: name.clone(),
                created: kept.created,
                segments: kept.segments.iter().map(file).collect(),
                end: kept.end,
            }
        });
        Some(cut.collect())
    }
}

/// Where a segment lies: `ENDPOINT/VARIANT/INSTANCE.CREATED.BASE.log`.
pub(super) fn path(root: &Path, key: &StreamKey, created: i64, base: u64) -> PathBuf {
    let name = format!("{}.{created}.{base}.log", key.stream.instance());
    folder(root, key).join(name)
}

pub(super) fn folder(root: &Path, key: &StreamKey) -> PathBuf {
    root.join(key.endpoint.as_str()).join(key.stream.variant())
}
