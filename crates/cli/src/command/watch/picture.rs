//! A view as lines of text: whole variants as long as they fit, one line for each otherwise.

use console::{measure_text_width, truncate_str};

use crate::output::{Ink, age, instant, visible};

use super::view::{Alarm, Target, Variant, View};

/// Eight heights of a bar.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Cells of an instance bar; of more instances, each cell stands for several.
const BAR_CELLS: usize = 24;

/// Where the values of a variant's lines begin.
const LABEL: usize = 14;

/// A variant's name has this part of a line that it shares with all else.
const NAME_PART: usize = 3;

/// A picture's size. Without a height it is as long as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: Option<usize>,
}

/// The lines of a view, none longer than the size's columns, and not more than its rows.
pub(super) fn picture(view: &View, size: Size, ink: Ink) -> Vec<String> {
    let head = head(view, ink);
    let whole = view.variants.iter().flat_map(|variant| {
        let blank = std::iter::once(String::new());
        blank.chain(whole(variant, view.now, ink))
    });
    let mut lines: Vec<String> = head.iter().cloned().chain(whole).collect();
    if view.variants.is_empty() {
        lines.push(String::new());
        lines.push("No variant serves yet.".to_owned());
    }
    if let Some(rows) = size.rows
        && lines.len() > rows
    {
        let widest = view.variants.iter().map(|variant| measure_text_width(&variant.name)).max();
        let widest = widest.unwrap_or(0).min((size.columns / NAME_PART).max(1));
        let short = view.variants.iter().map(|variant| short(variant, widest, ink));
        // One variant is shown as far as it goes.
        if view.variants.len() > 1 {
            lines = head.into_iter().chain([String::new()]).chain(short).collect();
        }
        if lines.len() > rows {
            let left = lines.len() - rows.saturating_sub(1);
            lines.truncate(rows.saturating_sub(1));
            lines.push(
                ink.faint(format!(
                    "… and {left} more lines: make the window higher, or use --once"
                )),
            );
        }
    }
    lines.into_iter().map(|line| truncate_str(&line, size.columns, "…").into_owned()).collect()
}

fn head(view: &View, ink: Ink) -> Vec<String> {
    let status = match view.status.as_str() {
        "InService" => ink.good(&view.status),
        "Failed" => ink.alarming(&view.status),
        other => ink.moving(other),
    };
    let config = view.config.as_deref().unwrap_or("no config");
    let pace = if (view.time_scale - 1.0).abs() < f64::EPSILON {
        String::new()
    } else {
        format!(" (time runs {} times as fast)", view.time_scale)
    };
    let now = ink.faint(format!("{}{pace}", instant(view.now)));
    let mut lines = vec![format!("{}  {status}  {config}  {now}", ink.strong(&view.endpoint))];
    if let Some(reason) = &view.failure {
        lines.push(format!("Last failure: {}", visible(reason)));
    }
    lines
}

/// A variant on its own lines.
fn whole(variant: &Variant, now: i64, ink: Ink) -> Vec<String> {
    let title = ink.strong(&variant.name);
    let mut lines = vec![title, labelled("instances", &instances(variant, ink))];
    let requests = variant.requests_now().map_or_else(|| "no data".to_owned(), number);
    lines
        .push(labelled("requests/min", &format!("{}  {requests}", spark(&variant.requests, None))));
    let load = &variant.load;
    let value = load.now().map_or_else(|| "no data".to_owned(), number);
    let wanted =
        load.wanted.map(|wanted| format!(" (target {})", number(wanted))).unwrap_or_default();
    lines.push(labelled(
        load.unit.in_words(),
        &format!("{}  {value}{wanted}", spark(&load.values, load.wanted)),
    ));
    if !variant.alarms.is_empty() {
        let alarms: Vec<String> = variant.alarms.iter().map(|one| alarm(one, now, ink)).collect();
        lines.push(labelled("alarms", &alarms.join("   ")));
    }
    if let Some(text) = cooldowns(variant, now) {
        lines.push(labelled("cooldowns", &ink.moving(text)));
    }
    for (index, activity) in variant.activities.iter().enumerate() {
        let label = if index == 0 { "activities" } else { "" };
        let status = match activity.status.as_str() {
            "Successful" => ink.good(format!("{:<11}", activity.status)),
            "InProgress" | "Pending" => ink.moving(format!("{:<11}", activity.status)),
            _ => ink.alarming(format!("{:<11}", activity.status)),
        };
        let text = format!("{}  {status}  {}", clock(activity.at), visible(&activity.in_words()));
        lines.push(labelled(label, &text));
    }
    lines
}

fn labelled(label: &str, text: &str) -> String {
    format!("  {label:<LABEL$}{text}")
}

