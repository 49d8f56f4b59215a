//! What is refused, and in which words; each row names where they are from.

use proptest::prelude::*;

use super::*;

const CRON: &str =
    "Invalid schedule expression. Details: Invalid CRON expression: error at position";
const AT: &str = "Invalid schedule expression. Details: Invalid schedule at DateTime expression:";

fn refusal(text: &str, zone: Option<&str>) -> String {
    Schedule::parse(text, zone).expect_err(text).to_string()
}

#[test]
fn recorded_texts_of_section_1_5() {
    let both =
        "0, details: Specifying both a day-of-week AND a day-of-month parameter is not supported.";
    #[rustfmt::skip]
    let rows = [
        ("cron(0 0 * * ?)", format!("{CRON} 9, details: Unexpected end of expression.")),
        ("cron(0 12 * * * *)", format!("{CRON} {both}")),
        ("cron(0 12 1 * MON *)", format!("{CRON} {both}")),
        ("cron(0 16 * * MON-FRI *)", format!("{CRON} {both}")),
        ("at(2099-02-30T00:00:00)", format!("{AT} Cannot parse \"2099-02-30T00:00:00\": Value 30 for dayOfMonth must be in the range [1,28]")),
        ("at(2096-02-30T00:00:00)", format!("{AT} Cannot parse \"2096-02-30T00:00:00\": Value 30 for dayOfMonth must be in the range [1,29]")),
        ("rate(0 minutes)", "Invalid schedule frequency. Run for '1970-01-01T00:00:00.000Z' and '1970-01-01T00:00:00.000Z' are less than 60 seconds apart".to_owned()),
    ];
    for (text, expected) in rows {
        assert_eq!(refusal(text, None), expected, "{text}");
    }
    let zone = refusal("rate(1 day)", Some("Mars/Olympus"));
    assert_eq!(zone, "Invalid schedule timezone: Mars/Olympus");
}

#[test]
fn other_forms_get_the_syntax() {
    let syntax = r"Invalid schedule expression. Details: Schedule expressions must have the following syntax: rate(<number>\s?(minutes?|hours?|days?)), cron(<cron_expression>) or at(yyyy-MM-dd'T'HH:mm:ss).";
    #[rustfmt::skip]
    let rows = [
        "", "x", "0 18 * * ?", "at", "at(", "at()x", "rate(5 weeks)", "rate(-1 day)", "rate(+1 day)", "rate(day)", "rate(1  day)",
        "rate(1.5 hours)", "rate(99999999999 days)", "CRON(0 0 * * ? *)", "cron(0 0 * * ? *", " rate(1 day)", "every(1 day)", "rate(٣ days)",
    ];
    for text in rows {
        assert_eq!(refusal(text, None), syntax, "{text}");
    }
}

