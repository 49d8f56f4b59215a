//! `DeleteAlarms`: all of the named, with their tags; names of no alarm are no error. Histories stay.

use std::collections::BTreeSet;

use domain::alarm::{Alarm, AlarmName, history};
use store::Changes;
use store::record::Tagged;
use wire::cloudwatch::DeleteAlarmsInput;

use crate::{Context, Error};

pub(super) async fn delete_alarms(cx: &Context, input: &DeleteAlarmsInput) -> Result<(), Error> {
    let names: BTreeSet<AlarmName> =
        input.alarm_names.iter().map(|name| name.as_str().into()).collect();
    let (scope, now) = (cx.scope.clone(), cx.clock.now());
    cx.decide(move |state| {
        let found = names.iter().filter_map(|name| state.alarms.get(name));
        let changes = found.fold(Changes::none(), |changes, alarm| {
            let sequence = state.next_history_sequence(&alarm.name);
            changes
                .put(history::deleted(alarm, &scope, now, sequence))
                .delete::<Tagged>(alarm.arn(&scope))
                .delete::<Alarm>(alarm.name.clone())
        });
        Ok((changes, ()))
    })
    .await
}