/// A variant on one line, the most urgent first, as a narrow window cuts the end off.
fn short(variant: &Variant, widest: usize, ink: Ink) -> String {
    let name = truncate_str(&variant.name, widest, "…");
    let padding = " ".repeat(widest.saturating_sub(measure_text_width(&name)));
    let ringing: Vec<&str> =
        variant.alarms.iter().filter(|alarm| alarm.state == "ALARM").map(Alarm::short).collect();
    let mark = if ringing.is_empty() { " ".to_owned() } else { ink.alarming("▲") };
    let load = variant.load.now().map_or_else(|| "no data".to_owned(), number);
    let spark = spark(&variant.load.values, variant.load.wanted);
    let counts = format!("{}/{}", variant.current, variant.desired);
    let unit = variant.load.unit.in_words();
    let name = ink.strong(name);
    let ringing = ink.alarming(visible(&ringing.join(" ")));
    format!("{mark} {name}{padding}  {counts:>5}  {load:>7} {unit:<12}  {spark}  {ringing}")
        .trim_end()
        .to_owned()
}

/// `██▒·  2 of 3 serve, between 1 and 4`.
fn instances(variant: &Variant, ink: Ink) -> String {
    let Variant { current, desired, target, .. } = variant;
    let serving = if current == desired {
        format!("{current} {}", if *current == 1 { "serves" } else { "serve" })
    } else {
        format!("{current} of {desired} serve")
    };
    let bounds = match target {
        None => "not registered, so that nothing scales it".to_owned(),
        Some(Target { min, max, suspended }) => {
            let suspended = if *suspended { ", partly suspended" } else { "" };
            format!("between {min} and {max}{suspended}")
        }
    };
    let bar = bar(*current, *desired, target.map_or(0, |target| target.max));
    let bar = if current == desired { ink.good(bar) } else { ink.moving(bar) };
    format!("{bar}  {serving}, {bounds}")
}

/// Full cells for instances that serve, half ones for those on their way in or out, dots up to the bound.
fn bar(current: i32, desired: i32, max: i32) -> String {
    let whole = |count: i32| usize::try_from(count).unwrap_or(0);
    let all = whole(current.max(desired).max(max)).max(1);
    let cells = |count: i32| {
        let count = whole(count);
        if all <= BAR_CELLS { count } else { (count * BAR_CELLS).div_ceil(all) }
    };
    let (full, moving) = (cells(current.min(desired)), cells(current.max(desired)));
    let rest = all.min(BAR_CELLS) - moving;
    format!("{}{}{}", "█".repeat(full), "▒".repeat(moving - full), "·".repeat(rest))
}

/// A character for each value, from nothing to the largest of the values and of what is wanted.
pub(super) fn spark(values: &[Option<f64>], wanted: Option<f64>) -> String {
    let known = values.iter().flatten().copied().filter(|value| value.is_finite());
    let most = known.chain(wanted).fold(0.0, f64::max);
    values.iter().map(|value| value.map_or(' ', |value| height(value, most))).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 7; a cast of what is no number is 0"
)]
fn height(value: f64, most: f64) -> char {
    let share = if most > 0.0 { (value / most).clamp(0.0, 1.0) } else { 0.0 };
    let step = (share * 7.0).ceil() as usize;
    HEIGHTS.get(step).copied().unwrap_or('█')
}

fn alarm(alarm: &Alarm, now: i64, ink: Ink) -> String {
    let state = match alarm.state.as_str() {
        "OK" => ink.good("OK"),
        "ALARM" => ink.alarming("ALARM"),
        "" => ink.alarming("deleted"),
        _ => ink.faint("too little data"),
    };
    let name = visible(alarm.short());
    if alarm.since == 0 {
        return format!("{name} {state}");
    }
    format!("{name} {state} for {}", age(alarm.since, now))
}

fn cooldowns(variant: &Variant, now: i64) -> Option<String> {
    let texts = variant.cooldowns.iter().map(|cooldown| {
        let direction = cooldown.direction.to_lowercase();
        format!("scale-{direction} until {} ({})", clock(cooldown.until), age(now, cooldown.until))
    });
    let text = texts.collect::<Vec<_>>().join("   ");
    (!text.is_empty()).then_some(text)
}

/// The time of day.
pub(super) fn clock(millis: i64) -> String {
    let text = instant(millis);
    text.split_once('T')
        .map_or_else(|| text.clone(), |(_, time)| time.trim_end_matches('Z').to_owned())
}

/// Whole numbers without a fraction, others with one digit.
pub(super) fn number(value: f64) -> String {
    if value.fract().abs() < 0.05 || value.abs() >= 1000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}
