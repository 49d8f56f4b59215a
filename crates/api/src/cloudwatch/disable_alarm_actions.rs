//! `DisableAlarmActions`: alarms go on changing state, and nothing follows.

use wire::cloudwatch::DisableAlarmActionsInput;

use super::enable_alarm_actions::set;
use crate::{Context, Error};

pub(super) async fn disable_alarm_actions(
    cx: &Context,
    input: &DisableAlarmActionsInput,
) -> Result<(), Error> {
    set(cx, &input.alarm_names, false).await
}
