//! `ListMetrics`: metrics with data in the last two weeks, in the order of namespace, name and dimensions.

use std::sync::Arc;

use domain::metric::MetricId;
use metrics::Filter;
use wire::cloudwatch::{ListMetricsInput, ListMetricsOutput};

use super::apart::apart;
use super::{members, token};
use crate::{Context, Error};

/// Metrics on a page (section 6.2).
const PAGE: usize = 500;

const LIST: &str = "ListMetrics";

pub(super) async fn list_metrics(
    cx: &Context,
    input: ListMetricsInput,
) -> Result<ListMetricsOutput, Error> {
    let after: Option<MetricId> = token::read(LIST, input.next_token.as_deref())?;
    let account = cx.scope.account.clone();
    let others = input.owning_account.as_ref().is_some_and(|owner| *owner != account);
    let dimensions = input.dimensions.unwrap_or_default();
    let filter = Filter {
        namespace: input.namespace,
        name: input.metric_name,
        dimensions: dimensions.into_iter().map(|one| (one.name, one.value)).collect(),
        recently_active: input.recently_active.is_some(),
    };
    let mut found = Vec::new();
    if !others {
        let (metrics, now) = (Arc::clone(&cx.metrics), cx.clock.now());
        // One more than a page, to know whether there is another.
        found = apart(move || metrics.list(&filter, after.as_ref(), PAGE + 1, now)).await?;
    }
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let next_token = found.last().filter(|_| more).map(|last| token::write(LIST, last));
    let linked = input.include_linked_accounts == Some(true);
    Ok(ListMetricsOutput {
        owning_accounts: linked.then(|| vec![account; found.len()]),
        metrics: Some(found.iter().map(members::shown_metric).collect()),
        next_token,
    })
}
