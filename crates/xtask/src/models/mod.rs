//! `cargo xtask models`: AWS's published models to `models/*.json`. The only step that needs pip.

mod download;
mod trim;

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::services::{Origin, SERVICES};

/// Writes one trimmed model per served service of AWS's and returns the paths.
pub(crate) fn run(root: &Path) -> Outcome<Vec<String>> {
    let package = download::botocore(&root.join("target/botocore"))?;
    let folder = root.join("models");
    fs::create_dir_all(&folder).map_err(Failure::at(&folder))?;
    let mut written = Vec::new();
    for service in SERVICES {
        let Origin::Botocore { folder, api_version, operations } = service.origin else { continue };
        let source = trim::Source { folder, api_version, operations };
        let model = trim::trim(&source, package.model(folder, api_version)?)?;
        let path = root.join(service.path());
        let mut text = serde_json::to_string_pretty(&model).map_err(Failure::at(&path))?;
        text.push('\n');
        fs::write(&path, text).map_err(Failure::at(&path))?;
        written.push(path.display().to_string());
    }
    Ok(written)
}
