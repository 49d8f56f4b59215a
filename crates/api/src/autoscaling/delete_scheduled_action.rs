//! `DeleteScheduledAction`: what the action has set before stays set.

use domain::scaling::{Refusal, ScheduledAction, TargetKey};
use store::Changes;
use wire::application_autoscaling::{DeleteScheduledActionRequest, DeleteScheduledActionResponse};

use super::lookup::resource;
use crate::{Context, Error};

pub(super) async fn delete_scheduled_action(
    cx: &Context,
    input: DeleteScheduledActionRequest,
) -> Result<DeleteScheduledActionResponse, Error> {
    let resource = resource!(input)?;
    cx.decide(move |state| {
        let key = (TargetKey::from(&resource), input.scheduled_action_name);
        if !state.scheduled_actions.contains_key(&key) {
            return Err(Refusal::NoScheduledAction { resource, name: key.1 }.into());
        }
        let changes = Changes::none().delete::<ScheduledAction>(key);
        Ok((changes, DeleteScheduledActionResponse {}))
    })
    .await
}