/// Wordings of Quartz, which the recorded texts are from or close to (section 4 leaves them open).
#[test]
fn a_cron_field_says_what_is_wrong_with_it() {
    #[rustfmt::skip]
    let rows = [
        ("60 0 * * ? *", "Minute and Second values must be between 0 and 59"),
        ("60 0 0 * * ? *", "Minute and Second values must be between 0 and 59"),
        ("0 24 * * ? *", "Hour values must be between 0 and 23"),
        ("0 0 0 * ? *", "Day of month values must be between 1 and 31"),
        ("0 0 1-32 * ? *", "Day of month values must be between 1 and 31"),
        ("0 0 * 13 ? *", "Month values must be between 1 and 12"),
        ("0 0 ? * 8 *", "Day-of-Week values must be between 1 and 7"),
        ("0 0 ? * 0L *", "'L' option is not valid here."),
        ("0 0 * * ? 1969", "Year values must be between 1970 and 2199"),
        ("0 0 * * ? 2200", "Year values must be between 1970 and 2199"),
        ("0 0 * * ? 99999", "Year values must be between 1970 and 2199"),
        ("0 0 * * ? 2030-2029", "Start year must be less than stop year"),
        ("0 0 * FOO ? *", "Invalid Month value: 'FOO'"),
        ("0 0 ? * noon *", "Invalid Day-of-Week value: 'NOON'"),
        ("MON 0 * * ? *", "Illegal characters for this position: 'MON'"),
        ("0 -1 * * ? *", "Unexpected end of a value."),
        ("0 1, * * ? *", "Unexpected end of a value."),
        ("0 1+1 * * ? *", "Unexpected character: +"),
        ("0 0 * é ? *", "Unexpected character: é"),
        ("0/x 0 * * ? *", "'/' must be followed by an integer."),
        ("0/ 0 * * ? *", "'/' must be followed by an integer."),
        ("*/0 0 * * ? *", "'/' must be followed by a positive integer."),
        ("*/60 0 * * ? *", "Increment > 60 : 60"),
        ("0 */24 * * ? *", "Increment > 24 : 24"),
        ("0 ? * * ? *", "'?' can only be specified for Day-of-Month or Day-of-Week."),
        ("0 0 ? * ? *", "'?' can only be specified for Day-of-Month -OR- Day-of-Week."),
        ("0 0 L,15 * ? *", "Support for specifying 'L' and 'LW' with other days of the month is not implemented"),
        ("0 0 1W,15W * ? *", "Support for specifying 'W' with other days of the month is not implemented"),
        ("0 0 L-31 * ? *", "Offset from last day must be <= 30"),
        ("0 0 L-999 * ? *", "Offset from last day must be <= 30"),
        ("0 0 L3 * ? *", "'L' option is not valid here."),
        ("0 0 32W * ? *", "'W' option is not valid here."),
        ("0 0 ? * MONLL *", "'L' option is not valid here."),
        ("0 0 ? * MON,FRIL *", "Support for specifying 'L' with other days of the week is not implemented"),
        ("0 0 ? * MON#1,FRI#2 *", "Support for specifying multiple \"nth\" days is not implemented."),
        ("0 0 ? * MON#6 *", "A numeric value between 1 and 5 must follow the '#' option"),
        ("0 0 ? * MON# *", "A numeric value between 1 and 5 must follow the '#' option"),
        ("0 0 0 * * ? * *", "Unexpected field after the year."),
    ];
    for (text, details) in rows {
        let expected = format!("{CRON} 0, details: {details}");
        assert_eq!(refusal(&format!("cron({text})"), None), expected, "{text}");
    }
    assert_eq!(
        refusal("cron()", None),
        format!("{CRON} 0, details: Unexpected end of expression.")
    );
}

/// Joda's wordings, as the recorded one is.
#[test]
fn a_single_time_says_what_is_wrong_with_it() {
    #[rustfmt::skip]
    let rows = [
        ("2099-13-01T00:00:00", "Cannot parse \"2099-13-01T00:00:00\": Value 13 for monthOfYear must be in the range [1,12]"),
        ("2099-01-00T00:00:00", "Cannot parse \"2099-01-00T00:00:00\": Value 0 for dayOfMonth must be in the range [1,31]"),
        ("2099-01-01T24:00:00", "Cannot parse \"2099-01-01T24:00:00\": Value 24 for hourOfDay must be in the range [0,23]"),
        ("2099-01-01T00:60:00", "Cannot parse \"2099-01-01T00:60:00\": Value 60 for minuteOfHour must be in the range [0,59]"),
        ("2099-01-01T00:00:60", "Cannot parse \"2099-01-01T00:00:60\": Value 60 for secondOfMinute must be in the range [0,59]"),
        ("2099-01-01T00:00", "Invalid format: \"2099-01-01T00:00\" is too short"),
        ("2099-01-01T00:00:00Z", "Invalid format: \"2099-01-01T00:00:00Z\" is malformed at \"Z\""),
        ("2099-1-1T0:0:0", "Invalid format: \"2099-1-1T0:0:0\" is malformed at \"-1T0:0:0\""),
        ("2099-01-é", "Invalid format: \"2099-01-é\" is malformed at \"é\""),
        ("noon", "Invalid format: \"noon\""),
        ("", "Invalid format: \"\""),
    ];
    for (text, details) in rows {
        assert_eq!(refusal(&format!("at({text})"), None), format!("{AT} {details}"), "{text}");
    }
    // Beyond the calendar once it is in UTC.
    assert!(Schedule::parse("at(9999-12-31T23:59:59)", Some("Etc/GMT+12")).is_err());
}

