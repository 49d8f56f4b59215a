//! Which crate may see which. The table is the architecture; ARCHITECTURE.md explains it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::failure::{Failure, Outcome};

/// Crate to the crates of ours it may depend on, tests included. Anything absent is forbidden.
const ALLOWED: &[(&str, Allowed)] = &[
    ("api", Allowed::Only(&["auth", "domain", "logs", "metrics", "safe_update", "store", "wire"])),
    ("artifact", Allowed::Only(&["domain"])),
    ("auth", Allowed::Only(&[])),
    ("cli", Allowed::Only(&["auth", "domain", "safe_update", "wire"])),
    ("control", Allowed::Only(&["domain", "metrics", "runtime", "store"])),
    ("domain", Allowed::Only(&[])),
    ("fuzz", Allowed::Anything),
    ("gateway", Allowed::Only(&["auth", "domain", "wire"])),
    ("logs", Allowed::Only(&["domain"])),
    ("metrics", Allowed::Only(&["domain"])),
    ("runtime", Allowed::Only(&["domain", "logs"])),
    ("safe_update", Allowed::Only(&["domain", "wire"])),
    ("serve", Allowed::Only(&[])),
    ("server", Allowed::Anything),
    ("sim", Allowed::Anything),
    ("store", Allowed::Only(&["domain"])),
    ("wire", Allowed::Only(&[])),
    ("xtask", Allowed::Only(&[])),
];

#[derive(Debug, Clone, Copy)]
enum Allowed {
    Only(&'static [&'static str]),
    Anything,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    /// Set for our own crates only.
    path: Option<PathBuf>,
}

pub(super) fn check(root: &Path) -> Outcome<Vec<String>> {
    let metadata = metadata(root)?;
    let findings = metadata.packages.iter().flat_map(|package| {
        let from = package.manifest_path.parent().map(folder).unwrap_or_default();
        let paths = package.dependencies.iter().filter_map(|dependency| dependency.path.as_deref());
        violations(&from, paths.map(folder))
    });
    Ok(findings.collect())
}

fn violations(from: &str, dependencies: impl Iterator<Item = String>) -> Vec<String> {
    let manifest = format!("crates/{from}/Cargo.toml");
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == from) else {
        return vec![format!("{manifest}: the crate is not in tidy's table of allowed edges")];
    };
    let Allowed::Only(allowed) = allowed else { return Vec::new() };
    let bad = dependencies.filter(|to| !allowed.contains(&to.as_str()));
    bad.map(|to| format!("{manifest}: `{from}` must not depend on `{to}`")).collect()
}

fn folder(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn metadata(root: &Path) -> Outcome<Metadata> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .map_err(|error| Failure::new(format!("cargo metadata: {error}")))?;
    if !output.status.success() {
        return Err(Failure::new(format!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        )));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::new(format!("cargo metadata: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_edges_of_the_table_are_allowed() {
        let table = [
            ("domain", vec!["store"], 1),
            ("api", vec!["auth", "domain", "wire", "store"], 0),
            ("api", vec!["runtime", "control"], 2),
            ("server", vec!["api", "sim"], 0),
            ("newcomer", vec![], 1),
        ];
        for (from, to, expected) in table {
            let found = violations(from, to.into_iter().map(str::to_owned));
            assert_eq!(found.len(), expected, "{from}: {found:?}");
        }
    }

    #[test]
    fn the_table_names_only_crates_it_knows() {
        for (name, allowed) in ALLOWED {
            let Allowed::Only(allowed) = allowed else { continue };
            for to in *allowed {
                assert!(ALLOWED.iter().any(|(known, _)| known == to), "{name}: {to}");
            }
        }
    }
}
