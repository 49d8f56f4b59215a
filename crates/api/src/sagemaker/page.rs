//! Filters, sort orders and pages of the List operations (`reference/sagemaker-hosting.md`, section 0, "Pagination").
//!
//! A page is read from its place in the order that is asked for, so that it costs the same however long the list is.
//! Only the order of statuses, which change all the time, is made anew for each page.

use std::ops::Bound;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::endpoint::Endpoint;
use domain::endpoint_config::EndpointConfig;
use domain::model::Model;
use domain::name::{EndpointConfigName, EndpointKey, EndpointName, ModelName};
use domain::time::Timestamp;
use store::State;
use store::record::Listed;

use crate::Error;

/// What `MaxResults` is when a request does not say.
const PAGE_DEFAULT: usize = 10;

/// What a List request asks for, whatever it lists.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub name_contains: Option<String>,
    pub created: Range,
    pub modified: Range,
    pub order: Order,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
}

/// The query of a List request. AWS models three inputs with the same members; only what they sort by differs.
macro_rules! query {
    ($input:ident sorted by $by:expr) => {
        Query {
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

/// What a List operation lists, by what it is filtered and sorted.
pub(super) trait Resource: Listed {
    /// A token of one list does not serve another.
    const LIST: &'static str;

    fn name(&self) -> &str;
    fn modified_at(&self) -> Timestamp;
    fn status(&self) -> &'static str;
    /// The key of the resource of this name, if that is a name.
    fn key_of(name: &str) -> Option<Self::Key>;
}

impl Resource for Model {
    const LIST: &'static str = "models";

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn modified_at(&self) -> Timestamp {
        self.created_at
    }

    fn status(&self) -> &'static str {
        ""
    }

    fn key_of(name: &str) -> Option<ModelName> {
        ModelName::from_str(name).ok()
    }
}

impl Resource for EndpointConfig {
    const LIST: &'static str = "configs";

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn modified_at(&self) -> Timestamp {
        self.created_at
    }

    fn status(&self) -> &'static str {
        ""
    }

    fn key_of(name: &str) -> Option<EndpointConfigName> {
        EndpointConfigName::from_str(name).ok()
    }
}

impl Resource for Endpoint {
    const LIST: &'static str = "endpoints";

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn modified_at(&self) -> Timestamp {
        self.modified_at
    }

    fn status(&self) -> &'static str {
        self.stage.status()
    }

    fn key_of(name: &str) -> Option<EndpointKey> {
        EndpointName::from_str(name).ok().map(|name| EndpointKey::from(&name))
    }
}

/// The resource that a page ended with: the next begins beyond it, whether or not it is still there.
#[derive(Debug)]
struct Last<K> {
    created_at: Timestamp,
    status: String,
    key: K,
}

/// The page of those resources that a query asks for and `keep` lets pass, and the token of the next one.
pub(super) fn page<'a, R: Resource>(
    state: &'a State,
    query: &Query,
    keep: impl Fn(&R) -> bool,
) -> Result<(Vec<&'a R>, Option<String>), Error> {
    let last =
        query.next_token.as_deref().map(|token| read_token::<R>(token, query)).transpose()?;
    let wanted = |one: &&R| {
        let contains = |part: &str| one.name().contains(part);
        query.name_contains.as_deref().is_none_or(contains)
            && query.created.holds(one.created_at())
            && query.modified.holds(one.modified_at())
            && keep(one)
    };
    let size = query.max_results.and_then(|max| max.try_into().ok()).unwrap_or(PAGE_DEFAULT);
    let mut found: Vec<&R> =
        beyond::<R>(state, query.order, last.as_ref()).filter(wanted).take(size + 1).collect();
    let more = found.len() > size;
    found.truncate(size);
    let token = found.last().filter(|_| more).map(|one| write_token(*one, query));
    Ok((found, token))
}

