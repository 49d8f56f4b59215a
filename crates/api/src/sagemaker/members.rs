//! Between a request's typed members and the form in which the domain keeps them.

use domain::members::Members;
use domain::time::Timestamp;
use serde_json::{Map, Value as Json};
use wire::{DecodeError, Document, Shape};

use crate::Error;

/// All members of a request but the named ones, as the domain keeps them.
pub(crate) fn kept<S: Shape>(input: &S, without: &[&str]) -> Members {
    let mut members = match input.to_document().to_json(S::schema()) {
        Json::Object(members) => members,
        _ => Map::new(),
    };
    members.retain(|name, value| !value.is_null() && !without.contains(&name.as_str()));
    Members(members)
}

/// A Describe answer: the members as they were given, and those that the service adds.
pub(super) fn given_back<S: Shape>(
    members: &Members,
    added: impl IntoIterator<Item = (&'static str, Json)>,
) -> Result<S, Error> {
    let mut all = members.0.clone();
    all.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let document = Document::from_json(S::schema(), &Json::Object(all));
    let document = document.map_err(|why| Error::Internal(why.to_string()))?;
    Ok(S::from_document(&document)?)
}

/// One member of a kept record as its type.
pub(super) fn member<S: Shape>(members: &Members, name: &str) -> Option<S> {
    whole(&Members(members.at(&[name])?.as_object()?.clone())).ok()
}

/// A kept structure as its type.
pub(super) fn whole<S: Shape>(members: &Members) -> Result<S, DecodeError> {
    let document = Document::from_json(S::schema(), &Json::Object(members.0.clone()));
    S::from_document(&document.unwrap_or(Document::Null))
}

/// Server time as the JSON protocols write it.
pub(super) fn seconds(at: Timestamp) -> Json {
    Json::from(
        std::time::Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or(0)).as_secs_f64(),
    )
}

pub(super) const fn timestamp(at: Timestamp) -> wire::Timestamp {
    wire::Timestamp(at.as_millis())
}
