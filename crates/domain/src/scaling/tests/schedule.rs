//! Scheduled actions: requests (sections 1.5 and 1.6), and what an occurrence does (section 4).

use crate::scaling::testing::{at, resource, target, uuid};
use crate::scaling::{
    ActivityStatus, BoundsChange, Refusal, ScheduleBook, ScheduledAction, ScheduledActionRequest,
    TargetKey, correction, fire, put_scheduled_action,
};

fn request(
    schedule: Option<&str>,
    action: Option<(Option<i32>, Option<i32>)>,
) -> ScheduledActionRequest {
    ScheduledActionRequest {
        resource: resource(),
        name: "night".into(),
        schedule: schedule.map(str::to_owned),
        timezone: None,
        start: None,
        end: None,
        action: action.map(|(min, max)| BoundsChange { min, max }),
    }
}

fn action(min: Option<u32>, max: Option<u32>) -> ScheduledAction {
    ScheduledAction {
        target: TargetKey::from(&resource()),
        name: "night".into(),
        schedule: "rate(1 days)".into(),
        timezone: Some("Europe/Berlin".into()),
        start: Some(at(0)),
        end: Some(at(900)),
        min,
        max,
        created_at: at(0),
        done_until: at(0),
    }
}

fn put(
    existing: Option<&ScheduledAction>,
    request: &ScheduledActionRequest,
) -> Result<ScheduledAction, Refusal> {
    let target = target(1, 4);
    let book = ScheduleBook { target: Some(&target), existing, others: 0 };
    put_scheduled_action(&book, request, at(100))
}

#[test]
fn refusals_have_aws_texts_in_aws_order() {
    let book = ScheduleBook { target: None, existing: None, others: 0 };
    assert_eq!(
        put_scheduled_action(&book, &request(None, None), at(0)).unwrap_err().to_string(),
        "No scalable target registered for service namespace: sagemaker, resource ID: \
         endpoint/my-ep/variant/AllTraffic, scalable dimension: sagemaker:variant:DesiredInstanceCount"
    );
    let daily = Some("rate(1 day)");
    let ended = ScheduledActionRequest {
        start: Some(at(9)),
        end: Some(at(9)),
        ..request(daily, Some((Some(1), None)))
    };
    let nowhere = ScheduledActionRequest {
        timezone: Some("Mars/Olympus".into()),
        ..request(daily, Some((Some(1), None)))
    };
    for (request, expected) in [
        (request(daily, None), "ScalableTargetAction must be set"),
        (
            request(daily, Some((None, None))),
            "At least one of minimum capacity and maximum capacity should be provided",
        ),
        (request(None, Some((Some(1), None))), "Schedule must be set"),
        (nowhere, "Invalid schedule timezone: Mars/Olympus"),
        (ended, "StartTime must be before EndTime"),
        (request(daily, Some((Some(-1), None))), "Minimum capacity cannot be less than 0"),
        (request(daily, Some((None, Some(-1)))), "Maximum capacity cannot be less than 0"),
        (
            request(daily, Some((Some(5), Some(4)))),
            "Maximum capacity cannot be less than minimum capacity",
        ),
    ] {
        assert_eq!(put(None, &request).unwrap_err().to_string(), expected, "{request:?}");
    }
}

#[test]
fn an_update_keeps_schedule_zone_and_action_and_clears_start_and_end() {
    let old = action(Some(2), Some(8));
    let kept = put(Some(&old), &request(None, None)).unwrap();
    assert_eq!((&kept.schedule, &kept.timezone), (&old.schedule, &old.timezone));
    assert_eq!((kept.min, kept.max, kept.start, kept.end), (Some(2), Some(8), None, None));
    assert_eq!((kept.created_at, kept.done_until), (old.created_at, at(100)));
    let replaced = put(Some(&old), &request(None, Some((Some(3), None)))).unwrap();
    assert_eq!((replaced.min, replaced.max), (Some(3), None), "an action is replaced whole");
}

#[test]
fn an_occurrence_sets_the_bounds_and_says_so() {
    for (given, bounds, effect) in [
        ((Some(5), Some(10)), (5, 10), "min capacity to 5 and max capacity to 10"),
        ((Some(3), None), (3, 4), "min capacity to 3"),
        ((None, Some(9)), (1, 9), "max capacity to 9"),
    ] {
        let fired = fire(&target(1, 4), &action(given.0, given.1), uuid(3), at(7));
        let target = fired.target.unwrap();
        assert_eq!((target.min, target.max), bounds);
        assert_eq!(fired.activity.description, format!("Setting {effect}"));
        assert_eq!(fired.activity.cause, "scheduled action name night was triggered");
        let message = format!("Successfully set {effect}");
        assert_eq!(fired.activity.status_message, Some(message));
        let moved = correction(&target, 2).map(|change| (change.to, change.cause.to_string()));
        let expected =
            (bounds.0 > 2).then(|| (bounds.0, format!("minimum capacity was set to {}", bounds.0)));
        assert_eq!(moved, expected);
    }
}

#[test]
fn an_occurrence_that_contradicts_the_other_bound_fails() {
    let fired = fire(&target(1, 4), &action(Some(5), None), uuid(3), at(7));
    assert_eq!((fired.target, fired.activity.status), (None, ActivityStatus::Failed));
    assert_eq!(
        fired.activity.status_message.as_deref(),
        Some(
            "Failed to set min capacity to 5. Reason: Maximum capacity cannot be less than minimum capacity."
        )
    );
}
