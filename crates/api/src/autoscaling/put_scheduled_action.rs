//! `PutScheduledAction`: makes a scheduled action or changes one. When it runs, the control loop sees.

use domain::scaling::{self, BoundsChange, ScheduleBook, ScheduledActionRequest, TargetKey};
use domain::time::Timestamp;
use store::Changes;
use wire::application_autoscaling::{PutScheduledActionRequest, PutScheduledActionResponse};

use super::lookup::resource;
use crate::{Context, Error};

pub(super) async fn put_scheduled_action(
    cx: &Context,
    input: PutScheduledActionRequest,
) -> Result<PutScheduledActionResponse, Error> {
    let resource = resource!(input)?;
    let key = TargetKey::from(&resource);
    let instant = |at: wire::Timestamp| Timestamp::from_millis(at.0);
    let bounds = |action: wire::application_autoscaling::ScalableTargetAction| BoundsChange {
        min: action.min_capacity,
        max: action.max_capacity,
    };
    let request = ScheduledActionRequest {
        resource,
        name: input.scheduled_action_name,
        schedule: input.schedule,
        timezone: input.timezone,
        start: input.start_time.map(instant),
        end: input.end_time.map(instant),
        action: input.scalable_target_action.map(bounds),
    };
    let now = cx.clock.now();
    cx.decide(move |state| {
        let target = state.targets.get(&key).map(|target| &**target);
        let (own, others): (Vec<_>, Vec<_>) = state
            .scheduled_actions_of(&key)
            .map(|action| &**action)
            .partition(|action| action.name == request.name);
        let existing = own.first().copied();
        let book = ScheduleBook { target, existing, others: others.len() };
        let action = scaling::put_scheduled_action(&book, &request, now)?;
        Ok((Changes::none().put(action), PutScheduledActionResponse {}))
    })
    .await
}
