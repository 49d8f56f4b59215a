//! A deletion on a page of 80 columns: the verdict, what goes, and what the caller must be allowed to do.

use domain::safe_update::{
    DeletionFacts, DeletionPlan, DeletionVerdict, Deregistered, Ending, Given, Permission,
};

use crate::output::{Ink, table, wrapped};

/// A page's width, whatever the terminal's: longer lines are hard to read.
const WIDTH: usize = 80;

pub(super) fn page(facts: &DeletionFacts, plan: &DeletionPlan, ink: Ink) -> String {
    let mut parts = vec![head(facts, plan, ink)];
    if !plan.instances.is_empty() {
        parts.push(section(ink, "Instances that end", plan.instances.iter().map(ending)));
    }
    if !plan.targets.is_empty() {
        let lines = plan.targets.iter().map(|target| deregistered(target, ink));
        parts.push(section(ink, "Scalable targets that are deregistered", lines));
    }
    parts.push(section(ink, "Permissions it takes", [permissions(&plan.permissions, ink)]));
    if !plan.notes.is_empty() {
        let notes = plan.notes.iter().map(|note| wrapped("  - ", note, WIDTH));
        parts.push(section(ink, "Good to know", notes));
    }
    parts.join("\n\n")
}

fn section(ink: Ink, title: &str, lines: impl IntoIterator<Item = String>) -> String {
    let lines = lines.into_iter().collect::<Vec<_>>().join("\n");
    format!("{}\n{lines}", ink.strong(title))
}

fn head(facts: &DeletionFacts, plan: &DeletionPlan, ink: Ink) -> String {
    let title = format!("{}  {}  {}", ink.strong(&facts.endpoint), facts.status, facts.config);
    let (line, words) = match &plan.verdict {
        DeletionVerdict::Accepted => (ink.good("DeleteEndpoint would be accepted."), None),
        DeletionVerdict::Refused(words) => {
            let line = "DeleteEndpoint would be refused, and nothing be deleted:";
            (ink.alarming(line), Some(words))
        }
        DeletionVerdict::Unknown(words) => {
            (ink.moving("Nothing known speaks against DeleteEndpoint:"), Some(words))
        }
    };
    let words = words.map(|words| format!("\n{}", wrapped("    ", words, WIDTH)));
    format!("{title}\n  {line}{}", words.unwrap_or_default())
}

fn ending(one: &Ending) -> String {
    match one.count {
        Some(1) => format!("  {}: 1 instance", one.variant),
        Some(count) => format!("  {}: {count} instances", one.variant),
        None => format!("  {}: serverless", one.variant),
    }
}

fn deregistered(target: &Deregistered, ink: Ink) -> String {
    let Deregistered { variant, policies, policy_alarms, scheduled_actions, .. } = target;
    let mut lines = vec![format!("  {}", ink.strong(variant))];
    let with = [
        ("policies", policies),
        ("their alarms", policy_alarms),
        ("scheduled actions", scheduled_actions),
    ];
    let with = with.iter().filter(|(_, names)| !names.is_empty());
    lines.extend(
        with.map(|(what, names)| wrapped(&format!("    {what:<19}"), &names.join(", "), WIDTH)),
    );
    lines.join("\n")
}

fn permissions(permissions: &[Permission], ink: Ink) -> String {
    let rows = permissions.iter().map(|one| {
        let given = match one.given {
            Given::Allowed => "allowed",
            Given::Missing => "MISSING",
            Given::Unknown => "unknown",
        };
        [given.to_owned(), one.action.clone(), one.on.clone()]
    });
    let table = table(["", "ACTION", "ON"], rows);
    let line = |line: &str| {
        if line.starts_with("MISSING") {
            format!("  {}", ink.alarming(line))
        } else {
            format!("  {line}")
        }
    };
    table.lines().map(line).collect::<Vec<_>>().join("\n")
}
