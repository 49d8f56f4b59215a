//! `StartSafeUpdate`: the update is surveyed and planned as the caller, and kept; from then on the server carries it out.

use domain::endpoint::Stage;
use domain::name::{EndpointConfigName, EndpointKey, EndpointName};
use domain::safe_update::Run;
use store::record::SafeUpdate;
use store::{Changes, State};
use wire::tidegate::StartSafeUpdateInput;

use super::{Choices, lender, survey, unknown_alarms};
use crate::Error;
use crate::context::{Context, name};
use crate::tidegate::{Refusal, lookup};

pub(in crate::tidegate) async fn start_safe_update(
    cx: &Context,
    input: StartSafeUpdateInput,
) -> Result<wire::tidegate::SafeUpdate, Error> {
    let endpoint: EndpointName = name("endpointName", &input.endpoint_name)?;
    let config: EndpointConfigName = name("endpointConfigName", &input.endpoint_config_name)?;
    refuse_if_under_way(&cx.store.state(), &endpoint)?;
    let request = Choices {
        keep_counts: input.keep_instance_counts,
        keep_weights: input.keep_weights,
        headroom_percent: input.headroom_percent,
        deployment_config: input.deployment_config,
        retain_deployment_config: input.retain_deployment_config,
    };
    let survey = survey(cx, &endpoint, &config).await?;
    let request = request.into();
    if let Some(words) = unknown_alarms(&cx.store.state(), &survey.facts.arn, &request) {
        return Err(Refusal::Invalid(words).into());
    }
    let run = Run::begin(survey.facts, survey.saved, request, cx.clock.now());
    begin(cx, run.map_err(Refusal::Invalid)?).await
}

/// Keeps a run that begins, with the caller's rights.
pub(super) async fn begin(cx: &Context, run: Run) -> Result<wire::tidegate::SafeUpdate, Error> {
    let lender = lender(cx);
    let begun = cx.decide(move |state| {
        let name = &run.facts.endpoint;
        refuse_if_under_way(state, name)?;
        // It may have gone since it was looked at, and what is kept for it goes with it.
        let endpoint = lookup::endpoint(state, name)?;
        if endpoint.stage == Stage::Deleting {
            return Err(Refusal::Invalid(format!("Endpoint {name} is being deleted.")).into());
        }
        let before = state.safe_updates.get(&EndpointKey::from(name));
        let update = SafeUpdate {
            turn: before.map_or(0, |before| before.turn) + 1,
            run,
            paused: false,
            started_by: lender.arn.clone(),
            lender,
        };
        Ok((Changes::none().put(update.clone()), update))
    });
    Ok(super::shown(cx, &begun.await?))
}

fn refuse_if_under_way(state: &State, endpoint: &EndpointName) -> Result<(), Refusal> {
    let Some(update) = state.safe_updates.get(&EndpointKey::from(endpoint)) else { return Ok(()) };
    let to = &update.run.facts.wanted.name;
    let (stands, then) = match (update.has_ended(), update.paused) {
        (true, _) => return Ok(()),
        (false, false) => ("is under way", "Wait for its end, or undo it."),
        (false, true) => ("stands still", "Resume or undo it first."),
    };
    Err(Refusal::InUse(format!("A safe update of endpoint {endpoint} to {to} {stands}. {then}")))
}
