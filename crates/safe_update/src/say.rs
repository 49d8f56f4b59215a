//! What is being done, in plain words: one line for each order, numbered as the seed numbers its steps.

use domain::safe_update::{Goal, Order, Phase, Run, Seen};
use serde_json::Value;

/// A line about an order that is about to be given.
pub(crate) fn order(run: &Run, seen: &Seen, order: &Order) -> String {
    format!("{}{}/7 {}", prefix(run), step(run, order), deed(seen, order))
}

/// A line about a wait.
pub(crate) fn wait(run: &Run, what: &str) -> String {
    let step = match run.phase {
        Phase::Deregistering => 1,
        Phase::Raising => 3,
        Phase::Updating => 6,
        Phase::Registering | Phase::Settling | Phase::Ended(_) => 7,
    };
    format!("{}{step}/7 waits: {what}", prefix(run))
}

fn prefix(run: &Run) -> &'static str {
    match run.goal {
        Goal::Apply => "",
        Goal::Undo => "undo: ",
    }
}

const fn step(run: &Run, order: &Order) -> u8 {
    match (order, run.phase) {
        (Order::DeletePolicy { .. } | Order::Deregister { .. }, _) => 1,
        (Order::SetCapacity(_) | Order::Register(_), Phase::Raising) => 2,
        (Order::UpdateEndpoint { .. }, _) => 6,
        _ => 7,
    }
}

fn deed(seen: &Seen, order: &Order) -> String {
    match order {
        Order::DeletePolicy { variant, name, .. } => {
            format!("deletes the scaling policy {name} of {variant}")
        }
        Order::Deregister { variant, .. } => {
            format!("deregisters {variant} as a scalable target")
        }
        Order::SetCapacity(changes) => {
            let parts = changes.iter().map(|(variant, (count, weight))| {
                let running = seen.endpoint.running.iter().find(|one| one.variant == *variant);
                let before = running.and_then(|one| one.desired);
                let count = count.map(|to| counted(before, to));
                let weight = weight.map(|to| format!("to weight {to}"));
                let change: Vec<String> = count.into_iter().chain(weight).collect();
                format!("{variant} {}", change.join(" and "))
            });
            format!("sets {}", parts.collect::<Vec<_>>().join(", "))
        }
        Order::UpdateEndpoint { config, keep_counts, keep_weights, .. } => {
            let kept = match (keep_counts, keep_weights) {
                (true, true) => ", keeping counts and weights",
                (true, false) => ", keeping counts",
                (false, true) => ", keeping weights",
                (false, false) => "",
            };
            format!("updates the endpoint to the config {config}{kept}")
        }
        Order::Register(input) => registration(input),
        Order::Tag { tags, .. } => {
            let keys: Vec<&str> = tags.keys().map(String::as_str).collect();
            format!("tags the scalable target with {}", keys.join(", "))
        }
        Order::PutPolicy(input) => {
            let name = member(input, "PolicyName");
            format!("puts the scaling policy {name} on {}", resource(input))
        }
        Order::PutScheduledAction(input) => {
            let name = member(input, "ScheduledActionName");
            format!("puts the scheduled action {name} on {}", resource(input))
        }
        Order::PutAlarm(input) => {
            format!("lets the alarm {} call its policy again", member(input, "AlarmName"))
        }
    }
}

fn counted(before: Option<u32>, to: u32) -> String {
    let instances = if to == 1 { "instance" } else { "instances" };
    before.map_or_else(
        || format!("to {to} {instances}"),
        |before| format!("from {before} to {to} {instances}"),
    )
}

fn registration(input: &Value) -> String {
    let variant = resource(input);
    let bound = |name: &str| input.get(name).and_then(Value::as_f64);
    if let Some((min, max)) = bound("MinCapacity").zip(bound("MaxCapacity")) {
        return format!("registers {variant} as a scalable target of {min} to {max} instances");
    }
    let held = input.pointer("/SuspendedState/DynamicScalingInSuspended");
    let held = held.and_then(Value::as_bool).unwrap_or_default();
    format!("{} scale-in of {variant}", if held { "suspends" } else { "resumes" })
}

fn member<'a>(input: &'a Value, name: &str) -> &'a str {
    input.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The variant of a resource id.
fn resource(input: &Value) -> &str {
    let id = member(input, "ResourceId");
    id.rsplit_once('/').map_or(id, |(_, variant)| variant)
}
