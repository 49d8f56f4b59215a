//! How much is kept, and how much one request may cost.

/// The longest text of an event, in bytes before it is made UTF-8: CloudWatch Logs' own limit. Longer lines become
/// several events.
pub const EVENT_BYTES_MAX: usize = 256 * 1024;

/// Bytes before a record's text: 20 digits of a time at most, `out` or `err`, two spaces.
pub(crate) const RECORD_HEAD_BYTES_MAX: usize = 25;

/// The longest record with its line end. What is longer was not written by us.
pub(crate) const RECORD_BYTES_MAX: usize = EVENT_BYTES_MAX + RECORD_HEAD_BYTES_MAX + 1;

/// What is kept of all logs. The oldest goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// A stream goes on in a new file beyond this size. Small enough that removing one loses little.
    pub segment_bytes: u64,
    /// Files of one stream: with two, between one and two of them are full of its newest output.
    pub segments_per_stream: usize,
    /// Streams of one variant; an endpoint whose model crashes for days must not push out all others.
    pub streams_per_variant: usize,
    /// Streams in all. Each costs some hundred bytes of memory and two reads at start.
    pub streams: usize,
    /// Bytes in all: 200 instances with 8 MiB each fit.
    pub bytes: u64,
}

impl Bounds {
    /// What a server keeps.
    pub const DEFAULT: Self = Self {
        segment_bytes: 8 * 1024 * 1024,
        segments_per_stream: 2,
        streams_per_variant: 200,
        streams: 2000,
        bytes: 2 * 1024 * 1024 * 1024,
    };
}

/// Bytes that wait for the writing thread, of all instances together.
pub(crate) const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Of them, those of one instance, so that one that writes without end does not cost the others their lines.
pub(crate) const WAITING_BYTES_PER_LOG_MAX: usize = 1024 * 1024;

/// What a piece of output counts at least while it waits: its allocation and its place in the queue.
pub(crate) const WAITING_PIECE_BYTES_MIN: usize = 4 * 1024;

/// Pieces that wait. Every piece counts for at least `WAITING_PIECE_BYTES_MIN`; some room is for flushes.
pub(crate) const WAITING_PIECES_MAX: usize = WAITING_BYTES_MAX / WAITING_PIECE_BYTES_MIN + 64;

/// Bytes of records that one request may look at: about a tenth of a second's work. A page then ends early and its
/// token leads on.
pub(crate) const SCAN_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Bytes of text on one page, as in CloudWatch Logs.
pub(crate) const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// What an event counts on a page beside its text, as in CloudWatch Logs.
pub(crate) const PAGE_EVENT_BYTES: usize = 26;

/// Bytes read at once to see a stream's next event, of all streams of a request.
pub(crate) const PEEK_BYTES: usize = 4 * 1024;

/// Bytes read at once of a stream that is being read on.
pub(crate) const CHUNK_BYTES: usize = 64 * 1024;

/// Requests that read at the same time, each on a thread for blocking work, which fetches of artefacts need too.
pub(crate) const READERS_MAX: usize = 4;

/// Requests that wait for their turn; the next is told to come back, as CloudWatch Logs tells it.
pub(crate) const READERS_WAITING_MAX: usize = 64;
