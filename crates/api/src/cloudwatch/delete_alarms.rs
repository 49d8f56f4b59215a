//! `DeleteAlarms`: all of the named, with their tags; names of no alarm are no error. Histories stay.

use std::collections::BTreeSet;

use domain::alarm::AlarmName;
use store::Changes;
use wire::cloudwatch::DeleteAlarmsInput;

use super::alarms;
use crate::{Context, Error};

pub(super) async fn delete_alarms(cx: &Context, input: &DeleteAlarmsInput) -> Result<(), Error> {
    let names: BTreeSet<AlarmName> =
        input.alarm_names.iter().map(|name| name.as_str().into()).collect();
    let (scope, now) = (cx.scope.clone(), cx.clock.now());
    cx.decide(move |state| Ok((alarms::delete(Changes::none(), state, &scope, &names, now), ())))
        .await
}
