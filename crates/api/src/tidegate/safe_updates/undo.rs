//! `UndoSafeUpdate`: turns a safe update round, whether it goes on, stands still or was applied.

use domain::name::EndpointName;
use domain::safe_update::{Goal, Outcome, Phase};
use store::State;
use wire::tidegate::UndoSafeUpdateInput;

use super::{found, turn};
use crate::Error;
use crate::context::{Context, name};
use crate::tidegate::Refusal;

pub(in crate::tidegate) async fn undo_safe_update(
    cx: &Context,
    input: UndoSafeUpdateInput,
) -> Result<wire::tidegate::SafeUpdate, Error> {
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let now = cx.clock.now();
    turn(cx, move |state: &State| {
        let update = found(state, &name)?;
        if update.run.phase == Phase::Ended(Outcome::Undone) {
            return Err(Refusal::InUse(format!(
                "The safe update of endpoint {name} was undone; there is nothing more to undo."
            )));
        }
        if update.is_running() && update.run.goal == Goal::Undo {
            return Err(Refusal::InUse(format!(
                "The safe update of endpoint {name} is being undone."
            )));
        }
        Ok((update.as_ref().clone(), update.run.undoing(now)))
    })
    .await
}
