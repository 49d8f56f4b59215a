//! The repository names no package registry's host and no path of the machine it was written on: packages come
//! through their ordinary clients, and a clone builds anywhere.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Outcome};

/// Put together from parts, so that this file does not find itself.
const NEEDLES: &[&[&str]] = &[
    &["crates", ".io"],
    &["pypi", ".org"],
    &["pythonhosted", ".org"],
    &["npmjs", ".org"],
    &["npmjs", ".com"],
    &["deb", ".debian.org"],
    &["/wo", "rk/"],
    &["/ro", "ot/"],
];

/// Written by package managers, which name their registries in them.
const LOCK_FILES: &[&str] = &["Cargo.lock", "package-lock.json", "uv.lock", "poetry.lock"];

pub(super) fn check(root: &Path) -> Outcome<Vec<String>> {
    let mut findings = Vec::new();
    for name in files(root)? {
        let path = root.join(&name);
        let is_lock =
            path.file_name().is_some_and(|file| LOCK_FILES.iter().any(|lock| file == *lock));
        // A link or a file that was just deleted has no content of its own.
        if is_lock || !path.is_file() {
            continue;
        }
        let bytes = fs::read(&path).map_err(Failure::at(&path))?;
        findings.extend(search(&name, &String::from_utf8_lossy(&bytes)));
    }
    Ok(findings)
}

fn search(name: &str, text: &str) -> Vec<String> {
    let needles = NEEDLES.iter().map(|parts| parts.concat());
    let found = needles.filter_map(|needle| {
        let at = text.find(&needle)?;
        let line = text.get(..at)?.matches('\n').count() + 1;
        Some(format!("{name}:{line}: contains `{needle}`"))
    });
    found.collect()
}

/// What git tracks or would track.
fn files(root: &Path) -> Outcome<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|error| Failure::new(format!("git ls-files: {error}")))?;
    if !output.status.success() {
        return Err(Failure::new(format!(
            "git ls-files: {}",
            String::from_utf8_lossy(&output.stderr)
        )));
    }
    let names = String::from_utf8_lossy(&output.stdout);
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_needle_is_found_with_its_line() {
        for needle in NEEDLES {
            let text = format!("one\ntwo {}\n", needle.concat());
            let found = search("a.md", &text);
            assert!(found.iter().any(|line| line.starts_with("a.md:2: ")), "{found:?}");
        }
        assert!(search("a.md", "a network/path, crates and roots\n").is_empty());
    }
}
