//! The rules once more, straight from the JSON: slow, plain, and sharing no code with the evaluator but the request's types.
//!
//! Every look-up reads the document anew; patterns match by trying every split; nothing is compiled.

use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::Value;

use super::Keys;

/// What is asked, as plain text.
pub(super) struct Ask<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    pub(super) username: &'a str,
    pub(super) keys: &'a Keys,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Allowed,
    /// By the layer of this index.
    Denied(usize),
    /// The layer of this index does not allow it.
    Missing(usize),
}

/// `layers`: the documents of each kind that applies, in order.
pub(super) fn decide(layers: &[Vec<Value>], ask: &Ask<'_>) -> Answer {
    let says = |documents: &Vec<Value>, effect: &str| {
        documents.iter().any(|document| {
            listed(&document["Statement"])
                .iter()
                .any(|statement| statement["Effect"] == effect && applies(document, statement, ask))
        })
    };
    if let Some(layer) = layers.iter().position(|documents| says(documents, "Deny")) {
        return Answer::Denied(layer);
    }
    match layers.iter().position(|documents| !says(documents, "Allow")) {
        Some(layer) => Answer::Missing(layer),
        None => Answer::Allowed,
    }
}

fn listed(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    listed(value).iter().map(text).collect()
}

fn applies(document: &Value, statement: &Value, ask: &Ask<'_>) -> bool {
    let variables = document["Version"] == "2012-10-17";
    let action = |patterns: &Value| {
        texts(patterns).iter().any(|it| glob(&it.to_lowercase(), &ask.action.to_lowercase()))
    };
    let actions = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(patterns), _) => action(patterns),
        (_, Some(patterns)) => !action(patterns),
        _ => unreachable!("documents are well-formed"),
    };
    let resource =
        |patterns: &Value| texts(patterns).iter().any(|it| resource_matches(it, variables, ask));
    let readable =
        |patterns: &Value| texts(patterns).iter().all(|it| expand(it, variables, ask).is_some());
    let allows = statement["Effect"] == "Allow";
    let resources = match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(patterns), _) => resource(patterns),
        (_, Some(patterns)) => (readable(patterns) || !allows) && !resource(patterns),
        _ => unreachable!("documents are well-formed"),
    };
    actions && resources && conditions_hold(statement, variables, allows, ask)
}

/// A character of an expanded pattern; a wildcard only where the policy had one.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Mark {
    Star,
    One,
    Plain(char),
}

/// `None` if a variable has no value.
fn expand(pattern: &str, variables: bool, ask: &Ask<'_>) -> Option<Vec<Mark>> {
    let mut marks = Vec::new();
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        if variables && rest.starts_with("${") {
            let end = rest.find('}').unwrap();
            let inner = &rest[2..end];
            let value = match inner {
                "*" | "?" | "$" => inner.to_owned(),
                _ => variable(inner, ask)?,
            };
            marks.extend(value.chars().map(Mark::Plain));
            rest = &rest[end + 1..];
            continue;
        }
        marks.push(match character {
            '*' => Mark::Star,
            '?' => Mark::One,
            other => Mark::Plain(other),
        });
        rest = &rest[character.len_utf8()..];
    }
    Some(marks)
}

fn variable(inner: &str, ask: &Ask<'_>) -> Option<String> {
    let (name, default) = match inner.split_once(", ") {
        Some((name, default)) => (name, Some(default.trim_matches('\'').to_owned())),
        None => (inner, None),
    };
    match &key(name, ask)[..] {
        [one] => Some(one.clone()),
        _ => default,
    }
}

