//! Documents to and from JSON, as awsJson and rest-json write them and as the API keeps them.
//!
//! Blobs are base64, timestamps are epoch seconds with a millisecond fraction (reference/sagemaker-hosting.md,
//! section 0). Reading is guided by the schema: members it does not know are dropped, as AWS drops them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use crate::Document;
use crate::schema::{Kind, Schema, Structure};

/// Deepest nesting that is read. `serde_json` itself stops at 128; AWS's deepest served shape has 8 levels.
const DEPTH_MAX: usize = 64;

/// A JSON value that cannot be what its schema says, worded as AWS's `SerializationException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("{found} can not be converted to {wanted}")]
    Scalar { found: &'static str, wanted: &'static str },
    #[error("Start of structure or map found where not expected.")]
    Structure,
    #[error("Start of list found where not expected")]
    List,
    /// Null is admitted for every member, but not for the whole.
    #[error("Unexpected field type")]
    NullBody,
    #[error("Expected null")]
    NotStructure,
    #[error("Expected list or null")]
    NotList,
    #[error("Expected map or null")]
    NotMap,
    #[error("Invalid base64 in a blob")]
    Base64,
    #[error("NUMBER_VALUE is out of range for {0}")]
    Range(&'static str),
    #[error("The value is nested too deeply")]
    Depth,
}

impl Document {
    /// Reads a JSON value of the given schema. Null members count as absent.
    pub fn from_json(schema: &Schema, value: &Value) -> Result<Self, JsonError> {
        read(schema, value, DEPTH_MAX)
    }

    /// Writes JSON; [`Document::from_json`] with the same schema reads the same document back. Members that the
    /// schema does not know are left out.
    pub fn to_json(&self, schema: &Schema) -> Value {
        match (self, &schema.kind) {
            (Self::Bool(flag), _) => Value::Bool(*flag),
            (Self::Integer(number), _) => Value::Number((*number).into()),
            (Self::Float(number), _) => float(*number),
            (Self::String(text), _) => Value::String(text.clone()),
            (Self::Blob(bytes), _) => Value::String(STANDARD.encode(bytes)),
            (Self::Timestamp(millis), _) => float(seconds_from_millis(*millis)),
            (Self::List(elements), Kind::List(list)) => {
                elements.iter().map(|element| element.to_json(list.member)).collect()
            }
            (Self::Map(entries), Kind::Structure(structure)) => {
                let known = entries.iter().filter_map(|(name, value)| {
                    let member = structure.member(name)?;
                    Some((member.wire_name.to_owned(), value.to_json(member.schema)))
                });
                Value::Object(known.collect())
            }
            (Self::Map(entries), Kind::Map(map)) => {
                let pairs =
                    entries.iter().map(|(key, value)| (key.clone(), value.to_json(map.value)));
                Value::Object(pairs.collect())
            }
            // Not a document of this schema: what cannot be read back is not written.
            (Self::Null | Self::List(_) | Self::Map(_), _) => Value::Null,
        }
    }
}

/// JSON has no NaN and no infinities; AWS writes them as strings.
fn float(number: f64) -> Value {
    Number::from_f64(number)
        .map_or_else(|| Value::String(special_float(number).to_owned()), Value::Number)
}

