//! The explanation on a page of 80 columns: what is, why, what next, and what was decided.

use wire::tidegate::{
    AlarmState, ExplainScalingOutput, ExplainedAlarm, ExplainedPolicy, ScalingDecision,
    ScalingOutcome,
};

use crate::output::{Ink, instant, wrapped};

/// A page's width, whatever the terminal's: longer lines are hard to read.
const WIDTH: usize = 80;

/// Decisions that are told; the answer in JSON has all of them.
const DECISIONS_SHOWN: usize = 6;

pub(super) fn page(explained: &ExplainScalingOutput, ink: Ink) -> String {
    let mut parts = vec![head(explained, ink)];
    if !explained.policies.is_empty() {
        let policies = explained.policies.iter().map(|policy| self::policy(policy, ink));
        parts.push(section(ink, "What makes it scale", policies));
    }
    if !explained.scheduled_actions.is_empty() {
        let actions = explained.scheduled_actions.iter();
        let lines = actions.map(|action| wrapped("  ", &action.summary, WIDTH));
        parts.push(section(ink, "What is scheduled", lines));
    }
    if explained.target.is_some() {
        parts.push(decisions(&explained.decisions, ink));
    }
    parts.join("\n\n")
}

fn section(ink: Ink, title: &str, lines: impl IntoIterator<Item = String>) -> String {
    let lines = lines.into_iter().collect::<Vec<_>>().join("\n");
    format!("{}\n{lines}", ink.strong(title))
}

/// What is, and what holds it there.
fn head(explained: &ExplainScalingOutput, ink: Ink) -> String {
    let status = match explained.endpoint_status.as_str() {
        "InService" => ink.good("InService"),
        "Failed" => ink.alarming("Failed"),
        other => ink.moving(other),
    };
    let title = format!(
        "{}  {status}  {}",
        ink.strong(&explained.resource_id),
        ink.faint(instant(explained.now.0))
    );
    format!("{title}\n{}", wrapped("  ", &explained.summary, WIDTH))
}

fn policy(policy: &ExplainedPolicy, ink: Ink) -> String {
    let alarms = policy.alarms.iter().map(|alarm| self::alarm(alarm, ink));
    let lines = std::iter::once(wrapped("  ", &policy.summary, WIDTH)).chain(alarms);
    lines.collect::<Vec<_>>().join("\n")
}

fn alarm(alarm: &ExplainedAlarm, ink: Ink) -> String {
    let mark = match alarm.state {
        AlarmState::Ok => ink.good("●"),
        AlarmState::Alarm => ink.alarming("▲"),
        AlarmState::InsufficientData => ink.faint("○"),
    };
    wrapped(&format!("  {mark} "), &alarm.summary, WIDTH)
}

fn decisions(decisions: &[ScalingDecision], ink: Ink) -> String {
    if decisions.is_empty() {
        let text = "No alarm has called a policy since the server started, so that nothing had to be decided.";
        return section(ink, "Last decisions", [wrapped("  ", text, WIDTH)]);
    }
    let mut lines = vec![ink.faint(format!("  {:<8}  {:<8}  WHY", "AT", "COUNT"))];
    lines.extend(decisions.iter().take(DECISIONS_SHOWN).map(|one| row(one, ink)));
    if decisions.len() > DECISIONS_SHOWN {
        let more = decisions.len() - DECISIONS_SHOWN;
        lines.push(ink.faint(format!("  … and {more} more: --json has them")));
    }
    section(ink, "Last decisions", lines)
}

fn row(decision: &ScalingDecision, ink: Ink) -> String {
    let at = instant(decision.at.0);
    let time = at.split_once('T').map_or(at.as_str(), |(_, time)| time.trim_end_matches('Z'));
    let count = match decision.to {
        Some(to) => format!("{} → {to}", decision.from),
        None => format!("{} stays", decision.from),
    };
    let padding = " ".repeat(8_usize.saturating_sub(console::measure_text_width(&count)));
    let count = match decision.outcome {
        ScalingOutcome::ScaleOut => ink.alarming(count),
        ScalingOutcome::ScaleIn => ink.good(count),
        ScalingOutcome::Hold => ink.faint(count),
    };
    let first = format!("  {time:<8}  {count}{padding}  ");
    wrapped(&first, reason(&decision.summary), WIDTH)
}

/// A decision's sentence without its time and its count, which the row has already.
fn reason(summary: &str) -> &str {
    let is_clock =
        |time: &str| time.len() == 8 && time.bytes().filter(|byte| *byte == b':').count() == 2;
    let timed = summary.split_once(": ").filter(|(time, _)| is_clock(time));
    let Some((headline, reason)) = timed.and_then(|(_, rest)| rest.split_once(". ")) else {
        return summary;
    };
    let repeats = headline.starts_with("stays at ") || headline.starts_with("scales ");
    if repeats { reason } else { summary }
}
