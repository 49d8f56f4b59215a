//! Creation, start and end, and what becomes of missed occurrences.

use proptest::prelude::*;

use super::*;
use crate::name::{EndpointKey, EndpointName};
use crate::scaling::TargetKey;

const CREATED: &str = "2026-11-23T12:00:30Z";

fn action(schedule: &str, start: Option<&str>, end: Option<&str>) -> ScheduledAction {
    let endpoint: EndpointName = "chat".parse().unwrap();
    ScheduledAction {
        target: TargetKey {
            endpoint: EndpointKey::from(&endpoint),
            variant: "AllTraffic".parse().unwrap(),
        },
        name: "night".to_owned(),
        schedule: schedule.to_owned(),
        timezone: None,
        start: start.map(at),
        end: end.map(at),
        min: Some(1),
        max: None,
        created_at: at(CREATED),
        done_until: at(CREATED),
    }
}

/// Runs `action` at every occurrence, up to three.
fn runs(action: &ScheduledAction) -> Vec<String> {
    let schedule = Schedule::parse(&action.schedule, None).unwrap();
    let mut action = action.clone();
    let mut runs = Vec::new();
    while let Some(next) = schedule.next_of(&action).filter(|_| runs.len() < 3) {
        assert_eq!(schedule.due(&action, Timestamp::from_millis(next.as_millis() - 1)), None);
        let due = schedule.due(&action, next).unwrap();
        assert_eq!(due, Due { scheduled_at: next, done_until: next });
        runs.push(show(next));
        action.done_until = due.done_until;
    }
    runs
}

