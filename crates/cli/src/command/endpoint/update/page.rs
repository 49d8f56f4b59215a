//! A plan on a page of 80 columns: the verdict, the steps with their calls, capacity as a table, and what else to know.

use console::measure_text_width;
use domain::safe_update::{Capacity, Facts, Plan, Planned, Step, Verdict};

use crate::output::{Ink, table, wrapped};

/// A page's width, whatever the terminal's: longer lines are hard to read.
const WIDTH: usize = 80;

pub(super) fn page(facts: &Facts, plan: &Plan, ink: Ink) -> String {
    let mut parts = vec![head(facts, plan, ink)];
    parts.push(section(ink, "Steps", plan.steps.iter().map(|one| step(one, ink))));
    if !plan.capacity.is_empty() {
        parts.push(section(ink, "Instances in service", [capacity(&plan.capacity)]));
    }
    if !plan.notes.is_empty() {
        let notes = plan.notes.iter().map(|note| {
            let mark =
                if plan.obstacles.contains(note) { ink.alarming("✗") } else { "-".to_owned() };
            wrapped(&format!("  {mark} "), note, WIDTH)
        });
        parts.push(section(ink, "Good to know", notes));
    }
    parts.join("\n\n")
}

fn section(ink: Ink, title: &str, lines: impl IntoIterator<Item = String>) -> String {
    let lines = lines.into_iter().collect::<Vec<_>>().join("\n");
    format!("{}\n{lines}", ink.strong(title))
}

/// What is to be done, and what would become of it without this command.
fn head(facts: &Facts, plan: &Plan, ink: Ink) -> String {
    let Facts { endpoint, in_use, wanted, status, .. } = facts;
    let title = format!("{}  {status}  {} → {}", ink.strong(endpoint), in_use.name, wanted.name);
    let (line, words) = match &plan.verdict {
        Verdict::Accepted => (ink.good("A plain UpdateEndpoint would be accepted."), None),
        Verdict::Refused(words) => {
            (ink.alarming("A plain UpdateEndpoint would be refused:"), Some(words))
        }
        Verdict::LosesScaling(what) => {
            (ink.moving("A plain UpdateEndpoint would be accepted, and lose scaling:"), Some(what))
        }
    };
    let words = words.map(|words| format!("\n{}", wrapped("    ", words, WIDTH)));
    format!("{title}\n  {line}{}", words.unwrap_or_default())
}

fn step(step: &Step, ink: Ink) -> String {
    let Step { number, title, needed, why, calls } = step;
    if !needed {
        let first = format!("  {number}  ");
        let lines = wrapped(&first, &format!("{title}. {why}"), WIDTH);
        return lines.lines().map(|line| ink.faint(line)).collect::<Vec<_>>().join("\n");
    }
    let mut lines = vec![format!("  {number}  {}", ink.strong(title))];
    lines.push(wrapped("     ", why, WIDTH));
    let width = calls.iter().map(|call| measure_text_width(&call.operation)).max().unwrap_or(0);
    lines.extend(calls.iter().map(|Planned { operation, on, .. }| {
        let padding = " ".repeat(width - measure_text_width(operation));
        wrapped(&format!("       {operation}{padding}  "), on, WIDTH)
    }));
    lines.join("\n")
}

fn capacity(capacity: &[Capacity]) -> String {
    let rows = capacity.iter().map(|one| {
        let Capacity { variant, before, during, after } = one;
        [variant.to_string(), before.to_string(), during.to_string(), after.to_string()]
    });
    let table = table(["VARIANT", "BEFORE", "DURING AT LEAST", "AFTER"], rows);
    table.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
