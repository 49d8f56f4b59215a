//! Scalars as text: in headers, query parameters and XML.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use jiff::tz::TimeZone;

use crate::Document;
use crate::document::special_float;
use crate::schema::Kind;

/// How a timestamp is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dates {
    /// `2026-11-23T09:36:00.250Z`: queries and XML.
    Iso8601,
    /// `Mon, 23 Nov 2026 09:36:00 GMT`: headers.
    Http,
}

/// Reads a scalar; None if it cannot be one of this kind.
pub(super) fn parse(kind: &Kind, text: &str, dates: Dates) -> Option<Document> {
    match kind {
        Kind::Structure(_) | Kind::List(_) | Kind::Map(_) => None,
        Kind::String(_) => Some(Document::String(text.to_owned())),
        Kind::Boolean => text.parse().ok().map(Document::Bool),
        Kind::Integer(_) | Kind::Long(_) => text.parse().ok().map(Document::Integer),
        Kind::Float(_) | Kind::Double(_) => text.parse().ok().map(Document::Float),
        Kind::Blob(_) => STANDARD.decode(text).ok().map(|bytes| Document::Blob(bytes.into())),
        Kind::Timestamp => {
            let moment = match dates {
                Dates::Iso8601 => text.parse().ok().or_else(|| without_zone(text)),
                Dates::Http => DateTimeParser::new().parse_timestamp(text).ok(),
            };
            moment.map(|moment: jiff::Timestamp| Document::Timestamp(moment.as_millisecond()))
        }
    }
}

/// A date, or date and time, that does not say where: it is UTC.
fn without_zone(text: &str) -> Option<jiff::Timestamp> {
    let local: jiff::civil::DateTime = text.parse().ok()?;
    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Writes a scalar; None for what is not one.
pub(super) fn format(document: &Document, dates: Dates) -> Option<String> {
    Some(match document {
        Document::Null | Document::List(_) | Document::Map(_) => return None,
        Document::Bool(flag) => flag.to_string(),
        Document::Integer(number) => number.to_string(),
        Document::Float(number) if number.is_finite() => format!("{number:?}"),
        Document::Float(number) => special_float(*number).to_owned(),
        Document::String(text) => text.clone(),
        Document::Blob(bytes) => STANDARD.encode(bytes),
        Document::Timestamp(millis) => {
            let moment = jiff::Timestamp::from_millisecond(*millis).ok()?;
            match dates {
                Dates::Iso8601 => moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
                Dates::Http => DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).ok()?,
            }
        }
    })
}

/// Sets a header. A value that no header can carry (a line break, say) is left out.
pub(super) fn insert_header(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        headers.insert(name, value);
    }
}
