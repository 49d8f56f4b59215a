//! What requests make of an alarm.

use super::{Alarm, AlarmName, Config, Refusal, State, StateValue};
use crate::arn::Scope;
use crate::time::Timestamp;

/// The reason of an alarm that was never evaluated (section 6.5).
pub const CREATED: &str = "Unchecked: Initial alarm creation";

impl Alarm {
    /// A new alarm.
    pub fn create(name: AlarmName, config: Config, now: Timestamp) -> Self {
        let state = State {
            value: StateValue::InsufficientData,
            reason: CREATED.to_owned(),
            reason_data: None,
            updated_at: now,
            transitioned_at: now,
        };
        Self { name, config, configured_at: now, state }
    }

    /// `PutMetricAlarm` of an alarm that exists: its configuration is replaced and its state kept. None where nothing
    /// changes.
    #[must_use]
    pub fn configure(&self, config: Config, now: Timestamp) -> Option<Self> {
        let changed = self.config != config;
        changed.then(|| Self { config, configured_at: now, ..self.clone() })
    }

    /// `EnableAlarmActions` and `DisableAlarmActions`. None where nothing changes.
    #[must_use]
    pub fn set_actions_enabled(&self, enabled: bool, now: Timestamp) -> Option<Self> {
        self.configure(Config { actions_enabled: enabled, ..self.config.clone() }, now)
    }

    /// `SetAlarmState`. None where the alarm is in that state already: then nothing happens, and the reason stays.
    pub fn set_state(
        &self,
        value: StateValue,
        reason: String,
        reason_data: Option<String>,
        now: Timestamp,
    ) -> Result<Option<Self>, Refusal> {
        let is_json = |text: &String| serde_json::from_str::<serde_json::Value>(text).is_ok();
        if reason_data.as_ref().is_some_and(|text| !is_json(text)) {
            return Err(Refusal::ReasonData);
        }
        let state = State { value, reason, reason_data, updated_at: now, transitioned_at: now };
        Ok((self.state.value != value).then(|| self.enter(state)))
    }

    /// The alarm in the state that an evaluation found.
    #[must_use]
    pub fn enter(&self, state: State) -> Self {
        Self { state, ..self.clone() }
    }

    /// `arn:aws:cloudwatch:{region}:{account}:alarm:{name}` (section 6.3).
    pub fn arn(&self, scope: &Scope) -> String {
        format!("arn:aws:cloudwatch:{}:{}:alarm:{}", scope.region, scope.account, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::evaluate::tests::config;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn configuring_keeps_the_state_and_the_same_again_is_nothing() {
        let alarm = Alarm::create("a".into(), config(3, None, None), at(1));
        assert_eq!(
            (alarm.state.value, alarm.state.reason.as_str()),
            (StateValue::InsufficientData, CREATED)
        );
        assert_eq!(alarm.configure(config(3, None, None), at(2)), None);
        let set =
            alarm.set_state(StateValue::Ok, "by hand".to_owned(), None, at(3)).unwrap().unwrap();
        let after = set.configure(config(4, None, None), at(4)).unwrap();
        assert_eq!(after.state, set.state);
        assert_eq!((after.configured_at, set.configured_at), (at(4), at(1)));
        let off = after.set_actions_enabled(false, at(5)).unwrap();
        assert_eq!((off.config.actions_enabled, off.configured_at), (false, at(5)));
        assert_eq!(off.set_actions_enabled(false, at(6)), None);
    }

    #[test]
    fn setting_the_same_state_does_nothing_and_other_data_than_json_is_refused() {
        let alarm = Alarm::create("a".into(), config(3, None, None), at(1));
        let set = |value, data: Option<&str>| {
            alarm.set_state(value, "why".to_owned(), data.map(str::to_owned), at(2))
        };
        assert_eq!(set(StateValue::InsufficientData, None), Ok(None));
        let after = set(StateValue::Alarm, Some(r#"{"version":"1.0"}"#)).unwrap().unwrap();
        assert_eq!((after.state.updated_at, after.state.transitioned_at), (at(2), at(2)));
        for bad in ["", "{", "no json", &"[".repeat(10_000)] {
            assert_eq!(set(StateValue::Alarm, Some(bad)), Err(Refusal::ReasonData));
            assert_eq!(set(StateValue::InsufficientData, Some(bad)), Err(Refusal::ReasonData));
        }
    }

    #[test]
    fn an_arn_holds_the_name_as_it_is() {
        let scope = Scope { region: "us-east-1".to_owned(), account: "111122223333".to_owned() };
        let alarm = Alarm::create(
            "TargetTracking-endpoint/e/variant/v-AlarmLow-1".into(),
            config(1, None, None),
            at(0),
        );
        assert_eq!(
            alarm.arn(&scope),
            "arn:aws:cloudwatch:us-east-1:111122223333:alarm:TargetTracking-endpoint/e/variant/v-AlarmLow-1"
        );
    }
}
