//! How plans speak of more than one thing.

use std::fmt::Display;

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|one| one.to_string()).collect();
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// A word for as many: `policy p`, `policies p and q`.
pub(super) fn named(one: &str, many: &str, items: &[String]) -> String {
    format!("{} {}", if items.len() == 1 { one } else { many }, list(items))
}

pub(super) fn instances(count: u32) -> String {
    if count == 1 { "1 instance".to_owned() } else { format!("{count} instances") }
}

/// An instance type; variants without instances have none.
pub(super) fn kind(instance_type: Option<&str>) -> &str {
    instance_type.unwrap_or("serverless")
}
