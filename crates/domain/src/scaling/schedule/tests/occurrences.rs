//! Which instants a schedule names: a table, and agreement with a matcher that knows only single minutes.

use std::collections::BTreeSet;
use std::fmt;

use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;

const NEW_YORK: &str = "America/New_York";
const BERLIN: &str = "Europe/Berlin";

/// Expression, zone, an instant, and the (at most three) occurrences that follow.
type Row = (&'static str, &'static str, &'static str, &'static [&'static str]);

/// Section 4's grammar; the first four expressions are examples of AWS's user guides.
#[rustfmt::skip]
const GRAMMAR: &[Row] = &[
    ("cron(15 10 * * ? *)", "UTC", "2026-11-23T10:15:00Z", &["2026-11-24T10:15:00Z", "2026-11-25T10:15:00Z", "2026-11-26T10:15:00Z"]),
    ("cron(0 18 ? * MON-FRI *)", "UTC", "2026-11-20T18:00:00Z", &["2026-11-23T18:00:00Z", "2026-11-24T18:00:00Z", "2026-11-25T18:00:00Z"]),
    ("cron(0 8 1 * ? *)", "UTC", "2026-11-23T00:00:00Z", &["2026-12-01T08:00:00Z", "2027-01-01T08:00:00Z", "2027-02-01T08:00:00Z"]),
    ("cron(0/15 10-16 ? * MON-FRI *)", "UTC", "2026-11-20T16:30:00Z", &["2026-11-20T16:45:00Z", "2026-11-23T10:00:00Z", "2026-11-23T10:15:00Z"]),
    ("cron(* * * * ? *)", "UTC", "2026-12-31T23:58:30.5Z", &["2026-12-31T23:59:00Z", "2027-01-01T00:00:00Z", "2027-01-01T00:01:00Z"]),
    // 1 is Sunday (section 10, row 13).
    ("cron(0 0 ? * 1 *)", "UTC", "2026-11-23T00:00:00Z", &["2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z", "2026-12-13T00:00:00Z"]),
    ("cron(0 0 ? * L *)", "UTC", "2026-11-23T00:00:00Z", &["2026-11-28T00:00:00Z", "2026-12-05T00:00:00Z", "2026-12-12T00:00:00Z"]),
    ("cron(0 0 ? * FRI-MON *)", "UTC", "2026-11-23T00:00:00Z", &["2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"]),
    ("cron(0 22-2/2 * * ? *)", "UTC", "2026-11-23T21:00:00Z", &["2026-11-23T22:00:00Z", "2026-11-24T00:00:00Z", "2026-11-24T02:00:00Z"]),
    ("cron(5,20-21,40/15 7 * * ? *)", "UTC", "2026-11-23T07:20:00Z", &["2026-11-23T07:21:00Z", "2026-11-23T07:40:00Z", "2026-11-23T07:55:00Z"]),
    ("cron(/30 0 1 jan,Jul-AUG ? *)", "UTC", "2026-07-01T00:30:00Z", &["2026-08-01T00:00:00Z", "2026-08-01T00:30:00Z", "2027-01-01T00:00:00Z"]),
    ("cron(0 0 31 * ? *)", "UTC", "2026-12-31T00:00:00Z", &["2027-01-31T00:00:00Z", "2027-03-31T00:00:00Z", "2027-05-31T00:00:00Z"]),
    ("cron(0 0 29 2 ? *)", "UTC", "2026-01-01T00:00:00Z", &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z", "2036-02-29T00:00:00Z"]),
    ("cron(0 0 29 2 ? *)", "UTC", "2096-02-29T00:00:00Z", &["2104-02-29T00:00:00Z", "2108-02-29T00:00:00Z", "2112-02-29T00:00:00Z"]),
    ("cron(0 0 L * ? *)", "UTC", "2028-01-31T00:00:00Z", &["2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z", "2028-04-30T00:00:00Z"]),
    ("cron(0 0 L-2 2 ? *)", "UTC", "2026-11-23T00:00:00Z", &["2027-02-26T00:00:00Z", "2028-02-27T00:00:00Z", "2029-02-26T00:00:00Z"]),
    ("cron(0 0 LW * ? *)", "UTC", "2027-01-01T00:00:00Z", &["2027-01-29T00:00:00Z", "2027-02-26T00:00:00Z", "2027-03-31T00:00:00Z"]),
    ("cron(0 9 15W * ? *)", "UTC", "2026-08-01T00:00:00Z", &["2026-08-14T09:00:00Z", "2026-09-15T09:00:00Z", "2026-10-15T09:00:00Z"]),
    ("cron(0 9 15W * ? *)", "UTC", "2026-11-01T00:00:00Z", &["2026-11-16T09:00:00Z", "2026-12-15T09:00:00Z", "2027-01-15T09:00:00Z"]),
    ("cron(0 9 1W * ? *)", "UTC", "2026-07-31T00:00:00Z", &["2026-08-03T09:00:00Z", "2026-09-01T09:00:00Z", "2026-10-01T09:00:00Z"]),
    ("cron(0 9 31W * ? *)", "UTC", "2027-01-01T00:00:00Z", &["2027-01-29T09:00:00Z", "2027-03-31T09:00:00Z", "2027-05-31T09:00:00Z"]),
    ("cron(0 0 ? * 2#1 *)", "UTC", "2026-11-23T00:00:00Z", &["2026-12-07T00:00:00Z", "2027-01-04T00:00:00Z", "2027-02-01T00:00:00Z"]),
    ("cron(0 0 ? * FRI#5 *)", "UTC", "2026-11-23T00:00:00Z", &["2027-01-29T00:00:00Z", "2027-04-30T00:00:00Z", "2027-07-30T00:00:00Z"]),
    ("cron(0 0 ? * 6L *)", "UTC", "2026-11-23T00:00:00Z", &["2026-11-27T00:00:00Z", "2026-12-25T00:00:00Z", "2027-01-29T00:00:00Z"]),
    ("cron(0 12 25 12 ? 2026,2030-2031)", "UTC", "2026-11-23T00:00:00Z", &["2026-12-25T12:00:00Z", "2030-12-25T12:00:00Z", "2031-12-25T12:00:00Z"]),
    ("cron(0 0 1 1 ? 1970/100)", "UTC", "2026-11-23T00:00:00Z", &["2070-01-01T00:00:00Z", "2170-01-01T00:00:00Z"]),
    ("cron(59 23 31 12 ? *)", "UTC", "2198-12-31T23:59:00Z", &["2199-12-31T23:59:00Z"]),
    // Seven fields: the seconds are not honoured.
    ("cron(30 50 5 ? * * *)", "UTC", "2026-11-23T05:50:00Z", &["2026-11-24T05:50:00Z", "2026-11-25T05:50:00Z", "2026-11-26T05:50:00Z"]),
    // What never comes.
    ("cron(0 0 30 2 ? *)", "UTC", "2026-11-23T00:00:00Z", &[]),
    ("cron(0 0 31 4,6,9,11 ? *)", NEW_YORK, "2026-11-23T00:00:00Z", &[]),
    ("cron(0 0 L-30 2 ? *)", "UTC", "2026-11-23T00:00:00Z", &[]),
    ("cron(0 0 ? 2 FRI#5 2027)", "UTC", "2026-11-23T00:00:00Z", &[]),
    ("cron(0 0 * * ? 1999)", "UTC", "2026-11-23T00:00:00Z", &[]),
    ("cron(* * * * ? *)", "UTC", "2200-01-01T00:00:00Z", &[]),
    // Rates and single times.
    ("rate(5 minutes)", "UTC", "2026-11-23T12:34:56.789Z", &["2026-11-23T12:39:56.789Z", "2026-11-23T12:44:56.789Z", "2026-11-23T12:49:56.789Z"]),
    ("rate(1 days)", NEW_YORK, "2027-03-13T12:00:00Z", &["2027-03-14T12:00:00Z", "2027-03-15T12:00:00Z", "2027-03-16T12:00:00Z"]),
    ("rate(2hour)", "UTC", "2026-11-23T23:00:00Z", &["2026-11-24T01:00:00Z", "2026-11-24T03:00:00Z", "2026-11-24T05:00:00Z"]),
    ("at(2026-11-23T12:00:00)", BERLIN, "2026-11-23T00:00:00Z", &["2026-11-23T11:00:00Z"]),
    ("at(2020-01-01T00:00:00)", "UTC", "2026-11-23T00:00:00Z", &[]),
];

/// Times that a zone skips move forward, times that it has twice are the earlier ones.
#[rustfmt::skip]
const STEPS_OF_CLOCKS: &[Row] = &[
    ("cron(30 2 * * ? *)", NEW_YORK, "2027-03-13T00:00:00Z", &["2027-03-13T07:30:00Z", "2027-03-14T07:30:00Z", "2027-03-15T06:30:00Z"]),
    ("cron(30 1 * * ? *)", NEW_YORK, "2026-10-31T00:00:00Z", &["2026-10-31T05:30:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]),
    ("cron(30 2 * * ? *)", BERLIN, "2027-03-27T00:00:00Z", &["2027-03-27T01:30:00Z", "2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"]),
    ("cron(30 2 * * ? *)", BERLIN, "2027-10-30T00:00:00Z", &["2027-10-30T00:30:00Z", "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"]),
    ("cron(0 9 ? * MON-FRI *)", BERLIN, "2027-03-25T23:00:00Z", &["2027-03-26T08:00:00Z", "2027-03-29T07:00:00Z", "2027-03-30T07:00:00Z"]),
    // Skipped times fall together with those that the clocks show.
    ("cron(0,30 2-3 14 3 ? 2027)", NEW_YORK, "2027-03-14T00:00:00Z", &["2027-03-14T07:00:00Z", "2027-03-14T07:30:00Z"]),
    // An hour that comes twice counts once.
    ("cron(0/30 1 1 11 ? 2026)", NEW_YORK, "2026-11-01T00:00:00Z", &["2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z"]),
    ("cron(0/30 * * * ? *)", NEW_YORK, "2026-11-01T05:30:00Z", &["2026-11-01T07:00:00Z", "2026-11-01T07:30:00Z", "2026-11-01T08:00:00Z"]),
    // Half an hour is skipped: 02:15 becomes 02:45 and comes after 02:30.
    ("cron(15,30 2 4 10 ? 2026)", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", &["2026-10-03T15:30:00Z", "2026-10-03T15:45:00Z"]),
    // A whole day is skipped.
    ("cron(0 12 30-31 12 ? 2011)", "Pacific/Apia", "2011-12-29T00:00:00Z", &["2011-12-30T22:00:00Z"]),
    ("cron(0 12,18 30 12 ? 2011)", "Pacific/Apia", "2011-12-30T15:00:00Z", &["2011-12-30T22:00:00Z", "2011-12-31T04:00:00Z"]),
    ("cron(0 12 * * ? *)", "Etc/GMT+9", "2026-11-23T21:00:00Z", &["2026-11-24T21:00:00Z", "2026-11-25T21:00:00Z", "2026-11-26T21:00:00Z"]),
    ("at(2027-03-14T02:30:00)", NEW_YORK, "2027-03-14T00:00:00Z", &["2027-03-14T07:30:00Z"]),
    ("at(2026-11-01T01:30:00)", NEW_YORK, "2026-11-01T00:00:00Z", &["2026-11-01T05:30:00Z"]),
];

#[test]
fn occurrences_follow_the_grammar_and_the_zone() {
    for (text, zone, after, expected) in GRAMMAR.iter().chain(STEPS_OF_CLOCKS) {
        let schedule = Schedule::parse(text, Some(zone)).unwrap();
        let found: Vec<String> = following(&schedule, at(after), 3).into_iter().map(show).collect();
        assert_eq!(found, *expected, "{text} in {zone} after {after}");
    }
}

#[test]
fn without_a_zone_it_is_utc() {
    for text in ["cron(30 2 * * ? *)", "at(2027-03-14T02:30:00)", "rate(1 day)"] {
        assert_eq!(Schedule::parse(text, None), Schedule::parse(text, Some("UTC")), "{text}");
    }
}

/// A part of a field, and what it means by itself.
#[derive(Debug, Clone)]
enum Part {
    All,
    One(i16),
    Between(i16, i16),
    From(i16, i16),
}

#[derive(Debug, Clone)]
enum DayField {
    OfMonth(Vec<Part>),
    BeforeLast(i8),
    Nearest(i8),
    LastWorkday,
    OfWeek(Vec<Part>),
    LastOfWeek(i8),
    Nth(i8, i8),
}

#[derive(Debug, Clone)]
struct Model {
    minutes: Vec<Part>,
    hours: Vec<Part>,
    day: DayField,
    months: Vec<Part>,
}

fn matches(parts: &[Part], value: i16) -> bool {
    parts.iter().any(|part| match *part {
        Part::All => true,
        Part::One(one) => value == one,
        // Over the end, too.
        Part::Between(first, last) if first > last => value >= first || value <= last,
        Part::Between(first, last) => (first..=last).contains(&value),
        Part::From(first, step) => value >= first && (value - first) % step == 0,
    })
}

/// The weekday of `date`'s month that is nearest to a day of it, by looking at all of them.
fn nearest(date: Date, target: i8) -> Option<i8> {
    (target <= date.days_in_month()).then(|| {
        (1..=date.days_in_month())
            .filter(|day| {
                let weekday = date.with().day(*day).build().unwrap().weekday();
                weekday.to_monday_one_offset() <= 5
            })
            .min_by_key(|day| (day - target).abs())
            .unwrap()
    })
}

impl Model {
    fn falls_on(&self, date: Date) -> bool {
        let weekday = date.weekday().to_sunday_one_offset();
        let another_follows = |days: i8| (date + days.days()).month() == date.month();
        let day = match &self.day {
            DayField::OfMonth(parts) => matches(parts, date.day().into()),
            DayField::BeforeLast(back) => another_follows(*back) && !another_follows(back + 1),
            DayField::Nearest(target) => nearest(date, *target) == Some(date.day()),
            DayField::LastWorkday => nearest(date, date.days_in_month()) == Some(date.day()),
            DayField::OfWeek(parts) => matches(parts, weekday.into()),
            DayField::LastOfWeek(wanted) => weekday == *wanted && !another_follows(7),
            DayField::Nth(wanted, nth) => {
                let earlier = (1..date.day()).filter(|day| (date.day() - day) % 7 == 0).count();
                weekday == *wanted && earlier + 1 == usize::try_from(*nth).unwrap()
            }
        };
        day && matches(&self.months, date.month().into())
    }

    /// All its occurrences in the civil year, by looking at every minute.
    fn occurrences(&self, zone: &TimeZone, year: i16) -> BTreeSet<Timestamp> {
        let days =
            std::iter::successors(Some(Date::constant(year, 1, 1)), |day| day.tomorrow().ok());
        let days = days.take_while(|day| day.year() == year).filter(|day| self.falls_on(*day));
        let minutes = (0..24).flat_map(|hour| (0..60).map(move |minute| (hour, minute)));
        let minutes: Vec<(i8, i8)> = minutes
            .filter(|(hour, minute)| {
                matches(&self.hours, (*hour).into()) && matches(&self.minutes, (*minute).into())
            })
            .collect();
        days.flat_map(|day| minutes.iter().map(move |(hour, minute)| day.at(*hour, *minute, 0, 0)))
            .map(|civil| civil.to_zoned(zone.clone()).unwrap().timestamp())
            .map(|instant| Timestamp::from_millis(instant.as_millisecond()))
            .collect()
    }
}

struct Parts<'a>(&'a [Part]);

impl fmt::Display for Parts<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            out.write_str(if index > 0 { "," } else { "" })?;
            match part {
                Part::All => out.write_str("*")?,
                Part::One(one) => write!(out, "{one}")?,
                Part::Between(first, last) => write!(out, "{first}-{last}")?,
                Part::From(first, step) => write!(out, "{first}/{step}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Model {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (of_month, of_week) = match &self.day {
            DayField::OfMonth(parts) => (Parts(parts).to_string(), "?".to_owned()),
            DayField::BeforeLast(0) => ("L".to_owned(), "?".to_owned()),
            DayField::BeforeLast(back) => (format!("L-{back}"), "?".to_owned()),
            DayField::Nearest(day) => (format!("{day}W"), "?".to_owned()),
            DayField::LastWorkday => ("LW".to_owned(), "?".to_owned()),
            DayField::OfWeek(parts) => ("?".to_owned(), Parts(parts).to_string()),
            DayField::LastOfWeek(weekday) => ("?".to_owned(), format!("{weekday}L")),
            DayField::Nth(weekday, nth) => ("?".to_owned(), format!("{weekday}#{nth}")),
        };
        let Self { minutes, hours, months, .. } = self;
        let (minutes, hours, months) = (Parts(minutes), Parts(hours), Parts(months));
        write!(out, "cron({minutes} {hours} {of_month} {months} {of_week} *)")
    }
}

fn parts(min: i16, max: i16) -> impl Strategy<Value = Vec<Part>> {
    let part = prop_oneof![
        Just(Part::All),
        (min..=max).prop_map(Part::One),
        (min..=max, min..=max).prop_map(|(first, last)| Part::Between(first, last)),
        (min..=max, 1..=max).prop_map(|(first, step)| Part::From(first, step)),
    ];
    prop::collection::vec(part, 1..4)
}

fn model() -> impl Strategy<Value = Model> {
    let day = prop_oneof![
        parts(1, 31).prop_map(DayField::OfMonth),
        (0..=30_i8).prop_map(DayField::BeforeLast),
        (1..=31_i8).prop_map(DayField::Nearest),
        Just(DayField::LastWorkday),
        parts(1, 7).prop_map(DayField::OfWeek),
        (1..=7_i8).prop_map(DayField::LastOfWeek),
        (1..=7_i8, 1..=5_i8).prop_map(|(weekday, nth)| DayField::Nth(weekday, nth)),
    ];
    (parts(0, 59), parts(0, 23), day, parts(1, 12))
        .prop_map(|(minutes, hours, day, months)| Model { minutes, hours, day, months })
}

/// Zones with steps of an hour, of half an hour, of a day (2011), and none.
fn zone() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![NEW_YORK, BERLIN, "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn searching_agrees_with_looking_at_every_minute(
        model in model(),
        name in zone(),
        year in prop::sample::select(vec![2011_i16, 2024, 2026, 2027]),
        instants in prop::collection::vec(0_i64..365 * 86_400_000, 30),
    ) {
        let schedule = Schedule::parse(&model.to_string(), Some(name)).unwrap();
        let zone = zone::named(name).unwrap();
        let expected = model.occurrences(&zone, year);
        let first = Date::constant(year, 1, 1).to_zoned(zone.clone()).unwrap().timestamp();
        let first = Timestamp::from_millis(first.as_millisecond());
        // From anywhere, and around every step of the clocks, where going wrong is easiest.
        let steps = zone.following(Date::constant(year, 1, 1).to_zoned(zone.clone()).unwrap().timestamp());
        let steps = steps.take(3).flat_map(|step| {
            (-8..100).map(move |quarter| step.timestamp().as_millisecond() + quarter * 900_000)
        });
        let anywhere = instants.into_iter().map(|offset| first.as_millis() + offset);
        for after in anywhere.chain(steps).map(Timestamp::from_millis).chain(expected.iter().copied().take(50)) {
            let next = schedule.next_after(after, Timestamp::default(), None, None);
            let range = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
            match expected.range(range).next() {
                Some(expected) => prop_assert_eq!(
                    next, Some(*expected), "{} in {} after {}", model, name, show(after)
                ),
                // It lies in another year.
                None => prop_assert!(next.is_none_or(|next| next > after)),
            }
        }
    }

    #[test]
    fn the_next_is_later_and_never_passed_over(
        model in model(), name in zone(), millis in 0_i64..6_000_000_000_000, ahead in 0_i64..100_000_000_000,
    ) {
        let schedule = Schedule::parse(&model.to_string(), Some(name)).unwrap();
        let next = |after| schedule.next_after(after, Timestamp::default(), None, None);
        let (earlier, later) = (Timestamp::from_millis(millis), Timestamp::from_millis(millis + ahead));
        if let Some(found) = next(earlier) {
            prop_assert!(found > earlier);
            prop_assert!(next(later).is_none_or(|after_it| after_it >= found));
            prop_assert_eq!(next(Timestamp::from_millis(found.as_millis() - 1)), Some(found));
        } else {
            prop_assert_eq!(next(later), None);
        }
    }
}
