//! `DescribeAlarmHistory`: of one alarm, deleted ones too, or of all; by time, the newest first if not asked otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::alarm::{AlarmName, HistoryItem, HistoryKind};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::State;
use wire::cloudwatch::{
    AlarmHistoryItem, AlarmType, DescribeAlarmHistoryInput, DescribeAlarmHistoryOutput, ScanBy,
};

use super::apart::apart;
use super::describe_alarms::RECORDS_DEFAULT;
use super::{members, token};
use crate::{Context, Error};

/// Where an item stands among those of all alarms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    at: Timestamp,
    alarm: AlarmName,
    sequence: u64,
}

impl Place {
    fn of(item: &HistoryItem) -> Self {
        Self { at: item.at, alarm: item.alarm.clone(), sequence: item.sequence }
    }
}

pub(super) async fn describe_alarm_history(
    cx: &Context,
    input: DescribeAlarmHistoryInput,
) -> Result<DescribeAlarmHistoryOutput, Error> {
    let ascending = input.scan_by == Some(ScanBy::TimestampAscending);
    let list = if ascending { "DescribeAlarmHistory up" } else { "DescribeAlarmHistory" };
    let after: Option<Place> = token::read(list, input.next_token.as_deref())?;
    let types = input.alarm_types.as_deref().unwrap_or_default();
    let (mut items, mut next_token) = (Vec::new(), None);
    if types.is_empty() || types.contains(&AlarmType::MetricAlarm) {
        let state = cx.store.state();
        (items, next_token) = apart(move || {
            let (found, next) = page(&state, &input, ascending, after.as_ref());
            let items: Vec<_> = found.iter().map(|item| shown(item)).collect();
            (items, next.map(|place| token::write(list, place)))
        })
        .await?;
    }
    Ok(DescribeAlarmHistoryOutput { alarm_history_items: Some(items), next_token })
}

fn page(
    state: &State,
    input: &DescribeAlarmHistoryInput,
    ascending: bool,
    after: Option<&Place>,
) -> (Vec<Arc<HistoryItem>>, Option<Place>) {
    let kind = input.history_item_type.and_then(|kind| HistoryKind::read(kind.as_str()));
    let (from, to) = (input.start_date.map(members::time), input.end_date.map(members::time));
    let wanted = |item: &&Arc<HistoryItem>| {
        kind.is_none_or(|kind| item.kind == kind)
            && from.is_none_or(|from| item.at >= from)
            && to.is_none_or(|to| item.at <= to)
    };
    let size = input.max_records.and_then(|max| max.try_into().ok()).unwrap_or(RECORDS_DEFAULT);
    let alarm = input.alarm_name.as_deref().map(AlarmName::from);
    let found: Box<dyn Iterator<Item = &Arc<HistoryItem>>> = match &alarm {
        Some(alarm) => Box::new(state.history_of(alarm)),
        None => Box::new(state.alarm_history.values()),
    };
    // One more than a page, to know whether there is another.
    let mut first = BTreeMap::new();
    for item in found.filter(wanted) {
        let place = Place::of(item);
        if after.is_some_and(|after| if ascending { place <= *after } else { place >= *after }) {
            continue;
        }
        first.insert(place, item);
        if first.len() > size + 1 {
            if ascending {
                first.pop_last()
            } else {
                first.pop_first()
            };
        }
    }
    let more = first.len() > size;
    let mut items: Vec<_> = first.into_values().cloned().collect();
    if !ascending {
        items.reverse();
    }
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|item| Place::of(item));
    (items, next)
}

fn shown(item: &HistoryItem) -> AlarmHistoryItem {
    AlarmHistoryItem {
        alarm_name: Some(item.alarm.to_string()),
        alarm_type: Some(AlarmType::MetricAlarm),
        timestamp: Some(members::timestamp(item.at)),
        history_item_type: item.kind.as_str().parse().ok(),
        history_summary: Some(item.summary.clone()),
        history_data: Some(item.data.clone()),
        ..AlarmHistoryItem::default()
    }
}
