//! Listing: a walk through the keys in their order that jumps over what a common prefix stands for.

use rusqlite::{Connection, Rows, params};

use super::super::error::BucketError;
use super::super::record::ObjectRecord;
use super::{Index, bucket, from_json, text, unsigned};

/// Where a listing (re)starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// At this key, if it is there.
    At(Vec<u8>),
    /// Behind this key.
    After(Vec<u8>),
}

/// What to list.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    pub prefix: &'a str,
    /// Empty: none.
    pub delimiter: &'a str,
    pub from: Option<Cursor>,
    /// Objects and common prefixes together.
    pub most: usize,
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    Object(String, Box<ObjectRecord>),
    Prefix(String),
}

/// Lines, and where the next page starts if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub lines: Vec<Listed>,
    pub next: Option<Cursor>,
}

impl Index {
    pub(crate) fn list(&self, bucket: &str, query: &Query<'_>) -> Result<Page, BucketError> {
        self.read(|connection| {
            bucket::require(connection, bucket)?;
            walk(connection, bucket, query)
        })
    }
}

fn walk(connection: &Connection, bucket: &str, query: &Query<'_>) -> Result<Page, BucketError> {
    let mut page = Page { lines: Vec::new(), next: None };
    if query.most == 0 {
        return Ok(page);
    }
    let prefix = query.prefix.as_bytes();
    let end = successor(prefix);
    let start = Cursor::At(prefix.to_vec());
    let mut from = match &query.from {
        Some(cursor) if position(cursor) > position(&start) => cursor.clone(),
        _ => start,
    };
    loop {
        let (key, behind) = match &from {
            Cursor::At(key) => (key, false),
            Cursor::After(key) => (key, true),
        };
        let mut statement = connection.prepare_cached(
            "SELECT key, size, etag, modified_ms, attributes FROM object
             WHERE bucket = ?1 AND key >= ?2 AND (NOT ?3 OR key <> ?2) AND (?4 IS NULL OR key < ?4) ORDER BY key",
        )?;
        let mut rows = statement.query(params![bucket, key, behind, end])?;
        match stretch(&mut rows, query, &mut page)? {
            // A common prefix: go on behind everything it stands for.
            Stretch::Prefix(common) => match successor(&common) {
                Some(next) => from = Cursor::At(next),
                None => return Ok(page),
            },
            Stretch::End => return Ok(page),
        }
    }
}

enum Stretch {
    Prefix(Vec<u8>),
    End,
}

/// Rows up to the first common prefix, the end, or a full page.
fn stretch(
    rows: &mut Rows<'_>,
    query: &Query<'_>,
    page: &mut Page,
) -> Result<Stretch, BucketError> {
    while let Some(row) = rows.next()? {
        let key: Vec<u8> = row.get(0)?;
        if page.lines.len() == query.most {
            page.next = page.lines.last().and_then(|line| match line {
                Listed::Object(key, _) => Some(Cursor::After(key.clone().into_bytes())),
                Listed::Prefix(prefix) => successor(prefix.as_bytes()).map(Cursor::At),
            });
            return Ok(Stretch::End);
        }
        if let Some(common) = common_prefix(&key, query) {
            page.lines.push(Listed::Prefix(text(common.to_vec())?));
            return Ok(Stretch::Prefix(common.to_vec()));
        }
        let attributes: String = row.get(4)?;
        let record = ObjectRecord {
            size: unsigned(row, 1)?,
            etag: row.get(2)?,
            modified_ms: row.get(3)?,
            attributes: from_json(&attributes)?,
        };
        page.lines.push(Listed::Object(text(key)?, Box::new(record)));
    }
    Ok(Stretch::End)
}

/// The part of `key` up to and with the first delimiter behind the prefix.
fn common_prefix<'a>(key: &'a [u8], query: &Query<'_>) -> Option<&'a [u8]> {
    let delimiter = query.delimiter.as_bytes();
    if delimiter.is_empty() {
        return None;
    }
    let rest = key.get(query.prefix.len()..)?;
    let at = rest.windows(delimiter.len()).position(|window| window == delimiter)?;
    key.get(..query.prefix.len() + at + delimiter.len())
}

/// The least byte string above all that start with `prefix`; `None` if there is none. Bytes of UTF-8 never reach 0xFF.
pub(in super::super) fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

fn position(cursor: &Cursor) -> (&[u8], bool) {
    match cursor {
        Cursor::At(key) => (key, false),
        Cursor::After(key) => (key, true),
    }
}

/// Where a listing goes on after `marker`. A marker that is itself a common prefix stands for all it rolls up.
pub(in super::super) fn after_marker(marker: &str, query: &Query<'_>) -> Option<Cursor> {
    if marker.is_empty() {
        return None;
    }
    let bytes = marker.as_bytes();
    if marker.starts_with(query.prefix) && common_prefix(bytes, query) == Some(bytes) {
        return successor(bytes).map(Cursor::At);
    }
    Some(Cursor::After(bytes.to_vec()))
}
