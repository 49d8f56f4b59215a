//! Whole plans, as people read them.

use super::*;

/// A plan, a line for each thing it says.
fn page(plan: &Plan) -> String {
    let mut lines = vec![format!("{:?}", plan.verdict)];
    for step in &plan.steps {
        let mark = if step.needed { ' ' } else { '-' };
        lines.push(format!("{mark} {}. {}: {}", step.number, step.title, step.why));
        let calls = step.calls.iter();
        lines.extend(
            calls.map(|call| format!("     {}:{} {}", call.service, call.operation, call.on)),
        );
    }
    lines.push(capacity(plan));
    lines.extend(plan.notes.iter().map(|note| format!("* {note}")));
    lines.join("\n")
}

#[test]
fn only_the_model_changes() {
    let facts = facts("web m m5.large 2@1", "web 6@1", "web 2..10", "web n m5.large 2@1");
    let page = page(&plan(&facts, &Request::default()));
    assert_eq!(page, include_str!("model.txt").trim_end(), "\n{page}");
}

#[test]
fn the_type_changes_and_a_variant_goes_with_headroom() {
    let mut facts = facts(
        "web m m5.large 2@1, old m m5.large 1@1, side m m5.large 1@0.1",
        "web 6@1, old 1@1, side 2@0.1",
        "old 1..4, side 1..4, web 2..8",
        "web m m5.xlarge 2@1, side m m5.large 1@0.1, next m m5.large 1@1",
    );
    let web = &mut facts.scaled[2];
    web.tagged = true;
    web.scheduled_actions = vec!["evening".to_owned(), "morning".to_owned()];
    web.alarms = vec!["pager".to_owned()];
    facts.scaled[0].alarms = vec!["latency".to_owned()];
    let page = page(&plan(&facts, &with_headroom(50)));
    assert_eq!(page, include_str!("everything.txt").trim_end(), "\n{page}");
}