/// All resources beyond a place, in an order.
fn beyond<'a, R: Resource>(
    state: &'a State,
    Order { by, ascending }: Order,
    last: Option<&Last<R::Key>>,
) -> Box<dyn Iterator<Item = &'a R> + 'a> {
    match by {
        SortBy::Name => {
            let range = R::table(state).range(bounds(last.map(|last| last.key.clone()), ascending));
            in_direction(range.map(|(_, one)| &**one), ascending)
        }
        SortBy::CreationTime => {
            let last = last.map(|last| (last.created_at, last.key.clone()));
            let range = R::timeline(state).range(bounds(last, ascending));
            in_direction(range.map(|(_, one)| &**one), ascending)
        }
        SortBy::Status => {
            let place = |one: &R| (one.status(), one.key());
            let last = last.map(|last| (last.status.as_str(), last.key.clone()));
            let is_beyond = |one: &&R| match &last {
                Some(last) if ascending => place(one) > *last,
                Some(last) => place(one) < *last,
                None => true,
            };
            let all = R::table(state).values().map(|one| &**one);
            let mut sorted: Vec<&R> = all.filter(is_beyond).collect();
            sorted.sort_by_cached_key(|one| place(one));
            in_direction(sorted.into_iter(), ascending)
        }
    }
}

fn bounds<K>(last: Option<K>, ascending: bool) -> (Bound<K>, Bound<K>) {
    match last {
        None => (Bound::Unbounded, Bound::Unbounded),
        Some(last) if ascending => (Bound::Excluded(last), Bound::Unbounded),
        Some(last) => (Bound::Unbounded, Bound::Excluded(last)),
    }
}

fn in_direction<'a, T: 'a>(
    items: impl DoubleEndedIterator<Item = T> + 'a,
    ascending: bool,
) -> Box<dyn Iterator<Item = T> + 'a> {
    if ascending { Box::new(items) } else { Box::new(items.rev()) }
}

