//! Every crate takes part in the workspace's lints.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};

pub(super) fn check(root: &Path) -> Outcome<Vec<String>> {
    let folder = root.join("crates");
    let mut findings = Vec::new();
    for entry in fs::read_dir(&folder).map_err(Failure::at(&folder))? {
        let manifest = entry.map_err(Failure::at(&folder))?.path().join("Cargo.toml");
        let Ok(text) = fs::read_to_string(&manifest) else { continue };
        if !opts_in(&text) {
            let path = manifest.strip_prefix(root).unwrap_or(&manifest).display();
            findings.push(format!("{path}: lacks `[lints]` with `workspace = true`"));
        }
    }
    findings.sort();
    Ok(findings)
}

fn opts_in(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let section: Vec<&str> = lines.by_ref().skip_while(|line| *line != "[lints]").skip(1).collect();
    section
        .iter()
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.replace(' ', "") == "workspace=true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_counts_and_nothing_else() {
        let table = [
            ("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n", true),
            ("[lints]\nworkspace=true # all of them", true),
            ("[lints]\n\n[dependencies]\nworkspace = true\n", false),
            ("[lints]\nworkspace = false\n", false),
            ("# [lints]\n# workspace = true\n", false),
        ];
        for (manifest, expected) in table {
            assert_eq!(opts_in(manifest), expected, "{manifest}");
        }
    }
}