fn key(name: &str, ask: &Ask<'_>) -> Vec<String> {
    let name = name.to_lowercase();
    match ask.keys.0.get(&name).filter(|values| !values.is_empty()) {
        Some(values) => values.clone(),
        None if name == "aws:username" => vec![ask.username.to_owned()],
        None => Vec::new(),
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    let marks: Vec<_> = pattern
        .chars()
        .map(|it| match it {
            '*' => Mark::Star,
            '?' => Mark::One,
            other => Mark::Plain(other),
        })
        .collect();
    marks_match(&marks, &text.chars().collect::<Vec<_>>())
}

fn marks_match(marks: &[Mark], text: &[char]) -> bool {
    match (marks, text) {
        ([], []) => true,
        ([Mark::Star, rest @ ..], _) => {
            (0..=text.len()).any(|skip| marks_match(rest, &text[skip..]))
        }
        ([Mark::One, rest @ ..], [_, after @ ..]) => marks_match(rest, after),
        ([Mark::Plain(wanted), rest @ ..], [found, after @ ..]) => {
            wanted == found && marks_match(rest, after)
        }
        ([], _) | (_, []) => false,
    }
}

fn resource_matches(pattern: &str, variables: bool, ask: &Ask<'_>) -> bool {
    if pattern == "*" {
        return true;
    }
    let raw_parts = split_parts(pattern);
    let head = &raw_parts[..raw_parts.len().min(5)];
    let inner = |part: &String| {
        let plain = without_variables(part);
        plain.contains('?') || plain[..plain.len().saturating_sub(1)].contains('*')
    };
    let is_sagemaker = ask.resource.split(':').nth(2) == Some("sagemaker")
        && ask.resource.matches(':').count() >= 5;
    if head.iter().any(inner) {
        return parts_match(&raw_parts, ask.resource, variables, ask);
    }
    let Some(marks) = expand(pattern, variables, ask) else { return false };
    let text: Vec<char> = ask.resource.chars().collect();
    if !is_sagemaker {
        return marks_match(&marks, &text);
    }
    // names have no case: what stands for the name is compared in small letters, the rest as it is
    let name_at = text.len() - ask.resource.splitn(6, ':').nth(5).unwrap().chars().count();
    (0..=marks.len()).any(|cut| {
        let star_before = cut > 0 && marks[cut - 1] == Mark::Star;
        let tails = [marks[cut..].to_vec(), [vec![Mark::Star], marks[cut..].to_vec()].concat()];
        let (head, name) = (&text[..name_at], lower(&text[name_at..]));
        marks_match(&marks[..cut], head)
            && tails
                .iter()
                .take(if star_before { 2 } else { 1 })
                .any(|tail| marks_match(&lower_marks(tail), &name))
    })
}

fn lower(text: &[char]) -> Vec<char> {
    text.iter().map(char::to_ascii_lowercase).collect()
}

fn lower_marks(marks: &[Mark]) -> Vec<Mark> {
    let small = |mark: &Mark| match mark {
        Mark::Plain(character) => Mark::Plain(character.to_ascii_lowercase()),
        other => *other,
    };
    marks.iter().map(small).collect()
}

/// `${…}` taken out, with a letter in its place.
fn without_variables(text: &str) -> String {
    let mut plain = text.to_owned();
    while let Some(start) = plain.find("${") {
        let end = start + plain[start..].find('}').unwrap();
        plain.replace_range(start..=end, "v");
    }
    plain
}

/// At most six parts; colons within `${…}` do not separate.
fn split_parts(text: &str) -> Vec<String> {
    let (mut parts, mut braces) = (vec![String::new()], 0);
    for character in text.chars() {
        match character {
            '{' => braces += 1,
            '}' => braces -= 1,
            _ => {}
        }
        if character == ':' && braces == 0 && parts.len() < 6 {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(character);
        }
    }
    parts
}

fn parts_match(patterns: &[String], arn: &str, variables: bool, ask: &Ask<'_>) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let open = patterns.last().unwrap().ends_with('*');
    if parts.len() < 6 || (patterns.len() < 6 && !open) {
        return false;
    }
    patterns.iter().zip(&parts).enumerate().all(|(index, (pattern, part))| {
        let Some(mut marks) = expand(pattern, variables, ask) else { return false };
        let mut text: Vec<char> = part.chars().collect();
        if index == 5 && parts[2] == "sagemaker" {
            (marks, text) = (lower_marks(&marks), lower(&text));
        }
        marks_match(&marks, &text)
    })
}

fn conditions_hold(statement: &Value, variables: bool, allows: bool, ask: &Ask<'_>) -> bool {
    let Some(operators) = statement.get("Condition") else { return true };
    operators.as_object().unwrap().iter().all(|(operator, keys)| {
        keys.as_object().unwrap().iter().all(|(name, wanted)| {
            condition_holds(operator, &key(name, ask), &texts(wanted), (variables, allows), ask)
        })
    })
}

fn condition_holds(
    operator: &str,
    given: &[String],
    wanted: &[String],
    (variables, allows): (bool, bool),
    ask: &Ask<'_>,
) -> bool {
    let (set, rest) = operator.split_once(':').unwrap_or(("", operator));
    let (base, if_exists) =
        rest.strip_suffix("IfExists").map_or((rest, false), |base| (base, true));
    if base == "Null" {
        return wanted.iter().any(|it| (it == "true") == given.is_empty());
    }
    let negated = base.contains("Not");
    if given.is_empty() {
        return match set {
            "ForAllValues" => true,
            "ForAnyValue" => if_exists,
            _ => if_exists || negated,
        };
    }
    let textual = base.starts_with("String") || base.starts_with("Arn");
    let unreadable = textual && wanted.iter().any(|it| expand(it, variables, ask).is_none());
    if negated && allows && unreadable {
        return false;
    }
    let positive = base.replace("Not", "");
    let one = |given: &String| {
        wanted.iter().any(|wanted| compare(&positive, given, wanted, variables, ask)) != negated
    };
    match (set, negated) {
        ("ForAllValues", _) | ("", true) => given.iter().all(one),
        _ => given.iter().any(one),
    }
}

fn compare(operator: &str, given: &str, wanted: &str, variables: bool, ask: &Ask<'_>) -> bool {
    let text: Vec<char> = given.chars().collect();
    let literal = |marks: Vec<Mark>| -> String {
        let plain = |mark| match mark {
            Mark::Star => '*',
            Mark::One => '?',
            Mark::Plain(character) => character,
        };
        marks.into_iter().map(plain).collect()
    };
    let number = |holds: fn(Ordering) -> bool| match (given.parse::<f64>(), wanted.parse()) {
        (Ok(given), Ok(wanted)) => given.partial_cmp(&wanted).is_some_and(holds),
        _ => false,
    };
    match operator {
        "StringLike" => {
            expand(wanted, variables, ask).is_some_and(|marks| marks_match(&marks, &text))
        }
        "StringEquals" => {
            expand(wanted, variables, ask).is_some_and(|marks| literal(marks) == given)
        }
        "StringEqualsIgnoreCase" => expand(wanted, variables, ask)
            .is_some_and(|marks| literal(marks).to_lowercase() == given.to_lowercase()),
        "NumericEquals" => number(Ordering::is_eq),
        "NumericLessThan" => number(Ordering::is_lt),
        "NumericGreaterThanEquals" => number(Ordering::is_ge),
        "Bool" => ["true", "false"].contains(&given) && given == wanted,
        "IpAddress" => address(given, wanted),
        "ArnLike" | "ArnEquals" => parts_match(&split_parts(wanted), given, variables, ask),
        other => unreachable!("not generated: {other}"),
    }
}

/// IPv4 only, in whole bytes.
fn address(given: &str, wanted: &str) -> bool {
    let (network, bits) = wanted.split_once('/').unwrap_or((wanted, "32"));
    let bytes = bits.parse::<usize>().unwrap() / 8;
    match (given.parse(), network.parse()) {
        (Ok(IpAddr::V4(given)), Ok(IpAddr::V4(network))) => {
            given.octets()[..bytes] == network.octets()[..bytes]
        }
        _ => false,
    }
}
