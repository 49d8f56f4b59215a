//! A value without its type: what the protocols decode into and encode from.
//!
//! It keeps what was sent: numbers are not narrowed, nothing is filled in. Whether a value may be what it is
//! is for `validate` to say, not for this file.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod json;
#[cfg(test)]
mod tests;

use bytes::Bytes;

pub use json::JsonError;
pub(crate) use json::{
    integer_from_float, millis_from_seconds, seconds_from_millis, special_float, wanted,
};

/// Any value of any shape.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    /// An element that was sent as null. Absent members are absent, not null.
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    String(String),
    Blob(Bytes),
    /// Milliseconds since the Unix epoch.
    Timestamp(i64),
    List(Vec<Document>),
    /// A structure or a map. Names are unique.
    Map(Vec<(String, Document)>),
}

impl Document {
    /// A structure without members.
    pub const fn empty() -> Self {
        Self::Map(Vec::new())
    }

    /// The member of a structure or the value of a key.
    pub fn get(&self, name: &str) -> Option<&Document> {
        let entries = self.as_map()?;
        entries.iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    pub fn as_map(&self) -> Option<&[(String, Document)]> {
        if let Self::Map(entries) = self { Some(entries) } else { None }
    }

    pub fn as_list(&self) -> Option<&[Document]> {
        if let Self::List(elements) = self { Some(elements) } else { None }
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    pub fn as_f64(&self) -> Option<f64> {
        if let Self::Float(number) = self { Some(*number) } else { None }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }

    pub fn as_blob(&self) -> Option<&Bytes> {
        if let Self::Blob(bytes) = self { Some(bytes) } else { None }
    }

    /// Milliseconds since the Unix epoch.
    pub fn as_timestamp(&self) -> Option<i64> {
        if let Self::Timestamp(millis) = self { Some(*millis) } else { None }
    }

    /// What it is, for messages.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::String(_) => "a string",
            Self::Blob(_) => "a blob",
            Self::Timestamp(_) => "a timestamp",
            Self::List(_) => "a list",
            Self::Map(_) => "a structure or map",
        }
    }
}
