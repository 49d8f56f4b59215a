//! `ResumeSafeUpdate`: whoever resumes lends their own rights from then on.

use domain::name::EndpointName;
use domain::safe_update::{Outcome, Phase, Run};
use store::State;
use wire::tidegate::ResumeSafeUpdateInput;

use super::{found, start, survey, turn};
use crate::Error;
use crate::context::{Context, name};
use crate::tidegate::Refusal;

pub(in crate::tidegate) async fn resume_safe_update(
    cx: &Context,
    input: ResumeSafeUpdateInput,
) -> Result<wire::tidegate::SafeUpdate, Error> {
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let known = found(&cx.store.state(), &name)?.run.clone();
    if known.phase == Phase::Ended(Outcome::Undone) {
        // What was put back may have been changed since: it is looked at anew.
        let survey = survey(cx, &name, &known.facts.wanted.name).await?;
        let run = Run::begin(survey.facts, survey.saved, known.request, cx.clock.now());
        return start::begin(cx, run.map_err(Refusal::Invalid)?).await;
    }
    let now = cx.clock.now();
    turn(cx, move |state: &State| {
        let update = found(state, &name)?;
        if update.is_running() {
            return Err(Refusal::InUse(format!(
                "The safe update of endpoint {name} is under way; there is nothing to resume."
            )));
        }
        if update.has_ended() {
            return Err(Refusal::InUse(format!(
                "The safe update of endpoint {name} has ended; there is nothing to resume."
            )));
        }
        Ok((update.as_ref().clone(), update.run.resumed(now)))
    })
    .await
}
