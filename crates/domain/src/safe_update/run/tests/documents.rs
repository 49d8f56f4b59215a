//! Documents that say the same, schedules that were missed, alarms that are the user's own, and what policies want.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::world::name;
use crate::safe_update::run::same::same;
use crate::safe_update::{SavedAction, SavedTarget, is_users_own};
use crate::scaling::DIMENSION;
use crate::time::Timestamp;

#[test]
fn documents_are_the_same_as_servers_echo_them() {
    let table = [
        (json!({"TargetValue": 70}), json!({"TargetValue": 70.0}), true),
        (json!({"TargetValue": 70}), json!({"TargetValue": 70.5}), false),
        (json!({"Unit": null, "Stat": "Sum"}), json!({"Stat": "Sum"}), true),
        // Application Auto Scaling shows a customized metric without dimensions with an empty list
        // (`reference/autoscaling-and-cloudwatch.md`, section 1.6).
        (json!({"Dimensions": []}), json!({}), true),
        (json!({"a": {"b": []}}), json!({}), true),
        (json!({"AlarmActions": ["x", "y"]}), json!({"AlarmActions": ["y", "x"]}), true),
        (json!({"AlarmActions": ["x", "x"]}), json!({"AlarmActions": ["x"]}), false),
        (
            json!({"Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]}),
            json!({"Dimensions": [{"Value": "2", "Name": "b"}, {"Value": "1", "Name": "a"}]}),
            true,
        ),
        // False and 0 are values.
        (json!({"ActionsEnabled": false}), json!({}), false),
        (json!({"Threshold": 0}), json!({}), false),
        (json!({"Name": "a"}), json!({"Name": "A"}), false),
    ];
    for (one, other, expected) in table {
        assert_eq!(same(&one, &other), expected, "{one} {other}");
        assert_eq!(same(&other, &one), expected, "{other} {one}");
    }
}

/// 2026-11-23T00:00:00Z, a Monday.
const MONDAY: i64 = 1_795_392_000_000;

const HOUR: i64 = 3_600_000;

fn target(suspended: bool, actions: &[(&str, Value)]) -> SavedTarget {
    let created_at = Timestamp::from_millis(MONDAY - 100 * HOUR);
    let actions = actions.iter().map(|(name, action)| {
        ((*name).to_owned(), SavedAction { created_at, action: action.clone() })
    });
    SavedTarget {
        variant: name("web"),
        dimension: DIMENSION.to_owned(),
        arn: None,
        target: json!({"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/web",
                       "ScalableDimension": DIMENSION, "MinCapacity": 1, "MaxCapacity": 10,
                       "SuspendedState": {"ScheduledScalingSuspended": suspended}}),
        tags: BTreeMap::new(),
        policies: Vec::new(),
        scheduled_actions: actions.collect(),
        as_of: Timestamp::from_millis(MONDAY),
    }
}

fn action(schedule: &str, bounds: &Value) -> Value {
    json!({"Schedule": schedule, "ScalableTargetAction": bounds})
}

/// Whether schedules are suspended, the actions, hours since they were saved, and the bounds then.
type Missed = (bool, Vec<(&'static str, Value)>, i64, (u32, u32));

#[test]
fn the_last_missed_of_each_schedule_counts_once() {
    let at_two = || action("at(2026-11-23T02:00:00)", &json!({"MinCapacity": 4}));
    let hourly = || action("cron(0 * * * ? *)", &json!({"MinCapacity": 2, "MaxCapacity": 20}));
    let table: [Missed; 10] = [
        (false, vec![("a", at_two())], 1, (1, 10)),
        (false, vec![("a", at_two())], 2, (4, 10)),
        (false, vec![("a", at_two())], 30, (4, 10)),
        (true, vec![("a", at_two())], 30, (1, 10)),
        (false, vec![("a", at_two()), ("b", hourly())], 1, (2, 20)),
        // The later of two wins, whatever their names.
        (false, vec![("a", hourly()), ("b", at_two())], 3, (2, 20)),
        (
            false,
            vec![
                ("a", action("at(2026-11-23T02:30:00)", &json!({"MinCapacity": 4}))),
                ("b", hourly()),
            ],
            3,
            (2, 20),
        ),
        // Bounds that contradict each other are refused.
        (
            false,
            vec![("a", action("at(2026-11-23T02:00:00)", &json!({"MinCapacity": 11})))],
            3,
            (1, 10),
        ),
        // Before it was saved: it is in the saved bounds already.
        (
            false,
            vec![("a", action("at(2026-11-22T23:00:00)", &json!({"MinCapacity": 4})))],
            3,
            (1, 10),
        ),
        // A schedule that cannot be read here changes nothing.
        (false, vec![("a", action("sometimes", &json!({"MinCapacity": 4})))], 3, (1, 10)),
    ];
    for (suspended, actions, hours, (min, max)) in table {
        let saved = target(suspended, &actions);
        let due = saved.due(Timestamp::from_millis(MONDAY + hours * HOUR));
        let wanted = json!({"MinCapacity": min, "MaxCapacity": max});
        for member in ["MinCapacity", "MaxCapacity"] {
            assert_eq!(due[member], wanted[member], "{actions:?} after {hours} h");
        }
    }
}

#[test]
fn only_what_never_runs_again_is_over() {
    let table = [
        (action("at(2026-11-23T02:00:00)", &json!({})), 1, false),
        (action("at(2026-11-23T02:00:00)", &json!({})), 2, true),
        (action("cron(0 * * * ? *)", &json!({})), 9, false),
        (action("rate(1 hour)", &json!({})), 9, false),
        (action("sometimes", &json!({})), 9, false),
        // One that recurs until an hour after midnight.
        (json!({"Schedule": "cron(0 * * * ? *)", "EndTime": (MONDAY + HOUR) / 1000}), 9, true),
    ];
    for (action, hours, expected) in table {
        let saved = target(false, &[("a", action.clone())]);
        let now = Timestamp::from_millis(MONDAY + hours * HOUR);
        let is_over = saved.is_over("a", &saved.scheduled_actions["a"], now);
        assert_eq!(is_over, expected, "{action} after {hours} h");
    }
}

#[test]
fn an_alarm_is_the_users_own_if_it_calls_a_policy_and_no_policy_made_it() {
    let made = BTreeSet::from(["TargetTracking-AlarmHigh".to_owned()]);
    let table = [
        (json!({"AlarmName": "mine", "AlarmActions": ["sns", "p1"]}), true),
        (json!({"AlarmName": "mine", "OKActions": ["p2"]}), true),
        (json!({"AlarmName": "mine", "AlarmActions": ["sns"]}), false),
        (json!({"AlarmName": "mine"}), false),
        // A longer name with the same beginning is another policy.
        (json!({"AlarmName": "mine", "AlarmActions": ["p12"]}), false),
        (json!({"AlarmName": "TargetTracking-AlarmHigh", "AlarmActions": ["p1"]}), false),
    ];
    for (alarm, expected) in table {
        let policies = ["p1", "p2"].into_iter();
        assert_eq!(is_users_own(&alarm, policies, &made), expected, "{alarm}");
    }
}
