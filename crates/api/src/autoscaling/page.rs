//! Pages of the Describe operations (`reference/autoscaling-and-cloudwatch.md`, section 1.7).
//!
//! A token is given whenever more remains. AWS leaves it out of some short pages, by which a client would miss records.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::scaling::{Refusal, TargetKey};

/// The largest page, which is also the default. A larger one is asked for in vain.
pub(super) const PAGE_MAX: usize = 50;

/// The largest page of policies, and the default.
pub(super) const POLICIES_PAGE_MAX: usize = 10;

/// A record's place in the order in which it is shown, by which a token says where the next page begins: a number
/// that counts first, then target and name.
pub(super) type Place = (i64, TargetKey, String);

/// The page that a request asks for.
#[derive(Debug)]
pub(super) struct Page {
    size: usize,
    /// Stands for what is listed and by what filters: a token of one query does not serve another.
    query: u64,
    from: Option<Place>,
}

impl Page {
    /// Reads `MaxResults` and `NextToken`. `query` is everything else that the request asks for.
    pub(super) fn read(
        query: impl Hash,
        size_max: usize,
        max_results: Option<i32>,
        next_token: Option<&str>,
    ) -> Result<Self, Refusal> {
        let size = match max_results.map(usize::try_from) {
            Some(Ok(size)) => size.min(size_max),
            Some(Err(_)) => return Err(Refusal::PageNegative),
            None => size_max,
        };
        let query = fingerprint(query);
        let from = next_token.map(|token| read_token(token, query)).transpose()?;
        Ok(Self { size, query, from })
    }

    /// The records of the page in the order of their places, and the token of the next page.
    pub(super) fn of<T>(
        &self,
        records: impl Iterator<Item = (Place, T)>,
    ) -> (Vec<T>, Option<String>) {
        let beyond = |place: &Place| self.from.as_ref().is_none_or(|from| place > from);
        let mut found: Vec<_> = records.filter(|(place, _)| beyond(place)).collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        let more = found.len() > self.size;
        found.truncate(self.size);
        let last = found.last().filter(|_| more);
        let token = last.and_then(|(place, _)| write_token(self.query, place));
        (found.into_iter().map(|(_, record)| record).collect(), token)
    }
}

/// Two servers of the same binary agree on it; more than that a token does not promise.
fn fingerprint(query: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    query.hash(&mut hasher);
    hasher.finish()
}

/// Opaque to clients.
fn write_token(query: u64, place: &Place) -> Option<String> {
    // A key and its strings have a JSON form always.
    let json = serde_json::to_vec(&(query, place)).ok()?;
    Some(URL_SAFE_NO_PAD.encode(json))
}

fn read_token(token: &str, query: u64) -> Result<Place, Refusal> {
    let json = URL_SAFE_NO_PAD.decode(token).map_err(|_| Refusal::NextToken)?;
    let (of, place): (u64, Place) =
        serde_json::from_slice(&json).map_err(|_| Refusal::NextToken)?;
    if of == query { Ok(place) } else { Err(Refusal::NextToken) }
}

#[cfg(test)]
mod tests {
    use domain::name::EndpointName;

    use super::*;

    fn records() -> impl Iterator<Item = (Place, u32)> {
        let place = |number: u32| {
            let endpoint: EndpointName = format!("e-{}", number % 4).parse().unwrap();
            let key = TargetKey { endpoint: (&endpoint).into(), variant: "main".parse().unwrap() };
            (i64::from(number % 3), key, format!("name-{number:02}"))
        };
        (0..60).map(move |number| (place(number), number))
    }

    fn read(size: Option<i32>, token: Option<&str>) -> Result<Page, Refusal> {
        Page::read(("policies", "filter"), PAGE_MAX, size, token)
    }

    #[test]
    fn pages_show_everything_once_in_one_order() {
        let mut whole: Vec<_> = records().collect();
        whole.sort();
        let whole: Vec<u32> = whole.into_iter().map(|(_, number)| number).collect();
        for size in [Some(1), Some(7), Some(50), Some(51), None] {
            let (mut all, mut token) = (Vec::new(), None::<String>);
            for _ in 0..100 {
                let (shown, next) = read(size, token.as_deref()).unwrap().of(records());
                assert!(shown.len() <= PAGE_MAX);
                all.extend(shown);
                token = next;
                if token.is_none() {
                    break;
                }
            }
            assert_eq!((all, token), (whole.clone(), None), "{size:?}");
        }
    }

    #[test]
    fn an_empty_page_has_no_token_and_a_negative_one_is_refused() {
        assert_eq!(read(Some(0), None).unwrap().of(records()), (Vec::new(), None));
        assert_eq!(read(Some(-1), None).err(), Some(Refusal::PageNegative));
    }

    #[test]
    fn a_token_serves_only_the_query_that_it_was_made_for() {
        let (_, token) = read(Some(5), None).unwrap().of(records());
        let token = token.unwrap();
        assert!(read(Some(9), Some(&token)).is_ok(), "the size may change");
        let other = Page::read(("policies", "other"), PAGE_MAX, None, Some(&token));
        assert_eq!(other.err(), Some(Refusal::NextToken));
        for bad in ["", "made up", "bnVsbA", &token[1..]] {
            assert_eq!(read(None, Some(bad)).err(), Some(Refusal::NextToken), "{bad}");
        }
    }
}
