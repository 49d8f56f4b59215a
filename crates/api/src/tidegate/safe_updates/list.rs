//! `ListSafeUpdates`: by the names of the endpoints, page by page.

use std::ops::Bound;

use domain::name::{EndpointKey, EndpointName};
use wire::tidegate::{ListSafeUpdatesInput, ListSafeUpdatesOutput};

use ::safe_update::shown;

use crate::{Context, Error};

/// Safe updates on a page when a request does not say; also the most there can be.
const PAGE_MAX: usize = 100;

/// A token is the name of the endpoint that the page before ended with: what comes and goes between two pages moves nothing
/// else.
pub(in crate::tidegate) fn list_safe_updates(
    cx: &Context,
    input: &ListSafeUpdatesInput,
) -> Result<ListSafeUpdatesOutput, Error> {
    let after = input.next_token.as_deref().map(str::parse::<EndpointName>);
    let after = after.transpose().map_err(|_| Error::BadToken)?;
    let from = after.map_or(Bound::Unbounded, |name| Bound::Excluded(EndpointKey::from(&name)));
    let asked = input.max_results.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE_MAX);
    let page_max = asked.clamp(1, PAGE_MAX);
    let state = cx.store.state();
    let mut found = state.safe_updates.range((from, Bound::Unbounded)).map(|(_, update)| update);
    let page: Vec<_> = found.by_ref().take(page_max).collect();
    let more = found.next().is_some();
    let last = page.last().filter(|_| more);
    Ok(ListSafeUpdatesOutput {
        next_token: last.map(|update| update.run.facts.endpoint.to_string()),
        safe_updates: page
            .iter()
            .map(|update| shown::summary(&update.run, update.is_running()))
            .collect(),
    })
}