/// Section 4: the start is itself an occurrence of what recurs, a rate counts from it, the end stops.
#[test]
fn start_and_end_bound_the_recurrence() {
    type Row = (&'static str, Option<&'static str>, Option<&'static str>, &'static [&'static str]);
    #[rustfmt::skip]
    let rows: &[Row] = &[
        ("rate(1 hour)", None, None, &["2026-11-23T13:00:30Z", "2026-11-23T14:00:30Z", "2026-11-23T15:00:30Z"]),
        ("rate(1 hour)", Some("2026-11-23T12:10:00Z"), None, &["2026-11-23T12:10:00Z", "2026-11-23T13:10:00Z", "2026-11-23T14:10:00Z"]),
        ("rate(1 hour)", Some("2026-11-20T12:10:00Z"), None, &["2026-11-23T12:10:00Z", "2026-11-23T13:10:00Z", "2026-11-23T14:10:00Z"]),
        ("rate(1 hour)", None, Some("2026-11-23T14:00:30Z"), &["2026-11-23T13:00:30Z", "2026-11-23T14:00:30Z"]),
        ("rate(1 hour)", None, Some("2026-11-23T14:00:29Z"), &["2026-11-23T13:00:30Z"]),
        ("cron(0 * * * ? *)", Some("2026-11-23T12:10:11Z"), None, &["2026-11-23T12:10:11Z", "2026-11-23T13:00:00Z", "2026-11-23T14:00:00Z"]),
        ("cron(0 * * * ? *)", Some("2026-11-23T13:00:00Z"), None, &["2026-11-23T13:00:00Z", "2026-11-23T14:00:00Z", "2026-11-23T15:00:00Z"]),
        ("cron(0 * * * ? *)", Some("2026-11-23T12:00:00Z"), None, &["2026-11-23T13:00:00Z", "2026-11-23T14:00:00Z", "2026-11-23T15:00:00Z"]),
        ("cron(0 * * * ? *)", Some("2026-11-23T12:10:00Z"), Some("2026-11-23T13:30:00Z"), &["2026-11-23T12:10:00Z", "2026-11-23T13:00:00Z"]),
        ("cron(0 0 30 2 ? *)", Some("2026-11-23T12:10:00Z"), None, &["2026-11-23T12:10:00Z"]),
        ("cron(0 * * * ? *)", Some("2026-11-23T14:00:00Z"), Some("2026-11-23T13:00:00Z"), &[]),
        ("at(2026-11-23T13:00:00)", None, None, &["2026-11-23T13:00:00Z"]),
        ("at(2026-11-23T12:00:30)", None, None, &[]),
        ("at(2026-11-23T13:00:00)", Some("2026-11-23T13:00:00Z"), None, &["2026-11-23T13:00:00Z"]),
        ("at(2026-11-23T13:00:00)", Some("2026-11-23T14:00:00Z"), None, &[]),
        ("at(2026-11-23T13:00:00)", None, Some("2026-11-23T12:59:59Z"), &[]),
    ];
    for (schedule, start, end, expected) in rows {
        let found = runs(&action(schedule, *start, *end));
        assert_eq!(found, *expected, "{schedule} from {start:?} to {end:?}");
    }
}

#[test]
fn nothing_runs_before_its_creation() {
    let created = at(CREATED);
    for text in
        ["rate(1 hour)", "cron(0 * * * ? *)", "at(2026-11-23T13:00:00)", "at(2026-11-23T11:00:00)"]
    {
        let schedule = Schedule::parse(text, None).unwrap();
        for start in [None, Some(at("2026-11-23T06:30:00Z"))] {
            let next = |after| schedule.next_after(after, created, start, None);
            assert_eq!(next(Timestamp::default()), next(created), "{text} from {start:?}");
        }
    }
}

/// `DESIGN.md`, section 2: a schedule that was missed fires once at start, for its latest occurrence.
#[test]
fn what_was_missed_is_due_once() {
    #[rustfmt::skip]
    let rows = [
        ("rate(1 minute)", "2027-11-23T12:00:00Z", Some("2027-11-23T11:59:30Z")),
        ("cron(* * * * ? *)", "2036-01-01T00:00:59Z", Some("2036-01-01T00:00:00Z")),
        ("cron(0 0 L 12 ? *)", "2026-12-30T00:00:00Z", None),
        ("cron(0 0 L 12 ? *)", "2026-12-31T00:00:00Z", Some("2026-12-31T00:00:00Z")),
        ("cron(0 0 L 12 ? *)", "2030-06-01T00:00:00Z", Some("2029-12-31T00:00:00Z")),
        ("cron(0 0 1 1 ? 2027)", "2190-01-01T00:00:00Z", Some("2027-01-01T00:00:00Z")),
        ("at(2026-11-23T13:00:00)", "2030-01-01T00:00:00Z", Some("2026-11-23T13:00:00Z")),
        ("at(2026-11-23T12:00:00)", "2030-01-01T00:00:00Z", None),
    ];
    for (text, now, expected) in rows {
        let schedule = Schedule::parse(text, None).unwrap();
        let mut action = action(text, None, None);
        let due = schedule.due(&action, at(now));
        assert_eq!(due.map(|due| show(due.scheduled_at)).as_deref(), expected, "{text} at {now}");
        if let Some(due) = due {
            action.done_until = due.done_until;
            assert_eq!(schedule.due(&action, at(now)), None, "{text} is due twice");
        }
    }
}

#[test]
fn what_is_missed_ends_with_the_end() {
    let (start, end) = (Some("2026-12-01T00:00:05Z"), Some("2026-12-03T00:00:00Z"));
    let schedule = Schedule::parse("cron(30 6 * * ? *)", None).unwrap();
    let due = |now| schedule.due(&action("cron(30 6 * * ? *)", start, end), at(now));
    let cases = [
        ("2026-12-01T00:00:04Z", None),
        ("2026-12-01T06:29:59Z", Some("2026-12-01T00:00:05Z")),
        ("2027-06-01T00:00:00Z", Some("2026-12-02T06:30:00Z")),
    ];
    for (now, expected) in cases {
        assert_eq!(due(now).map(|due| show(due.scheduled_at)).as_deref(), expected, "{now}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The latest one is what going through all of them leads to.
    #[test]
    fn the_latest_is_found_as_by_going_through_all(
        text in prop::sample::select(vec![
            "cron(0/20 * * * ? *)", "cron(30 2 ? * SUN *)", "cron(0 3 L * ? *)", "rate(45 minutes)", "at(2026-12-01T00:00:00)",
        ]),
        zone in prop::sample::select(vec!["America/New_York", "Australia/Lord_Howe", "UTC"]),
        missed in 0_i64..100 * 86_400_000,
    ) {
        let schedule = Schedule::parse(text, Some(zone)).unwrap();
        let action = action(text, None, None);
        let now = Timestamp::from_millis(action.done_until.as_millis() + missed);
        let next = |after: &Timestamp| {
            schedule.next_after(*after, action.created_at, None, None).filter(|next| *next <= now)
        };
        let latest = std::iter::successors(next(&action.done_until), next).last();
        prop_assert_eq!(schedule.due(&action, now).map(|due| due.scheduled_at), latest);
    }
}
