//! `cargo xtask tidy`: what neither the compiler nor clippy checks.

mod edges;
mod lints;
mod needles;
mod sizes;

use std::path::Path;

use crate::codegen;
use crate::failure::Outcome;

/// What tidy has to say: errors fail it, warnings do not. One line each.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) errors: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

pub(crate) fn run(root: &Path) -> Outcome<Findings> {
    let mut findings = Findings::default();
    findings.errors.extend(edges::check(root)?);
    findings.errors.extend(lints::check(root)?);
    findings.errors.extend(codegen::check(root)?);
    findings.errors.extend(needles::check(root)?);
    sizes::check(root, &mut findings)?;
    Ok(findings)
}
