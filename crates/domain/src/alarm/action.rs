//! Which of an alarm's actions run after an evaluation or `SetAlarmState`.

use super::{Config, StateValue};

/// The actions to run now that an alarm went from one state to another, or stayed in one.
///
/// Actions run on transitions only, but those of scaling policies, which repeat at each evaluation while the alarm
/// lasts (`reference/autoscaling-and-cloudwatch.md`, sections 2.3 and 6.4): call this after each evaluation, at
/// [`Config::cadence`]. Nothing runs where actions are disabled.
pub fn actions_due(
    before: StateValue,
    after: StateValue,
    config: &Config,
) -> impl Iterator<Item = &str> {
    let actions = match after {
        StateValue::Ok => &config.ok_actions,
        StateValue::Alarm => &config.alarm_actions,
        StateValue::InsufficientData => &config.insufficient_data_actions,
    };
    let repeats = after == StateValue::Alarm;
    let due = move |action: &&str| before != after || (repeats && is_autoscaling(action));
    actions.iter().filter(|_| config.actions_enabled).map(String::as_str).filter(due)
}

/// Whether an action is a scaling policy's: `arn:PARTITION:autoscaling:…`.
pub fn is_autoscaling(action: &str) -> bool {
    let mut parts = action.split(':');
    parts.next() == Some("arn") && parts.nth(1) == Some("autoscaling")
}

#[cfg(test)]
mod tests {
    use super::super::evaluate::tests::config;
    use super::*;

    #[test]
    fn scaling_repeats_while_the_alarm_lasts_and_the_rest_runs_once() {
        use StateValue::{Alarm, InsufficientData, Ok};
        let scaling =
            "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:x:resource/y:policyName/p";
        let [topic, other] = [
            "arn:aws:sns:us-east-1:111122223333:topic",
            "arn:aws:sns:eu-west-1:111122223333:autoscaling",
        ];
        let own = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let mut config = config(3, None, None);
        config.alarm_actions = own(&[scaling, topic]);
        config.ok_actions = own(&[scaling, other]);
        config.insufficient_data_actions = own(&[topic]);
        // Sections 2.3 and 6.4.
        let rows: [(StateValue, StateValue, &[&str]); 7] = [
            (Ok, Alarm, &[scaling, topic]),
            (InsufficientData, Alarm, &[scaling, topic]),
            (Alarm, Alarm, &[scaling]),
            (Alarm, Ok, &[scaling, other]),
            (Ok, Ok, &[]),
            (Ok, InsufficientData, &[topic]),
            (InsufficientData, InsufficientData, &[]),
        ];
        for (before, after, due) in rows {
            config.actions_enabled = true;
            let found: Vec<_> = actions_due(before, after, &config).collect();
            assert_eq!(found, due, "{before:?} -> {after:?}");
            config.actions_enabled = false;
            assert_eq!(actions_due(before, after, &config).count(), 0);
        }
    }
}
