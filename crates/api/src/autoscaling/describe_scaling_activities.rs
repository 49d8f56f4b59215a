//! `DescribeScalingActivities`: the newest first, also of what is no longer registered.

use std::sync::Arc;
use std::time::Duration;

use domain::scaling::{Activity, TargetKey};
use domain::time::Timestamp;
use wire::application_autoscaling::{
    DescribeScalingActivitiesRequest, DescribeScalingActivitiesResponse,
};

use super::lookup::Asked;
use super::page::{PAGE_MAX, Page};
use super::shown;
use crate::{Context, Error};

/// How far back activities are shown (`reference/autoscaling-and-cloudwatch.md`, section 1.4): six weeks.
const SHOWN_FOR: Duration = Duration::from_hours(6 * 7 * 24);

pub(super) fn describe_scaling_activities(
    cx: &Context,
    input: &DescribeScalingActivitiesRequest,
) -> Result<DescribeScalingActivitiesResponse, Error> {
    let not_scaled = input.include_not_scaled_activities.unwrap_or(false);
    let asked = Asked::read(input.service_namespace, input.scalable_dimension, &input.resource_id)?;
    let query = ("activities", input.service_namespace.as_str(), &input.resource_id, not_scaled);
    // A negative size makes an empty list here, and an error everywhere else.
    let size = input.max_results.map(|size| size.max(0));
    let page = Page::read(query, PAGE_MAX, size, input.next_token.as_deref())?;
    let state = cx.store.state();
    let shown_for = i64::try_from(SHOWN_FOR.as_millis()).unwrap_or(i64::MAX);
    let since = Timestamp::from_millis(cx.clock.now().as_millis().saturating_sub(shown_for));
    let activities: Vec<&Arc<Activity>> = match &asked {
        Asked::All => state.activities.values().collect(),
        Asked::Of(keys) => keys.iter().flat_map(|key| state.activities_of(key)).collect(),
    };
    let places = activities
        .into_iter()
        .filter(|activity| activity.started_at >= since)
        .filter(|activity| not_scaled || activity.not_scaled.is_none())
        .map(|activity| {
            let newest_first = activity.started_at.as_millis().saturating_neg();
            let place =
                (newest_first, TargetKey::from(&activity.resource), activity.id.to_string());
            (place, activity)
        });
    let (found, next_token) = page.of(places);
    Ok(DescribeScalingActivitiesResponse {
        scaling_activities: Some(found.into_iter().map(|one| shown::activity(one)).collect()),
        next_token,
    })
}
