//! Tags: kept by the resource's ARN, and gone with the resource.

use domain::arn::{Astray, Kind, Scope};
use domain::tag::Tags;
use store::record::Tagged;
use store::{Changes, State};
use wire::sagemaker::Tag;

use crate::Context;
use crate::Error;

/// A resource that exists and may carry tags.
pub(super) struct Taggable {
    pub key: String,
}

/// Finds the resource that an ARN names.
pub(super) fn resource(
    cx: &Context,
    state: &State,
    action: &'static str,
    arn: &str,
) -> Result<Taggable, Error> {
    locate(&cx.scope, &cx.caller.arn, state, action, arn)
}

pub(super) fn locate(
    scope: &Scope,
    caller: &str,
    state: &State,
    action: &'static str,
    arn: &str,
) -> Result<Taggable, Error> {
    let resource = scope.resource(arn).map_err(|astray| match astray {
        Astray::Malformed => Error::UntaggableResource(arn.to_owned()),
        Astray::Elsewhere => {
            Error::ForeignResource { caller: caller.to_owned(), action, arn: arn.to_owned() }
        }
    })?;
    // A name that breaks the pattern is the name of nothing.
    let missing = || Error::NotFound { kind: resource.kind, arn: arn.to_owned() };
    let found = match resource.kind {
        Kind::Model => state.models.contains_key(resource.name),
        Kind::EndpointConfig => state.endpoint_configs.contains_key(resource.name),
        Kind::Endpoint => state.endpoints.contains_key(&*resource.name.to_ascii_lowercase()),
    };
    if !found {
        return Err(missing());
    }
    Ok(Taggable { key: Tagged::key_of(resource.kind, arn) })
}

pub(super) fn of(state: &State, resource: &Taggable) -> Tags {
    state.tagged.get(&resource.key).map(|tagged| tagged.tags.clone()).unwrap_or_default()
}

/// The tags that a resource is created with.
pub(super) fn first(
    kind: Kind,
    arn: &str,
    tags: Option<Vec<Tag>>,
) -> Result<Option<Tagged>, Error> {
    let tags =
        Tags::default().with(pairs(tags.into_iter().flatten())).map_err(|_| Error::TooManyTags)?;
    Ok((!tags.0.is_empty()).then(|| Tagged { arn: Tagged::key_of(kind, arn), tags }))
}

pub(super) fn put(changes: Changes, tagged: Option<Tagged>) -> Changes {
    match tagged {
        Some(tagged) => changes.put(tagged),
        None => changes,
    }
}

pub(super) fn delete(changes: Changes, kind: Kind, arn: &str) -> Changes {
    changes.delete::<Tagged>(Tagged::key_of(kind, arn))
}

pub(super) fn pairs(tags: impl IntoIterator<Item = Tag>) -> impl Iterator<Item = (String, String)> {
    tags.into_iter().map(|Tag { key, value }| (key, value))
}

pub(super) fn shown(tags: &Tags) -> Vec<Tag> {
    tags.0.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}
