//! `SetAlarmState`: until the next evaluation. The loop finds the new state, with the data it was set with, and runs its
//! actions (section 2.3).

use domain::alarm::{AlarmName, StateValue, history};
use store::Changes;
use wire::cloudwatch::SetAlarmStateInput;

use super::Refusal;
use crate::{Context, Error};

pub(super) async fn set_alarm_state(cx: &Context, input: SetAlarmStateInput) -> Result<(), Error> {
    let SetAlarmStateInput { alarm_name, state_value, state_reason, state_reason_data } = input;
    let name = AlarmName::from(alarm_name.as_str());
    let unknown = || Error::Internal(format!("the state {state_value} is not known"));
    let value = StateValue::read(state_value.as_str()).ok_or_else(unknown)?;
    let now = cx.clock.now();
    cx.decide(move |state| {
        let before = state.alarms.get(&name).ok_or(Refusal::NoAlarm)?;
        let after = before.set_state(value, state_reason, state_reason_data, now);
        let Some(after) = after.map_err(Refusal::from)? else { return Ok((Changes::none(), ())) };
        let sequence = state.next_history_sequence(&name);
        let item = history::state_update(&name, &before.state, &after.state, now, sequence);
        Ok((Changes::none().put(item).put(after), ()))
    })
    .await
}
