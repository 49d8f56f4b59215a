//! Filters, sort orders and pages of the List operations (`reference/sagemaker-hosting.md`, section 0, "Pagination").

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::time::Timestamp;

use crate::Error;

/// What `MaxResults` is when a request does not say.
const PAGE_DEFAULT: usize = 10;

/// What a List request asks for, whatever it lists.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// What is listed: a token of one list does not serve another.
    pub list: &'static str,
    pub name_contains: Option<String>,
    pub created: Range,
    pub modified: Range,
    pub order: Order,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
}

/// The query of a List request. AWS models three inputs with the same members; only what they sort by differs.
macro_rules! query {
    ($list:literal of $input:ident sorted by $by:expr) => {
        Query {
            list: $list,
            name_contains: $input.name_contains,
            created: Range {
                before: $input.creation_time_before,
                after: $input.creation_time_after,
                after_inclusive: true,
            },
            order: Order {
                by: $by,
                ascending: $input.sort_order == Some(wire::sagemaker::OrderKey::Ascending),
            },
            max_results: $input.max_results,
            next_token: $input.next_token,
            ..Query::default()
        }
    };
}
pub(super) use query;

/// `After` is inclusive for creation times, all other bounds are exclusive.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Range {
    pub before: Option<wire::Timestamp>,
    pub after: Option<wire::Timestamp>,
    pub after_inclusive: bool,
}

impl Range {
    fn holds(self, at: Timestamp) -> bool {
        let at = at.as_millis();
        let after = |bound: wire::Timestamp| {
            if self.after_inclusive { at >= bound.0 } else { at > bound.0 }
        };
        self.before.is_none_or(|bound| at < bound.0) && self.after.is_none_or(after)
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    pub by: SortBy,
    pub ascending: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum SortBy {
    Name,
    #[default]
    CreationTime,
    Status,
}

/// One resource with what it is filtered and sorted by.
#[derive(Debug)]
pub(super) struct Item<T> {
    pub name: String,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub status: &'static str,
    pub shown: T,
}

/// A place in the sorted list: where the next page begins.
type Place = (i64, String, String);

impl<T> Item<T> {
    fn place(&self, by: SortBy) -> Place {
        match by {
            SortBy::Name => (0, String::new(), self.name.clone()),
            SortBy::CreationTime => (self.created_at.as_millis(), String::new(), self.name.clone()),
            SortBy::Status => (0, self.status.to_owned(), self.name.clone()),
        }
    }
}

/// The page that a query asks for, and the token of the next one.
pub(super) fn page<T>(
    items: impl Iterator<Item = Item<T>>,
    query: &Query,
) -> Result<(Vec<T>, Option<String>), Error> {
    let Order { by, ascending } = query.order;
    let from = query.next_token.as_deref().map(|token| read_token(token, query)).transpose()?;
    let beyond = |place: &Place| {
        from.as_ref().is_none_or(|from| if ascending { place > from } else { place < from })
    };
    let contains =
        |name: &str| query.name_contains.as_deref().is_none_or(|part| name.contains(part));
    let mut found: Vec<(Place, T)> = items
        .filter(|item| contains(&item.name) && query.created.holds(item.created_at))
        .filter(|item| query.modified.holds(item.modified_at))
        .map(|item| (item.place(by), item.shown))
        .filter(|(place, _)| beyond(place))
        .collect();
    found.sort_by(|(a, _), (b, _)| if ascending { a.cmp(b) } else { b.cmp(a) });
    let size = query.max_results.and_then(|max| max.try_into().ok()).unwrap_or(PAGE_DEFAULT);
    let more = found.len() > size;
    found.truncate(size);
    let token = found.last().filter(|_| more).map(|(place, _)| write_token(place, query));
    Ok((found.into_iter().map(|(_, shown)| shown).collect(), token))
}

/// Opaque to clients: the list, its order, and the last place shown.
fn write_token((number, status, name): &Place, query: &Query) -> String {
    let Order { by, ascending } = query.order;
    let token = serde_json::json!([query.list, by as u8, ascending, number, status, name]);
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn read_token(token: &str, query: &Query) -> Result<Place, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Error::BadToken)?;
    let read: (String, u8, bool, i64, String, String) =
        serde_json::from_slice(&bytes).map_err(|_| Error::BadToken)?;
    let (list, by, ascending, number, status, name) = read;
    let Order { by: wanted, ascending: upwards } = query.order;
    if (list.as_str(), by, ascending) == (query.list, wanted as u8, upwards) {
        Ok((number, status, name))
    } else {
        Err(Error::BadToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> impl Iterator<Item = Item<u32>> {
        let item = |number: u32| Item {
            name: format!("e-{number:02}"),
            created_at: Timestamp::from_millis(i64::from(number / 3)),
            modified_at: Timestamp::from_millis(i64::from(number)),
            status: if number.is_multiple_of(2) { "InService" } else { "Failed" },
            shown: number,
        };
        (0..25).map(item)
    }

    fn walk(query: &mut Query) -> Vec<u32> {
        let mut all = Vec::new();
        for _ in 0..10 {
            let (shown, token) = page(items(), query).unwrap();
            all.extend(shown);
            query.next_token = token;
            if query.next_token.is_none() {
                return all;
            }
        }
        panic!("the pages do not end");
    }

    #[test]
    fn pages_show_everything_once_in_every_order() {
        for by in [SortBy::Name, SortBy::CreationTime, SortBy::Status] {
            for ascending in [true, false] {
                let order = Order { by, ascending };
                let shown = walk(&mut Query { order, max_results: Some(4), ..Query::default() });
                let whole = walk(&mut Query { order, max_results: Some(100), ..Query::default() });
                assert_eq!(shown, whole, "{order:?}");
                assert_eq!(shown.len(), 25);
            }
        }
    }

    #[test]
    fn filters_follow_their_bounds() {
        let at = |millis| Some(wire::Timestamp(millis));
        let created = Range { after: at(7), after_inclusive: true, before: at(8) };
        let modified = Range { after: at(21), after_inclusive: false, before: None };
        let found = walk(&mut Query { created, modified, ..Query::default() });
        assert_eq!(found, [23, 22]);
        let named = walk(&mut Query { name_contains: Some("-2".into()), ..Query::default() });
        assert_eq!(named, [24, 23, 22, 21, 20]);
    }

    #[test]
    fn a_token_serves_only_the_order_it_was_made_for() {
        let by_name = Order { by: SortBy::Name, ascending: true };
        let (_, token) = page(items(), &Query { order: by_name, ..Query::default() }).unwrap();
        let elsewhere =
            Query { list: "others", order: by_name, next_token: token.clone(), ..Query::default() };
        assert!(matches!(page(items(), &elsewhere), Err(Error::BadToken)));
        for next_token in [token, Some("nonsense".into()), Some(String::new())] {
            assert!(matches!(
                page(items(), &Query { next_token, ..Query::default() }),
                Err(Error::BadToken)
            ));
        }
    }
}