#[test]
fn runs_within_a_minute_are_refused() {
    #[rustfmt::skip]
    let rows = [
        ("cron(*/10 30 6 ? * * *)", "1970-01-01T06:30:00.000Z", "1970-01-01T06:30:10.000Z"),
        ("cron(5,59 0 0 29 2 ? *)", "1972-02-29T00:00:05.000Z", "1972-02-29T00:00:59.000Z"),
    ];
    for (text, first, second) in rows {
        let expected = format!(
            "Invalid schedule frequency. Run for '{first}' and '{second}' are less than 60 seconds apart"
        );
        assert_eq!(refusal(text, None), expected, "{text}");
    }
}

/// Names of the database in another case, offsets and rules are no zones.
#[test]
fn a_zone_is_a_name_as_it_is_spelled() {
    for good in
        ["UTC", "GMT", "Etc/UTC", "Etc/GMT+9", "US/Pacific", "Europe/Berlin", "Asia/Kathmandu"]
    {
        assert!(Schedule::parse("rate(1 day)", Some(good)).is_ok(), "{good}");
    }
    let long = "A/".repeat(800);
    for bad in [
        "",
        "utc",
        "europe/berlin",
        "+02:00",
        "EST5EDT,M3.2.0,M11.1.0",
        "Factory",
        "Etc/Unknown",
        "../UTC",
        "Berlin",
        &long,
    ] {
        assert_eq!(refusal("rate(1 day)", Some(bad)), format!("Invalid schedule timezone: {bad}"));
    }
    // The expression is looked at first.
    assert!(refusal("cron()", Some("Mars/Olympus")).starts_with(CRON));
}

/// Anything, what looks like a schedule, and what is one more often than not.
fn text() -> impl Strategy<Value = String> {
    let field = prop::sample::select(vec![
        "*", "*", "1", "5-7", "3/9", "1,30", "?", "L", "LW", "9W", "2#1", "6L", "2040",
    ]);
    prop_oneof![
        ".{0,80}",
        "(at|rate|cron)\\(.{0,80}\\)",
        "cron\\([0-9A-Z*?/,#-]{0,5}( [0-9A-Z*?/,#-]{1,5}){4,6}\\)",
        "at\\([0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\\)",
        "rate\\([0-9]{1,11} ?(minute|hour|day)s?\\)",
        prop::collection::vec(field, 4).prop_map(|fields| {
            let [minute, of_month, month, year] = fields[..] else { return String::new() };
            format!("cron({minute} 3 {of_month} {month} ? {year})")
        }),
    ]
}

proptest! {
    /// Neither parsing nor searching panics, whatever the text and the instants.
    #[test]
    fn hostile_texts_do_no_harm(
        text in text(),
        zone in prop::option::of(".{0,20}"),
        after in any::<i64>(),
        created in any::<i64>(),
        start in prop::option::of(any::<i64>()),
        end in prop::option::of(any::<i64>()),
    ) {
        if let Err(error) = Schedule::parse(&text, zone.as_deref()) {
            prop_assert!(error.to_string().starts_with("Invalid schedule "));
        }
        if let Ok(schedule) = Schedule::parse(&text, None) {
            let [after, created] = [after, created].map(Timestamp::from_millis);
            let [start, end] = [start, end].map(|at| at.map(Timestamp::from_millis));
            let next = schedule.next_after(after, created, start, end);
            prop_assert!(next.is_none_or(|next| next > after && next > created));
            prop_assert!(end.is_none_or(|end| next.is_none_or(|next| next <= end)));
        }
    }
}
