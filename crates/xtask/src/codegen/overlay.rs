//! Our named additions to AWS's models, kept apart from them in `models/overlay/*.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::{Failure, Outcome};
use crate::model::{Model, Shape};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overlay {
    pub(crate) name: String,
    /// For the reader of the file and of the generated code.
    pub(crate) reason: String,
    service: String,
    /// Shape to the pattern that replaces AWS's.
    #[serde(default)]
    patterns: BTreeMap<String, String>,
    /// Enum to all of its values, in the order in which AWS prints them.
    #[serde(default)]
    values: BTreeMap<String, Vec<String>>,
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
        for (name, values) in &self.values {
            let known = |shape: &&mut Shape| {
                !shape.values.is_empty() && shape.values.iter().all(|value| values.contains(value))
            };
            let shape = model.shapes.get_mut(name).filter(known);
            let missing = || {
                let what = "has no such enum, or one with other values";
                Failure::new(format!("overlay {}: {service}, {name}: {what}", self.name))
            };
            shape.ok_or_else(missing)?.values.clone_from(values);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn apply(values: &serde_json::Value) -> Outcome<Vec<String>> {
        let mut model: Model = serde_json::from_value(json!({
            "source": "",
            "metadata": {"apiVersion": "", "endpointPrefix": "", "serviceId": ""},
            "operations": {},
            "shapes": {"Kind": {"type": "string", "enum": ["A", "B"]}, "Text": {"type": "string"}},
            "unserved": {},
        }))
        .unwrap();
        let overlay = json!({"name": "o", "reason": "r", "service": "s", "values": values});
        let overlay: Overlay = serde_json::from_value(overlay).unwrap();
        assert!(!overlay.apply("other", &mut model)?);
        assert!(overlay.apply("s", &mut model)?);
        Ok(model.shapes["Kind"].values.clone())
    }

    #[test]
    fn an_enum_may_gain_values_and_lose_none() {
        assert_eq!(apply(&json!({"Kind": ["C", "B", "A"]})).unwrap(), ["C", "B", "A"]);
        for bad in [json!({"Kind": ["A"]}), json!({"Text": ["A"]}), json!({"Absent": ["A"]})] {
            assert!(apply(&bad).is_err(), "{bad}");
        }
    }
}
