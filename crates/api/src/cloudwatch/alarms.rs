//! Alarms that come, change and go, each with its item in the history: here, and with the scaling policies that own some.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::alarm::{Alarm, AlarmName, Config, history};
use domain::arn::Scope;
use domain::time::Timestamp;
use store::record::Tagged;
use store::{Changes, State};

pub(crate) fn create(
    changes: Changes,
    state: &State,
    scope: &Scope,
    alarms: Vec<Alarm>,
    now: Timestamp,
) -> Changes {
    alarms.into_iter().fold(changes, |changes, alarm| {
        let sequence = state.next_history_sequence(&alarm.name);
        changes.put(history::created(&alarm, scope, now, sequence)).put(alarm)
    })
}

/// Deletes alarms with their tags. One that somebody has deleted already is no error.
pub(crate) fn delete<'a>(
    changes: Changes,
    state: &State,
    scope: &Scope,
    names: impl IntoIterator<Item = &'a AlarmName>,
    now: Timestamp,
) -> Changes {
    let alarms = names.into_iter().filter_map(|name| state.alarms.get(name));
    alarms.fold(changes, |changes, alarm| {
        let sequence = state.next_history_sequence(&alarm.name);
        changes
            .put(history::deleted(alarm, scope, now, sequence))
            .delete::<Tagged>(alarm.arn(scope))
            .delete::<Alarm>(alarm.name.clone())
    })
}

/// Takes actions out of the alarms that have them; the alarms stay. `gone` are deleted in the same decision.
pub(crate) fn detach(
    changes: Changes,
    state: &State,
    scope: &Scope,
    actions: &BTreeSet<String>,
    gone: &BTreeSet<&AlarmName>,
    now: Timestamp,
) -> Changes {
    let naming = naming(state, actions).filter(|alarm| !gone.contains(&alarm.name));
    naming.fold(changes, |changes, alarm| {
        let others = |all: &[String]| -> Vec<String> {
            all.iter().filter(|action| !actions.contains(*action)).cloned().collect()
        };
        let before = &alarm.config;
        let config = Config {
            ok_actions: others(&before.ok_actions),
            alarm_actions: others(&before.alarm_actions),
            insufficient_data_actions: others(&before.insufficient_data_actions),
            ..before.clone()
        };
        let Some(after) = alarm.configure(config, now) else { return changes };
        let sequence = state.next_history_sequence(&alarm.name);
        changes.put(history::updated(&after, scope, now, sequence)).put(after)
    })
}

/// The alarms that have one of these actions.
pub(crate) fn naming<'a>(
    state: &'a State,
    actions: &'a BTreeSet<String>,
) -> impl Iterator<Item = &'a Arc<Alarm>> {
    // Without an action that is asked for, there is no need to look at every alarm.
    let alarms = (!actions.is_empty()).then(|| state.alarms.values()).into_iter().flatten();
    alarms.filter(|alarm| all_actions(alarm).any(|action| actions.contains(action)))
}

pub(crate) fn all_actions(alarm: &Alarm) -> impl Iterator<Item = &String> {
    let Config { ok_actions, alarm_actions, insufficient_data_actions, .. } = &alarm.config;
    ok_actions.iter().chain(alarm_actions).chain(insufficient_data_actions)
}