/// AWS's names of the floats that JSON and XML have none for.
pub(crate) fn special_float(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Every millisecond up to the year 200,000 survives the division and the way back.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of any calendar date fit 53 bits")]
pub(crate) fn seconds_from_millis(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

/// None beyond the year 9999, which no service admits.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
pub(crate) fn millis_from_seconds(seconds: f64) -> Option<i64> {
    const YEAR_10000_SECS: f64 = 253_402_300_800.0;
    (seconds.abs() < YEAR_10000_SECS).then(|| (seconds * 1000.0).round() as i64)
}

fn read(schema: &Schema, value: &Value, depth: usize) -> Result<Document, JsonError> {
    let depth = depth.checked_sub(1).ok_or(JsonError::Depth)?;
    match (&schema.kind, value) {
        (_, Value::Null) => Ok(Document::Null),
        (Kind::Structure(structure), Value::Object(object)) => {
            read_structure(structure, object, depth)
        }
        (Kind::List(list), Value::Array(elements)) => {
            let read = elements.iter().map(|element| read(list.member, element, depth));
            read.collect::<Result<_, _>>().map(Document::List)
        }
        (Kind::Map(map), Value::Object(object)) => {
            let read =
                object.iter().map(|(key, value)| Ok((key.clone(), read(map.value, value, depth)?)));
            read.collect::<Result<_, _>>().map(Document::Map)
        }
        (_, Value::Object(_)) => Err(JsonError::Structure),
        (_, Value::Array(_)) => Err(JsonError::List),
        (Kind::Structure(_), _) => Err(JsonError::NotStructure),
        (Kind::List(_), _) => Err(JsonError::NotList),
        (Kind::Map(_), _) => Err(JsonError::NotMap),
        (kind, scalar) => read_scalar(kind, scalar),
    }
}

fn read_structure(
    structure: &Structure,
    object: &Map<String, Value>,
    depth: usize,
) -> Result<Document, JsonError> {
    let mut entries = Vec::new();
    for member in structure.members {
        match object.get(member.wire_name) {
            None | Some(Value::Null) => {}
            Some(value) => {
                entries.push((member.name.to_owned(), read(member.schema, value, depth)?));
            }
        }
    }
    Ok(Document::Map(entries))
}

fn read_scalar(kind: &Kind, value: &Value) -> Result<Document, JsonError> {
    match (kind, value) {
        (Kind::Boolean, Value::Bool(flag)) => Ok(Document::Bool(*flag)),
        (Kind::String(_), Value::String(text)) => Ok(Document::String(text.clone())),
        (Kind::Blob(_), Value::String(text)) => {
            let bytes = STANDARD.decode(text).map_err(|_| JsonError::Base64)?;
            Ok(Document::Blob(bytes.into()))
        }
        (Kind::Integer(_) | Kind::Long(_), Value::Number(number)) => {
            integer(number).map(Document::Integer).ok_or_else(|| JsonError::Range(wanted(kind)))
        }
        (Kind::Float(_) | Kind::Double(_), Value::Number(number)) => {
            number.as_f64().map(Document::Float).ok_or_else(|| JsonError::Range(wanted(kind)))
        }
        (Kind::Float(_) | Kind::Double(_), Value::String(text)) => match text.as_str() {
            "NaN" => Ok(Document::Float(f64::NAN)),
            "Infinity" => Ok(Document::Float(f64::INFINITY)),
            "-Infinity" => Ok(Document::Float(f64::NEG_INFINITY)),
            _ => Err(JsonError::Scalar { found: "STRING_VALUE", wanted: wanted(kind) }),
        },
        (Kind::Timestamp, Value::Number(number)) => {
            let millis = number.as_f64().and_then(millis_from_seconds);
            millis.map(Document::Timestamp).ok_or(JsonError::Range("a Timestamp"))
        }
        (kind, value) => Err(JsonError::Scalar { found: found(value), wanted: wanted(kind) }),
    }
}

/// A whole number, also when written as `1.0`. A fraction is refused rather than cut off.
fn integer(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| integer_from_float(number.as_f64()?))
}

/// None for a fraction.
pub(crate) fn integer_from_float(number: f64) -> Option<i64> {
    /// Beyond this a double no longer holds every whole number.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
    (number.fract() == 0.0 && number.abs() <= EXACT_MAX).then_some(number as i64)
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "list",
        Value::Object(_) => "structure",
    }
}

/// AWS's name of a type.
pub(crate) fn wanted(kind: &Kind) -> &'static str {
    match kind {
        Kind::Structure(_) => "a structure",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a map",
        Kind::String(_) => "a String",
        Kind::Integer(_) => "an Integer",
        Kind::Long(_) => "a Long",
        Kind::Float(_) => "a Float",
        Kind::Double(_) => "a Double",
        Kind::Boolean => "a Boolean",
        Kind::Timestamp => "a Timestamp",
        Kind::Blob(_) => "a Blob",
    }
}