/// Opaque to clients: the list, its order, and the last place shown.
fn write_token<R: Resource>(last: &R, query: &Query) -> String {
    let Order { by, ascending } = query.order;
    let created_at = last.created_at().as_millis();
    let token =
        serde_json::json!([R::LIST, by as u8, ascending, created_at, last.status(), last.name()]);
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn read_token<R: Resource>(token: &str, query: &Query) -> Result<Last<R::Key>, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Error::BadToken)?;
    let read: (String, u8, bool, i64, String, String) =
        serde_json::from_slice(&bytes).map_err(|_| Error::BadToken)?;
    let (list, by, ascending, created_at, status, name) = read;
    let Order { by: wanted, ascending: upwards } = query.order;
    if (list.as_str(), by, ascending) != (R::LIST, wanted as u8, upwards) {
        return Err(Error::BadToken);
    }
    let key = R::key_of(&name).ok_or(Error::BadToken)?;
    Ok(Last { created_at: Timestamp::from_millis(created_at), status, key })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::endpoint::{Parts, Stage};
    use domain::instance::DeploymentId;
    use store::memory::Disk;
    use store::record::Record as _;
    use store::{Changes, MemoryStore, Store, decide};

    use super::*;

    fn endpoint(number: u32) -> Endpoint {
        let read = |text: &str| serde_json::from_str(text).unwrap();
        let at = |millis: u32| Timestamp::from_millis(i64::from(millis));
        let variants = r#"{"ProductionVariants": [{"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1, "InitialVariantWeight": 1.0}]}"#;
        let name = "c".parse().unwrap();
        let config = Arc::new(EndpointConfig { name, created_at: at(0), members: read(variants) });
        let container = r#"{"PrimaryContainer": {"Image": "tidegate/echo"}}"#;
        let name = "m".parse().unwrap();
        let model = Arc::new(Model { name, created_at: at(0), members: read(container) });
        let parts = Parts { id: DeploymentId(1), config, models: vec![model] };
        // Keys disregard the case, so that both spellings are mixed in every order.
        let name = format!("{}-{number:02}", if number.is_multiple_of(5) { "E" } else { "e" });
        let made = Endpoint::create(name.parse().unwrap(), &parts, None, at(number / 3)).unwrap();
        let stage = if number.is_multiple_of(2) { Stage::InService } else { Stage::Failed };
        Endpoint { stage, modified_at: at(number), ..made }
    }

    async fn state() -> Arc<State> {
        let store = MemoryStore::open(Disk::default()).unwrap();
        let put = decide(&store, |_: &State| -> Result<_, ()> {
            // An endpoint that changes keeps its place in time, and one that is deleted loses it.
            let all = (0..26).chain(0..26).map(endpoint);
            let all = all.fold(Changes::none(), Changes::put);
            Ok((all.delete::<Endpoint>(EndpointKey::from(&endpoint(25).name)), ()))
        });
        put.await.unwrap();
        store.state()
    }

    fn number(endpoint: &Endpoint) -> u32 {
        endpoint.name.as_str()[2..].parse().unwrap()
    }

    fn walk(state: &State, mut query: Query) -> Vec<u32> {
        let mut all = Vec::new();
        for _ in 0..10 {
            let (shown, token) = page(state, &query, |_: &Endpoint| true).unwrap();
            all.extend(shown.into_iter().map(number));
            query.next_token = token;
            if query.next_token.is_none() {
                return all;
            }
        }
        panic!("the pages do not end");
    }

    #[tokio::test]
    async fn pages_show_everything_once_in_every_order() {
        let state = state().await;
        let by_number: Vec<u32> = (0..25).collect();
        let by_status: Vec<u32> =
            (0..25).filter(|it| it % 2 == 1).chain((0..25).step_by(2)).collect();
        for (by, expected) in [
            (SortBy::Name, &by_number),
            (SortBy::CreationTime, &by_number),
            (SortBy::Status, &by_status),
        ] {
            for ascending in [true, false] {
                let mut expected = expected.clone();
                if !ascending {
                    expected.reverse();
                }
                for size in [3, 4, 25, 100] {
                    let order = Order { by, ascending };
                    let query = Query { order, max_results: Some(size), ..Query::default() };
                    assert_eq!(walk(&state, query), expected, "{order:?} by {size}");
                }
            }
        }
    }

    #[tokio::test]
    async fn filters_follow_their_bounds() {
        let state = state().await;
        let at = |millis| Some(wire::Timestamp(millis));
        let created = Range { after: at(7), after_inclusive: true, before: at(8) };
        let modified = Range { after: at(21), after_inclusive: false, before: None };
        assert_eq!(walk(&state, Query { created, modified, ..Query::default() }), [23, 22]);
        let named = Query { name_contains: Some("-2".into()), ..Query::default() };
        assert_eq!(walk(&state, named), [24, 23, 22, 21, 20]);
        let (kept, _) =
            page(&state, &Query::default(), |it: &Endpoint| it.stage == Stage::Failed).unwrap();
        assert_eq!(kept.into_iter().map(number).collect::<Vec<_>>()[..3], [23, 21, 19]);
    }

    #[tokio::test]
    async fn a_page_goes_on_where_the_last_one_ended_though_that_is_gone() {
        let state = state().await;
        for by in [SortBy::Name, SortBy::CreationTime, SortBy::Status] {
            let order = Order { by, ascending: true };
            let query = Query { order, ..Query::default() };
            let (first, next_token) = page::<Endpoint>(&state, &query, |_| true).unwrap();
            let last = first.last().unwrap().key();
            let mut state = (*state).clone();
            state.endpoints.remove_mut(&last);
            let query = Query { next_token, ..query };
            let (second, _) = page::<Endpoint>(&state, &query, |_| true).unwrap();
            assert_eq!((first.len(), second.len()), (10, 10), "{by:?}");
            assert!(first.iter().all(|one| second.iter().all(|other| one.name != other.name)));
        }
    }

    #[tokio::test]
    async fn a_token_serves_only_the_order_it_was_made_for() {
        let state = state().await;
        let order = Order { by: SortBy::Name, ascending: true };
        let (_, token) =
            page::<Endpoint>(&state, &Query { order, ..Query::default() }, |_| true).unwrap();
        let elsewhere = Query { order, next_token: token.clone(), ..Query::default() };
        assert!(matches!(page::<Model>(&state, &elsewhere, |_| true), Err(Error::BadToken)));
        for next_token in [token, Some("nonsense".into()), Some(String::new())] {
            let query = Query { next_token, ..Query::default() };
            assert!(matches!(page::<Endpoint>(&state, &query, |_| true), Err(Error::BadToken)));
        }
    }
}
