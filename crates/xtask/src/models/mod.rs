//! `cargo xtask models`: AWS's published models to `models/*.json`. The only step that needs pip.

mod download;
mod trim;

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::services::SERVICES;

/// Writes one trimmed model per served service and returns the paths.
pub(crate) fn run(root: &Path) -> Outcome<Vec<String>> {
    let package = download::botocore(&root.join("target/botocore"))?;
    let folder = root.join("models");
    fs::create_dir_all(&folder).map_err(Failure::at(&folder))?;
    let mut written = Vec::new();
    for service in SERVICES {
        let model = trim::trim(service, package.model(service)?)?;
        let path = folder.join(format!("{}.json", service.id));
        let mut text = serde_json::to_string_pretty(&model).map_err(Failure::at(&path))?;
        text.push('\n');
        fs::write(&path, text).map_err(Failure::at(&path))?;
        written.push(path.display().to_string());
    }
    Ok(written)
}
