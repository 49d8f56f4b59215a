//! `PlanSafeUpdate`: the survey is made as the caller, and nothing is changed.

use ::safe_update::shown;
use domain::name::{EndpointConfigName, EndpointName};
use domain::safe_update::{Request, Verdict, plan};
use wire::tidegate::{PlanSafeUpdateInput, SafeUpdatePlan};

use super::{Choices, survey, unknown_alarms};
use crate::Error;
use crate::context::{Context, name};

pub(in crate::tidegate) async fn plan_safe_update(
    cx: &Context,
    input: PlanSafeUpdateInput,
) -> Result<SafeUpdatePlan, Error> {
    let endpoint: EndpointName = name("endpointName", &input.endpoint_name)?;
    let config: EndpointConfigName = name("endpointConfigName", &input.endpoint_config_name)?;
    let choices = Choices {
        keep_counts: input.keep_instance_counts,
        keep_weights: input.keep_weights,
        headroom_percent: input.headroom_percent,
        deployment_config: input.deployment_config,
        retain_deployment_config: input.retain_deployment_config,
    };
    let facts = survey(cx, &endpoint, &config).await?.facts;
    let request = Request::from(choices);
    let mut plan = plan(&facts, &request);
    if let Some(words) = unknown_alarms(&cx.store.state(), &facts.arn, &request) {
        plan.notes.insert(plan.obstacles.len(), words.clone());
        plan.obstacles.push(words.clone());
        if !matches!(plan.verdict, Verdict::Refused(_)) {
            plan.verdict = Verdict::Refused(words);
        }
    }
    Ok(shown::plan(&facts, &request, &plan))
}
