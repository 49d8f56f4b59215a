//! Which groups and streams there are. Nothing is read from the disk for it.

use domain::name::EndpointName;
use domain::time::Timestamp;

use super::{Group, Stream};
use crate::keep::Shelf;
use crate::keep::index::StreamCut;

pub(super) fn groups(shelf: &Shelf) -> Vec<Group> {
    let mut index = shelf.index();
    let endpoints = index.endpoints();
    let groups = endpoints.into_iter().filter_map(|endpoint| {
        let streams = index.cut(&shelf.root, &endpoint, |_| true)?;
        let created = streams.iter().map(|stream| stream.created).min()?;
        let bytes = streams.iter().map(StreamCut::bytes).sum();
        Some(Group { endpoint, created: Timestamp::from_millis(created), bytes })
    });
    groups.collect()
}

pub(super) fn streams(shelf: &Shelf, endpoint: &EndpointName) -> Option<Vec<Stream>> {
    let cut = shelf.index().cut(&shelf.root, endpoint, |_| true)?;
    let streams = cut.into_iter().map(|stream| {
        let spans = || stream.segments.iter().filter_map(|(segment, _)| segment.span);
        let span = spans().next().zip(spans().next_back()).map(|((first, _), (_, last))| {
            (Timestamp::from_millis(first), Timestamp::from_millis(last))
        });
        let (created, bytes) = (Timestamp::from_millis(stream.created), stream.bytes());
        Stream { name: stream.name, created, span, bytes }
    });
    Some(streams.collect())
}
