//! What AWS's service models say about a shape, as static tables.
//!
//! Codegen fills these tables; validation and every protocol walk them together with a [`Document`](crate::Document).
//! Nothing here knows about bytes, HTTP or messages.

pub use crate::pattern::{PATTERN_BACKTRACK_STEPS_MAX, Pattern};

/// One named shape of a service model.
#[derive(Debug)]
pub struct Schema {
    /// The shape's name in AWS's model.
    pub name: &'static str,
    pub kind: Kind,
}

/// What a shape is and what its values must satisfy. Lengths count Unicode scalar values, bytes or elements.
#[derive(Debug)]
pub enum Kind {
    Structure(Structure),
    List(List),
    Map(Map),
    String(StringRules),
    /// 32 bits.
    Integer(Range<i64>),
    /// 64 bits.
    Long(Range<i64>),
    /// AWS's 32-bit float, kept in 64 bits so that it comes back exactly as it was sent.
    Float(Range<f64>),
    Double(Range<f64>),
    Boolean,
    Timestamp,
    Blob(Range<usize>),
}

/// A structure's members in the model's order.
#[derive(Debug)]
pub struct Structure {
    pub members: &'static [Member],
    /// The member that is the whole HTTP body (rest-json), if any.
    pub payload: Option<&'static str>,
    /// Exactly one member may be set.
    pub union: bool,
}

impl Structure {
    pub fn member(&self, name: &str) -> Option<&'static Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

/// One member of a structure.
#[derive(Debug)]
pub struct Member {
    /// The name in AWS's model, which is also the name in a document.
    pub name: &'static str,
    /// The name on the wire: of the JSON member, the query parameter or the XML element.
    pub wire_name: &'static str,
    pub schema: &'static Schema,
    pub required: bool,
    pub location: Location,
}

/// Where rest-json puts a member. The other protocols put everything in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    Body,
    Header(&'static str),
    /// A label of the path, by its name between the braces.
    Uri(&'static str),
    Query(&'static str),
    Status,
    /// The whole payload of an event.
    EventPayload,
}

/// A list.
#[derive(Debug)]
pub struct List {
    pub member: &'static Schema,
    /// The name of one element in awsQuery and XML.
    pub member_name: &'static str,
    pub flattened: bool,
    pub length: Range<usize>,
}

/// A map from strings.
#[derive(Debug)]
pub struct Map {
    pub key: &'static Schema,
    pub value: &'static Schema,
    pub key_name: &'static str,
    pub value_name: &'static str,
    pub flattened: bool,
    pub length: Range<usize>,
}

/// The constraints of a string.
#[derive(Debug)]
pub struct StringRules {
    pub length: Range<usize>,
    pub pattern: Option<&'static Pattern>,
    /// The admitted values; empty means any.
    pub values: &'static [&'static str],
}

/// Inclusive bounds.
#[derive(Debug, Clone, Copy)]
pub struct Range<T> {
    pub min: Option<T>,
    pub max: Option<T>,
}
