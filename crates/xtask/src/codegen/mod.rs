//! `cargo xtask codegen`: `models/*.json` and the overlays to `crates/wire/src/shape/`. Works offline.

mod names;
mod overlay;
mod pattern;
mod schemas;
mod service;
mod streams;
mod structures;
mod types;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::codegen::overlay::Overlay;
use crate::codegen::types::Types;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::model::Model;
use crate::services::{SERVICES, Service};

/// Where generated code lives; nothing else may be there.
pub(crate) const GENERATED: &str = "crates/wire/src/shape";

/// Writes what differs and removes what no model asks for. Returns the changed paths.
pub(crate) fn write(root: &Path) -> Outcome<Vec<String>> {
    let wanted = generate(root)?;
    let stale = stale(root, &wanted)?;
    for path in &stale {
        let absolute = root.join(path);
        match wanted.get(path) {
            Some(text) => {
                let folder = absolute.parent().unwrap_or(root);
                fs::create_dir_all(folder).map_err(Failure::at(folder))?;
                fs::write(&absolute, text).map_err(Failure::at(&absolute))?;
            }
            None => fs::remove_file(&absolute).map_err(Failure::at(&absolute))?,
        }
    }
    Ok(stale.iter().map(|path| path.display().to_string()).collect())
}

/// One line for every generated file that is missing, different or superfluous.
pub(crate) fn check(root: &Path) -> Outcome<Vec<String>> {
    let stale = stale(root, &generate(root)?)?;
    Ok(stale
        .iter()
        .map(|path| format!("{}: stale, run cargo xtask codegen", path.display()))
        .collect())
}

fn stale(root: &Path, wanted: &BTreeMap<PathBuf, String>) -> Outcome<Vec<PathBuf>> {
    let mut stale = Vec::new();
    for (path, text) in wanted {
        if fs::read_to_string(root.join(path)).ok().as_ref() != Some(text) {
            stale.push(path.clone());
        }
    }
    let present = files::below(&root.join(GENERATED))?;
    let relative = present.iter().filter_map(|path| path.strip_prefix(root).ok());
    stale.extend(relative.filter(|&path| !wanted.contains_key(path)).map(Path::to_path_buf));
    Ok(stale)
}

fn generate(root: &Path) -> Outcome<BTreeMap<PathBuf, String>> {
    let overlays = overlay::load(&root.join("models/overlay"))?;
    let mut files = BTreeMap::new();
    let folder = PathBuf::from(GENERATED);
    let head = "//! The services Tidegate serves, one module each.\n";
    files.insert(
        folder.join("mod.rs"),
        format(root, head, "models/", &service::emit_root(SERVICES))?,
    );
    for service in SERVICES {
        let path = root.join(service.path());
        let text = fs::read_to_string(&path).map_err(Failure::at(&path))?;
        let model = serde_json::from_str(&text).map_err(Failure::at(&path))?;
        for (name, text) in generate_service(root, service, model, &overlays)? {
            files.insert(folder.join(service.module()).join(name), text);
        }
    }
    Ok(files)
}

fn generate_service(
    root: &Path,
    service: &Service,
    mut model: Model,
    overlays: &[Overlay],
) -> Outcome<Vec<(&'static str, String)>> {
    let id = model.metadata.service_id.clone();
    let mut about = format!("//! {id}: shapes and operations.\n");
    for overlay in overlays {
        if overlay.apply(service.id, &mut model)? {
            let _ = writeln!(
                about,
                "//!\n//! Differs from AWS by the overlay `{}`: {}",
                overlay.name, overlay.reason
            );
        }
    }
    let streams = streams::detach(&mut model)?;
    let types = Types(&model);
    let enums = structures::emit_enums(service, types)?;
    let source = service.path();
    let mut files = vec![
        ("mod.rs", about, service::emit_module(!enums.is_empty())),
        (
            "schemas.rs",
            format!("//! What {id}'s model says about its shapes.\n"),
            schemas::emit(service, types)?,
        ),
        (
            "service.rs",
            format!("//! {id}'s operations.\n"),
            service::emit(service, types, &streams)?,
        ),
        ("structures.rs", format!("//! {id}'s structures.\n"), structures::emit(service, types)?),
    ];
    if !enums.is_empty() {
        files.push(("enums.rs", format!("//! {id}'s enums.\n"), enums));
    }
    let formatted = files
        .into_iter()
        .map(|(name, head, body)| Ok((name, format(root, &head, &source, &body)?)));
    formatted.collect()
}

/// Puts the notice on top and runs rustfmt.
fn format(root: &Path, head: &str, source: &str, body: &str) -> Outcome<String> {
    let text =
        format!("{head}//!\n//! {} from {source}; do not edit.\n\n{body}", files::GENERATED_MARK);
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::new(format!("rustfmt: {error}")))?;
    // rustfmt reads to the end before it writes, so that one pipe after the other cannot block.
    let mut input = rustfmt.stdin.take().ok_or_else(|| Failure::new("rustfmt: no stdin"))?;
    input.write_all(text.as_bytes()).map_err(|error| Failure::new(format!("rustfmt: {error}")))?;
    drop(input);
    let output =
        rustfmt.wait_with_output().map_err(|error| Failure::new(format!("rustfmt: {error}")))?;
    if !output.status.success() {
        return Err(Failure::new(format!("rustfmt refused code generated from {source}")));
    }
    String::from_utf8(output.stdout).map_err(|error| Failure::new(format!("rustfmt: {error}")))
}
