//! `DescribeScalableTargets`: in the order of endpoints and variants.

use domain::scaling::TargetKey;
use wire::application_autoscaling::{
    DescribeScalableTargetsRequest, DescribeScalableTargetsResponse,
};

use super::lookup::Asked;
use super::page::{PAGE_MAX, Page};
use super::shown;
use crate::{Context, Error};

pub(super) fn describe_scalable_targets(
    cx: &Context,
    input: DescribeScalableTargetsRequest,
) -> Result<DescribeScalableTargetsResponse, Error> {
    let ids = input.resource_ids.unwrap_or_default();
    let asked = Asked::read(input.service_namespace, input.scalable_dimension, &ids)?;
    let query = ("targets", input.service_namespace.as_str(), &ids);
    let page = Page::read(query, PAGE_MAX, input.max_results, input.next_token.as_deref())?;
    let state = cx.store.state();
    let targets: Vec<_> = match &asked {
        Asked::All => state.targets.values().collect(),
        Asked::Of(keys) => keys.iter().filter_map(|key| state.targets.get(key)).collect(),
    };
    let place =
        |target: &domain::scaling::Target| (0, TargetKey::from(&target.resource), String::new());
    let (found, next_token) = page.of(targets.into_iter().map(|target| (place(target), target)));
    Ok(DescribeScalableTargetsResponse {
        scalable_targets: Some(
            found.into_iter().map(|target| shown::target(target, &cx.scope)).collect(),
        ),
        next_token,
    })
}
