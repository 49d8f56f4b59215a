//! Reading: what there is, and queries over it. Every request works on a cut of the index, reads a bounded number of
//! bytes, and has one file open at most. A file that vanishes meanwhile reads as if it had ended.

mod filter;
mod group;
mod segment;
mod stream;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::name::EndpointName;
use domain::time::Timestamp;

use crate::bounds::READERS_WAITING_MAX;
use crate::keep::Shelf;
use crate::{Event, Logs, Pattern, StreamKey, StreamName};

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Too many requests wait already; come back later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests read logs at the moment")]
pub struct Busy;

/// All streams of an endpoint of this name, past and present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub endpoint: EndpointName,
    /// Of the oldest stream that is still kept.
    pub created: Timestamp,
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    pub name: StreamName,
    pub created: Timestamp,
    /// The times of the first and the last event that are kept.
    pub span: Option<(Timestamp, Timestamp)>,
    pub bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The oldest first.
    Ascending,
    Descending,
}

/// An event as a place to go on behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub at: i64,
    pub stream: StreamName,
    pub offset: u64,
}

/// Events of many streams, in the order of their times.
#[derive(Debug, Clone)]
pub struct Query {
    pub endpoint: EndpointName,
    /// Only these streams.
    pub names: Option<Vec<StreamName>>,
    /// Only streams whose names begin so.
    pub prefix: Option<String>,
    /// Milliseconds of server time; the end does not belong to it.
    pub from: i64,
    pub until: i64,
    pub pattern: Pattern,
    /// Events on the page.
    pub limit: usize,
    pub direction: Direction,
    /// Where the page before ended.
    pub after: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    pub events: Vec<Event>,
    /// Where the next page begins, if there may be one. A page can be empty and still have a next.
    pub next: Option<Place>,
}

/// Where in a stream a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamPosition {
    /// From the oldest event on.
    Head,
    /// Up to the newest event.
    Tail,
    /// From this byte on.
    From(u64),
    /// Up to before this byte.
    Before(u64),
}

/// Events of one stream.
#[derive(Debug, Clone)]
pub struct StreamQuery {
    pub key: StreamKey,
    /// Milliseconds of server time; the end does not belong to it.
    pub from: i64,
    pub until: i64,
    pub limit: usize,
    pub position: StreamPosition,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPage {
    /// The oldest first, whatever the position.
    pub events: Vec<Event>,
    /// Where the page ends and where it begins. A page without events has the position that was asked for.
    pub forward: u64,
    pub backward: u64,
}

/// Reads what is kept.
pub trait Read: Send + Sync + fmt::Debug {
    /// All groups by name.
    fn groups(&self) -> BoxFuture<'_, Result<Vec<Group>, Busy>>;

    /// The streams of a group by name, if there is such a group.
    fn streams(&self, endpoint: EndpointName) -> BoxFuture<'_, Result<Option<Vec<Stream>>, Busy>>;

    /// A page of a group's events, if there is such a group.
    fn events(&self, query: Query) -> BoxFuture<'_, Result<Option<EventPage>, Busy>>;

    /// A page of a stream's events, if there is such a stream.
    fn stream(&self, query: StreamQuery) -> BoxFuture<'_, Result<Option<StreamPage>, Busy>>;
}

impl Read for Logs {
    fn groups(&self) -> BoxFuture<'_, Result<Vec<Group>, Busy>> {
        Box::pin(self.work(group::groups))
    }

    fn streams(&self, endpoint: EndpointName) -> BoxFuture<'_, Result<Option<Vec<Stream>>, Busy>> {
        Box::pin(self.work(move |shelf| group::streams(shelf, &endpoint)))
    }

    fn events(&self, query: Query) -> BoxFuture<'_, Result<Option<EventPage>, Busy>> {
        Box::pin(self.work(move |shelf| filter::events(shelf, &query)))
    }

    fn stream(&self, query: StreamQuery) -> BoxFuture<'_, Result<Option<StreamPage>, Busy>> {
        Box::pin(self.work(move |shelf| stream::page(shelf, &query)))
    }
}

impl Logs {
    /// Runs a read where it may block, when it is its turn.
    async fn work<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Shelf) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let _turn = Waiting::new(&self.readers_waiting)?;
        let permit = Arc::clone(&self.readers).acquire_owned().await.map_err(|_| Busy)?;
        let kept = Arc::clone(&self.shelf);
        // The permit goes with the work, which goes on if the client does not wait for it.
        let work = move || {
            let answer = look(&kept);
            drop(permit);
            answer
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Busy)
    }
}

/// One who waits for an answer.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Result<Self, Busy> {
        let others = count.fetch_add(1, Ordering::Relaxed);
        let waiting = Self(count);
        if others >= READERS_WAITING_MAX { Err(Busy) } else { Ok(waiting) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// No logs at all: for servers without instances that write.
#[derive(Debug, Clone, Copy, Default)]
pub struct Empty;

impl Read for Empty {
    fn groups(&self) -> BoxFuture<'_, Result<Vec<Group>, Busy>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn streams(&self, _: EndpointName) -> BoxFuture<'_, Result<Option<Vec<Stream>>, Busy>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn events(&self, _: Query) -> BoxFuture<'_, Result<Option<EventPage>, Busy>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn stream(&self, _: StreamQuery) -> BoxFuture<'_, Result<Option<StreamPage>, Busy>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}
