//! Pages of the List operations: `MaxItems` and `Marker` in, `IsTruncated` and `Marker` out.

use std::ops::Bound;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::iam::NameKey;
use store::Table;
use store::record::Record;

use super::Refusal;

/// A page's size when a request does not say.
const PAGE_DEFAULT: usize = 100;

/// What a request asks for. A marker is the key of the last record shown, and serves one list only.
#[derive(Debug)]
pub(super) struct Page {
    list: &'static str,
    size: usize,
    after: Option<String>,
}

/// Some records, and the marker of those that follow.
#[derive(Debug, PartialEq)]
pub(super) struct Shown<T> {
    pub(super) records: Vec<T>,
    pub(super) is_truncated: Option<bool>,
    pub(super) marker: Option<String>,
}

impl Page {
    pub(super) fn read(
        list: &'static str,
        max_items: Option<i32>,
        marker: Option<&str>,
    ) -> Result<Self, Refusal> {
        // The model admits 1 to 1,000.
        let size = max_items.and_then(|size| usize::try_from(size).ok()).unwrap_or(PAGE_DEFAULT);
        let after = marker.map(|marker| read_marker(list, marker).ok_or(Refusal::Marker));
        Ok(Self { list, size, after: after.transpose()? })
    }

    /// What a table that is listed by its own keys has from this page on: no page looks at those before it.
    pub(super) fn rest<'a, R: Record<Key = NameKey>>(
        &self,
        table: &'a Table<R>,
    ) -> impl Iterator<Item = (&'a NameKey, &'a Arc<R>)> + use<'a, R> {
        let after = self.after.as_deref().map(NameKey::new);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        table.range((from, Bound::Unbounded))
    }

    /// The page of records that come in the order of their keys.
    pub(super) fn of<T>(&self, records: impl IntoIterator<Item = (String, T)>) -> Shown<T> {
        let beyond = |key: &String| self.after.as_ref().is_none_or(|after| key > after);
        let mut rest = records.into_iter().filter(|(key, _)| beyond(key));
        let (mut records, mut last) = (Vec::new(), None);
        for (key, record) in rest.by_ref().take(self.size) {
            records.push(record);
            last = Some(key);
        }
        let more = rest.next().is_some();
        let marker = last.filter(|_| more).map(|key| write_marker(self.list, &key));
        Shown { records, is_truncated: Some(more), marker }
    }

    /// The page of records that have no key but their place.
    pub(super) fn of_places<T>(&self, records: impl IntoIterator<Item = T>) -> Shown<T> {
        // Ten digits, so that the order of the texts is that of the numbers.
        self.of(records
            .into_iter()
            .zip(0_u64..)
            .map(|(record, place)| (format!("{place:010}"), record)))
    }
}

/// Opaque to clients; short enough for the 320 characters that the model admits, as names have 128 at most.
fn write_marker(list: &str, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{key}"))
}

fn read_marker(list: &str, marker: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(marker).ok()?).ok()?;
    let key = text.strip_prefix(list)?.strip_prefix(':')?;
    Some(key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_show_everything_once() {
        let records = || (0..10).map(|number| (format!("{number:02}"), number));
        for size in [1, 3, 9, 10, 11] {
            let (mut all, mut marker) = (Vec::new(), None::<String>);
            for _ in 0..=10 {
                let page = Page::read("l", Some(size), marker.as_deref()).unwrap().of(records());
                assert_eq!(page.is_truncated, Some(page.marker.is_some()));
                all.extend(page.records);
                marker = page.marker;
                if marker.is_none() {
                    break;
                }
            }
            assert_eq!(all, (0..10).collect::<Vec<_>>(), "{size}");
        }
        let page = Page::read("l", None, None).unwrap().of_places(0..101);
        assert_eq!((page.records.len(), page.marker.is_some()), (100, true));
    }

    #[test]
    fn a_marker_serves_one_list() {
        let marker = write_marker("users", "alice");
        assert!(Page::read("users", None, Some(&marker)).is_ok());
        for (list, bad) in [("roles", marker.as_str()), ("users", "nonsense"), ("users", "")] {
            assert_eq!(Page::read(list, None, Some(bad)).err(), Some(Refusal::Marker));
        }
    }
}
