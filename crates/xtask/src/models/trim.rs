//! Keeps what the served operations reach, and only the names of all other operations.

use std::collections::BTreeMap;

use crate::failure::{Failure, Outcome};
use crate::model::{Model, Operation, Published, Shape};
use crate::services::BOTOCORE_VERSION;

/// What to keep of which model.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) folder: &'static str,
    pub(crate) api_version: &'static str,
    pub(crate) operations: &'static [&'static str],
}

pub(crate) fn trim(source: &Source, published: Published) -> Outcome<Model> {
    let Published { metadata, mut operations, shapes } = published;
    let mut served = BTreeMap::new();
    for &name in source.operations {
        let operation = operations.remove(name).ok_or_else(|| {
            Failure::new(format!("{}: AWS has no operation {name}", source.folder))
        })?;
        served.insert(name.to_owned(), operation);
    }
    let unserved = operations
        .into_iter()
        .map(|(name, operation)| {
            (name, format!("{} {}", operation.http.method, operation.http.request_uri))
        })
        .collect();
    let shapes = reachable(&served, &shapes)?;
    let source = format!("botocore {BOTOCORE_VERSION} {} {}", source.folder, source.api_version);
    Ok(Model { source, metadata, operations: served, shapes, unserved })
}

fn reachable(
    operations: &BTreeMap<String, Operation>,
    shapes: &BTreeMap<String, Shape>,
) -> Outcome<BTreeMap<String, Shape>> {
    let mut open: Vec<&str> = Vec::new();
    for operation in operations.values() {
        let roots = operation.input.iter().chain(&operation.output).chain(&operation.errors);
        open.extend(roots.map(|root| root.shape.as_str()));
    }
    let mut kept = BTreeMap::new();
    while let Some(name) = open.pop() {
        let shape = shapes
            .get(name)
            .ok_or_else(|| Failure::new(format!("the model has no shape {name}")))?;
        if kept.insert(name.to_owned(), shape.clone()).is_none() {
            open.extend(shape.references().map(|reference| reference.shape.as_str()));
        }
    }
    Ok(kept)
}
