//! Our named additions to AWS's models, kept apart from them in `models/overlay/*.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::{Failure, Outcome};
use crate::model::Model;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overlay {
    pub(crate) name: String,
    /// For the reader of the file and of the generated code.
    pub(crate) reason: String,
    service: String,
    /// Shape to the pattern that replaces AWS's.
    patterns: BTreeMap<String, String>,
}

/// All overlays, in the order of their file names.
pub(crate) fn load(folder: &Path) -> Outcome<Vec<Overlay>> {
    let entries = fs::read_dir(folder).map_err(Failure::at(folder))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let read = paths.iter().map(|path| {
        let text = fs::read_to_string(path).map_err(Failure::at(path))?;
        serde_json::from_str(&text).map_err(Failure::at(path))
    });
    read.collect()
}

impl Overlay {
    /// Changes the model if it is the one meant, and says whether it did. An overlay that finds nothing to change
    /// in its model is a mistake.
    pub(crate) fn apply(&self, service: &str, model: &mut Model) -> Outcome<bool> {
        if self.service != service {
            return Ok(false);
        }
        for (name, pattern) in &self.patterns {
            let shape = model.shapes.get_mut(name).filter(|shape| shape.pattern.is_some());
            let missing = || {
                Failure::new(format!("overlay {}: {service} has no pattern of {name}", self.name))
            };
            shape.ok_or_else(missing)?.pattern = Some(pattern.clone());
        }
        Ok(true)
    }
}
