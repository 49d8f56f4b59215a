//! `EnableAlarmActions`: actions run again, from the next change of state on.

use std::collections::BTreeSet;

use domain::alarm::{AlarmName, history};
use store::Changes;
use wire::cloudwatch::EnableAlarmActionsInput;

use crate::{Context, Error};

pub(super) async fn enable_alarm_actions(
    cx: &Context,
    input: &EnableAlarmActionsInput,
) -> Result<(), Error> {
    set(cx, &input.alarm_names, true).await
}

/// What `EnableAlarmActions` and `DisableAlarmActions` share. Names of no alarm are no error.
pub(super) async fn set(cx: &Context, names: &[String], enabled: bool) -> Result<(), Error> {
    let names: BTreeSet<AlarmName> = names.iter().map(|name| name.as_str().into()).collect();
    let (scope, now) = (cx.scope.clone(), cx.clock.now());
    cx.decide(move |state| {
        let found = names.iter().filter_map(|name| state.alarms.get(name));
        let switched = found.filter_map(|alarm| alarm.set_actions_enabled(enabled, now));
        let changes = switched.fold(Changes::none(), |changes, alarm| {
            let sequence = state.next_history_sequence(&alarm.name);
            changes.put(history::updated(&alarm, &scope, now, sequence)).put(alarm)
        });
        Ok((changes, ()))
    })
    .await
}
