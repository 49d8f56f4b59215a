//! `DescribeScheduledActions`: in the order of targets and names.

use std::sync::Arc;

use domain::scaling::ScheduledAction;
use wire::application_autoscaling::{
    DescribeScheduledActionsRequest, DescribeScheduledActionsResponse,
};

use super::lookup::Asked;
use super::page::{PAGE_MAX, Page};
use super::shown;
use crate::{Context, Error};

pub(super) fn describe_scheduled_actions(
    cx: &Context,
    input: DescribeScheduledActionsRequest,
) -> Result<DescribeScheduledActionsResponse, Error> {
    let names = input.scheduled_action_names.unwrap_or_default();
    let asked = Asked::read(input.service_namespace, input.scalable_dimension, &input.resource_id)?;
    let query = ("scheduled", input.service_namespace.as_str(), &names, &input.resource_id);
    let page = Page::read(query, PAGE_MAX, input.max_results, input.next_token.as_deref())?;
    let state = cx.store.state();
    let actions: Vec<&Arc<ScheduledAction>> = match &asked {
        Asked::All => state.scheduled_actions.values().collect(),
        Asked::Of(keys) => keys.iter().flat_map(|key| state.scheduled_actions_of(key)).collect(),
    };
    let places = actions
        .into_iter()
        .filter(|action| names.is_empty() || names.contains(&action.name))
        .map(|action| ((0, action.target.clone(), action.name.clone()), action));
    let (found, next_token) = page.of(places);
    let shown = found.into_iter().filter_map(|action| {
        let target = state.targets.get(&action.target)?;
        Some(shown::scheduled_action(target, action, &cx.scope))
    });
    Ok(DescribeScheduledActionsResponse { scheduled_actions: Some(shown.collect()), next_token })
}
