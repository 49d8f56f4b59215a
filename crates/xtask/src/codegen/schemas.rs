//! Writes `schemas.rs`: the static tables that validation and the protocols walk.

use std::fmt::Write as _;

use serde_json::Number;

use crate::codegen::types::Types;
use crate::codegen::{names, pattern};
use crate::failure::{Failure, Outcome};
use crate::model::{Reference, Shape};
use crate::services::Service;

pub(crate) fn emit(service: &Service, types: Types<'_>) -> Outcome<String> {
    let mut body = String::new();
    for (name, shape) in &types.0.shapes {
        let constant = names::constant(name);
        if let Some(java) = &shape.pattern {
            let text = printed(service, java);
            let regex = pattern::regex(java);
            let _ = writeln!(
                body,
                "static PATTERN_OF_{constant}: Pattern = Pattern::new({text:?}, {regex:?});\n"
            );
        }
        let kind = kind(service, name, shape)?;
        let _ = writeln!(
            body,
            "pub static {constant}: Schema = Schema {{ name: {name:?}, kind: {kind} }};\n"
        );
    }
    let used: Vec<&str> = [
        "Kind",
        "List",
        "Location",
        "Map",
        "Member",
        "Pattern",
        "Range",
        "Schema",
        "StringRules",
        "Structure",
    ]
    .into_iter()
    .filter(|&item| names::is_used(&body, item))
    .collect();
    Ok(format!("use crate::schema::{{{}}};\n\n{body}", used.join(", ")))
}

fn printed(service: &Service, java: &str) -> String {
    let anchor = if service.habits.prints_anchor && !java.starts_with('^') { "^" } else { "" };
    format!("{anchor}{java}")
}

fn kind(service: &Service, name: &str, shape: &Shape) -> Outcome<String> {
    if shape.timestamp_format.is_some() || shape.references().any(|r| r.timestamp_format.is_some())
    {
        return Err(Failure::new(format!("{name}: codegen does not know timestampFormat yet")));
    }
    Ok(match shape.kind.as_str() {
        "structure" => structure(shape)?,
        "list" => list(name, shape)?,
        "map" => map(name, shape)?,
        "string" => string(service, name, shape),
        "integer" => format!("Kind::Integer({})", range(shape, integer)),
        "long" => format!("Kind::Long({})", range(shape, integer)),
        "float" => format!("Kind::Float({})", range(shape, float)),
        "double" => format!("Kind::Double({})", range(shape, float)),
        "boolean" => "Kind::Boolean".to_owned(),
        "timestamp" => "Kind::Timestamp".to_owned(),
        "blob" => format!("Kind::Blob({})", range(shape, integer)),
        kind => return Err(Failure::new(format!("{name}: codegen has no schema for {kind}"))),
    })
}

fn structure(shape: &Shape) -> Outcome<String> {
    let mut members = String::new();
    for member in &shape.members {
        let required = shape.required.contains(&member.name);
        let wire_name = match member.location {
            None => member.location_name.as_deref().unwrap_or(&member.name),
            Some(_) => &member.name,
        };
        let _ = write!(
            members,
            "Member {{ name: {:?}, wire_name: {wire_name:?}, schema: &{}, required: {required}, location: {} }},",
            member.name,
            names::constant(&member.shape),
            location(member)?,
        );
    }
    let (payload, union) = (&shape.payload, shape.union);
    Ok(format!(
        "Kind::Structure(Structure {{ members: &[{members}], payload: {payload:?}, union: {union} }})"
    ))
}

fn location(member: &Reference) -> Outcome<String> {
    let name = member.location_name.as_deref().unwrap_or(&member.name);
    match member.location.as_deref() {
        None if member.eventpayload => Ok("Location::EventPayload".to_owned()),
        None => Ok("Location::Body".to_owned()),
        Some("header") => Ok(format!("Location::Header({:?})", name.to_lowercase())),
        Some("uri") => Ok(format!("Location::Uri({name:?})")),
        Some("querystring") => Ok(format!("Location::Query({name:?})")),
        Some("statusCode") => Ok("Location::Status".to_owned()),
        Some(other) => {
            Err(Failure::new(format!("{}: codegen has no location {other}", member.name)))
        }
    }
}

fn list(name: &str, shape: &Shape) -> Outcome<String> {
    let member = element(name, shape.member.as_ref())?;
    let member_name = member.location_name.as_deref().unwrap_or("member");
    Ok(format!(
        "Kind::List(List {{ member: &{}, member_name: {member_name:?}, flattened: {}, length: {} }})",
        names::constant(&member.shape),
        shape.flattened,
        range(shape, integer),
    ))
}

fn map(name: &str, shape: &Shape) -> Outcome<String> {
    let (key, value) = (element(name, shape.key.as_ref())?, element(name, shape.value.as_ref())?);
    Ok(format!(
        "Kind::Map(Map {{ key: &{}, value: &{}, key_name: {:?}, value_name: {:?}, flattened: {}, length: {} }})",
        names::constant(&key.shape),
        names::constant(&value.shape),
        key.location_name.as_deref().unwrap_or("key"),
        value.location_name.as_deref().unwrap_or("value"),
        shape.flattened,
        range(shape, integer),
    ))
}

fn element<'a>(name: &str, reference: Option<&'a Reference>) -> Outcome<&'a Reference> {
    reference.ok_or_else(|| Failure::new(format!("{name} lacks its element")))
}

fn string(service: &Service, name: &str, shape: &Shape) -> String {
    let pattern = match shape.pattern {
        Some(_) => format!("Some(&PATTERN_OF_{})", names::constant(name)),
        None => "None".to_owned(),
    };
    let length = range(shape, integer);
    let mut values = shape.values.clone();
    if service.habits.sorts_values {
        values.sort();
    }
    format!(
        "Kind::String(StringRules {{ length: {length}, pattern: {pattern}, values: &{values:?} }})"
    )
}

fn range(shape: &Shape, literal: fn(&Number) -> String) -> String {
    let bound = |number: &Option<Number>| {
        number
            .as_ref()
            .map_or_else(|| "None".to_owned(), |number| format!("Some({})", literal(number)))
    };
    format!("Range {{ min: {}, max: {} }}", bound(&shape.min), bound(&shape.max))
}

/// With an underscore between groups of three digits.
fn integer(number: &Number) -> String {
    let text = number
        .as_f64()
        .filter(|float| float.fract() == 0.0)
        .map_or_else(|| number.to_string(), |_| whole(number));
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}")
}

fn whole(number: &Number) -> String {
    number.to_string().trim_end_matches(".0").to_owned()
}

fn float(number: &Number) -> String {
    format!("{:?}", number.as_f64().unwrap_or_default())
}
