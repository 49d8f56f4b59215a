//! Typed values to and from documents. Generated structures are built from these few pieces.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::Document;
use crate::schema::Schema;

/// A document that is not of the wanted type. After validation this means a type that is newer than our model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct DecodeError {
    /// Member names from the outside in, joined by dots.
    pub path: String,
    pub problem: String,
}

impl DecodeError {
    fn new(problem: impl Into<String>) -> Self {
        Self { path: String::new(), problem: problem.into() }
    }

    /// Something other than the wanted kind.
    pub fn wanted(wanted: &str, found: &Document) -> Self {
        Self::new(format!("expected {wanted}, found {}", found.kind_name()))
    }

    /// A value that an enum of our model does not have.
    pub fn unknown_value(name: &str, value: &str) -> Self {
        Self::new(format!("`{value}` is not a known {name}"))
    }

    fn below(mut self, name: &str) -> Self {
        let separator = if self.path.is_empty() { "" } else { "." };
        self.path = format!("{name}{separator}{}", self.path);
        self
    }
}

/// Anything a member can hold.
pub trait Value: Sized {
    fn from_document(document: &Document) -> Result<Self, DecodeError>;
    fn to_document(&self) -> Document;
}

/// A generated structure.
pub trait Shape: Value {
    /// The shape's name in AWS's model.
    const NAME: &'static str;
    fn schema() -> &'static Schema;
}

/// A point in time in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

macro_rules! scalar {
    ($type:ty, $wanted:literal, $pattern:pat => $read:expr, $self:ident => $write:expr) => {
        impl Value for $type {
            fn from_document(document: &Document) -> Result<Self, DecodeError> {
                match document {
                    $pattern => $read,
                    other => Err(DecodeError::wanted($wanted, other)),
                }
            }

            fn to_document(&$self) -> Document {
                $write
            }
        }
    };
}

scalar!(String, "a string", Document::String(text) => Ok(text.clone()), self => Document::String(self.clone()));
scalar!(bool, "a boolean", Document::Bool(flag) => Ok(*flag), self => Document::Bool(*self));
scalar!(i64, "an integer", Document::Integer(number) => Ok(*number), self => Document::Integer(*self));
scalar!(f64, "a float", Document::Float(number) => Ok(*number), self => Document::Float(*self));
scalar!(Bytes, "a blob", Document::Blob(bytes) => Ok(bytes.clone()), self => Document::Blob(self.clone()));
scalar!(Timestamp, "a timestamp", Document::Timestamp(millis) => Ok(Self(*millis)), self => Document::Timestamp(self.0));
scalar!(
    i32, "an integer",
    Document::Integer(number) => {
        Self::try_from(*number).map_err(|_| DecodeError::new(format!("{number} does not fit 32 bits")))
    },
    self => Document::Integer(i64::from(*self))
);

impl<T: Value> Value for Vec<T> {
    fn from_document(document: &Document) -> Result<Self, DecodeError> {
        let elements = document.as_list().ok_or_else(|| DecodeError::wanted("a list", document))?;
        let read = (1_usize..).zip(elements);
        read.map(|(position, element)| {
            T::from_document(element).map_err(|error| error.below(&position.to_string()))
        })
        .collect()
    }

    fn to_document(&self) -> Document {
        Document::List(self.iter().map(Value::to_document).collect())
    }
}

impl<T: Value> Value for BTreeMap<String, T> {
    fn from_document(document: &Document) -> Result<Self, DecodeError> {
        let entries = document.as_map().ok_or_else(|| DecodeError::wanted("a map", document))?;
        let read = entries.iter().map(|(key, value)| match T::from_document(value) {
            Ok(value) => Ok((key.clone(), value)),
            Err(error) => Err(error.below(key)),
        });
        read.collect()
    }

    fn to_document(&self) -> Document {
        Document::Map(self.iter().map(|(key, value)| (key.clone(), value.to_document())).collect())
    }
}

impl<T: Value> Value for Box<T> {
    fn from_document(document: &Document) -> Result<Self, DecodeError> {
        T::from_document(document).map(Self::new)
    }

    fn to_document(&self) -> Document {
        T::to_document(self)
    }
}

/// Reads a structure's members; for generated code.
#[derive(Debug)]
pub struct Reader<'a> {
    shape: &'static str,
    entries: &'a [(String, Document)],
}

impl<'a> Reader<'a> {
    pub fn new(shape: &'static str, document: &'a Document) -> Result<Self, DecodeError> {
        let entries = document.as_map().ok_or_else(|| DecodeError::wanted(shape, document))?;
        Ok(Self { shape, entries })
    }

    pub fn optional<T: Value>(&self, name: &str) -> Result<Option<T>, DecodeError> {
        let found =
            self.entries.iter().find(|(key, value)| key == name && *value != Document::Null);
        found
            .map(|(_, value)| T::from_document(value).map_err(|error| error.below(name)))
            .transpose()
    }

    pub fn required<T: Value>(&self, name: &str) -> Result<T, DecodeError> {
        self.optional(name)?
            .ok_or_else(|| DecodeError::new(format!("{} must have it", self.shape)).below(name))
    }
}

/// Collects a structure's members; for generated code.
#[derive(Debug, Default)]
pub struct Writer(Vec<(String, Document)>);

impl Writer {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn required(mut self, name: &str, value: &impl Value) -> Self {
        self.0.push((name.to_owned(), value.to_document()));
        self
    }

    #[must_use]
    pub fn optional<T: Value>(self, name: &str, value: Option<&T>) -> Self {
        match value {
            Some(value) => self.required(name, value),
            None => self,
        }
    }

    pub fn finish(self) -> Document {
        Document::Map(self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sagemaker::{CreateModelInput, EndpointStatus, ListEndpointsInput};

    fn read<S: Shape>(json: &serde_json::Value) -> Result<S, DecodeError> {
        S::from_document(&Document::from_json(S::schema(), json).unwrap())
    }

    #[test]
    fn an_error_says_where_and_what() {
        let table = [
            (json!({}), "ModelName: CreateModelInput must have it"),
            (
                json!({"ModelName": "m", "Tags": [{"Key": "k", "Value": "v"}, {"Key": "k"}]}),
                "Tags.2.Value: Tag must have it",
            ),
            (
                json!({"ModelName": "m", "PrimaryContainer": {"Mode": "Triple"}}),
                "PrimaryContainer.Mode: `Triple` is not a known ContainerMode",
            ),
            (
                json!({"ModelName": "m", "PrimaryContainer": {"Environment": {"A": null}}}),
                "PrimaryContainer.Environment.A: expected a string, found null",
            ),
        ];
        for (json, expected) in table {
            assert_eq!(read::<CreateModelInput>(&json).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn an_integer_that_does_not_fit_is_an_error() {
        let error =
            read::<ListEndpointsInput>(&json!({"MaxResults": 4_294_967_296_i64})).unwrap_err();
        assert_eq!(error.to_string(), "MaxResults: 4294967296 does not fit 32 bits");
    }

    #[test]
    fn enums_are_their_strings() {
        for status in EndpointStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
            assert_eq!(EndpointStatus::from_document(&status.to_document()), Ok(*status));
        }
    }
}
