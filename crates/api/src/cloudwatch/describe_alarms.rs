//! `DescribeAlarms`: by name, prefix, state and action, in the order of names, a page at a time (section 6.3).

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use domain::alarm::{Alarm, AlarmName, StateValue};
use store::State;
use wire::cloudwatch::{AlarmType, DescribeAlarmsInput, DescribeAlarmsOutput, MetricAlarm};

use super::apart::apart;
use super::{Refusal, shown, token};
use crate::{Context, Error};

/// Alarms, or items of their history, on a page when a request does not say.
pub(super) const RECORDS_DEFAULT: usize = 50;

const LIST: &str = "DescribeAlarms";

pub(super) async fn describe_alarms(
    cx: &Context,
    mut input: DescribeAlarmsInput,
) -> Result<DescribeAlarmsOutput, Error> {
    // awsQuery has no empty lists.
    input.alarm_names = input.alarm_names.filter(|names| !names.is_empty());
    if input.alarm_names.is_some() && input.alarm_name_prefix.is_some() {
        let text = "AlarmNamePrefix and AlarmNames.member are mutually exclusive";
        return Err(Refusal::Combination(text.to_owned()).into());
    }
    let after: Option<AlarmName> = token::read(LIST, input.next_token.as_deref())?;
    let (mut alarms, mut next_token) = (Vec::new(), None);
    if has_metric_alarms(&input) {
        let (state, scope) = (cx.store.state(), cx.scope.clone());
        (alarms, next_token) = apart(move || {
            let (found, next) = page(&state, &input, after.as_ref());
            let alarms: Vec<_> =
                found.into_iter().map(|alarm| shown::alarm(alarm, &scope)).collect();
            (alarms, next.map(|name| token::write(LIST, name)))
        })
        .await?;
    }
    Ok(DescribeAlarmsOutput {
        composite_alarms: Some(Vec::new()),
        metric_alarms: Some(alarms),
        log_alarms: Some(Vec::new()),
        next_token,
    })
}

/// Whether metric alarms are asked for, which are the only ones here. Children and parents are composite alarms' affair.
fn has_metric_alarms(input: &DescribeAlarmsInput) -> bool {
    let asked =
        |types: &Vec<AlarmType>| types.is_empty() || types.contains(&AlarmType::MetricAlarm);
    input.alarm_types.as_ref().is_none_or(asked)
        && input.children_of_alarm_name.is_none()
        && input.parents_of_alarm_name.is_none()
}

fn page<'a>(
    state: &'a State,
    input: &DescribeAlarmsInput,
    after: Option<&AlarmName>,
) -> (Vec<&'a Alarm>, Option<&'a AlarmName>) {
    let prefix = input.alarm_name_prefix.as_deref().unwrap_or_default();
    let found: Box<dyn Iterator<Item = &'a Arc<Alarm>>> = if let Some(names) = &input.alarm_names {
        let names: BTreeSet<AlarmName> = names.iter().map(|name| name.as_str().into()).collect();
        let left = names.into_iter().filter(|name| after.is_none_or(|after| name > after));
        Box::new(left.filter_map(|name| state.alarms.get(&name)))
    } else {
        let first = AlarmName::from(prefix);
        let from = match after {
            Some(after) if *after >= first => Bound::Excluded(after.clone()),
            _ => Bound::Included(first),
        };
        let range = state.alarms.range((from, Bound::Unbounded)).map(|(_, alarm)| alarm);
        Box::new(range.take_while(|alarm| alarm.name.as_str().starts_with(prefix)))
    };
    let wanted = input.state_value.and_then(|value| StateValue::read(value.as_str()));
    let action = input.action_prefix.as_deref();
    let mut found = found
        .map(|alarm| &**alarm)
        .filter(|alarm| wanted.is_none_or(|wanted| alarm.state.value == wanted))
        .filter(|alarm| action.is_none_or(|prefix| has_action(alarm, prefix)));
    let size = input.max_records.and_then(|max| max.try_into().ok()).unwrap_or(RECORDS_DEFAULT);
    let shown: Vec<&Alarm> = found.by_ref().take(size).collect();
    let more = found.next().is_some();
    let next = shown.last().filter(|_| more).map(|alarm| &alarm.name);
    (shown, next)
}

fn has_action(alarm: &Alarm, prefix: &str) -> bool {
    let config = &alarm.config;
    [&config.ok_actions, &config.alarm_actions, &config.insufficient_data_actions]
        .into_iter()
        .flatten()
        .any(|action| action.starts_with(prefix))
}

/// Every alarm that a condition holds for, in the order of names.
pub(super) fn all(
    state: &State,
    scope: &domain::arn::Scope,
    holds: impl Fn(&Alarm) -> bool,
) -> Vec<MetricAlarm> {
    let found = state.alarms.values().filter(|alarm| holds(alarm));
    found.map(|alarm| shown::alarm(alarm, scope)).collect()
}
