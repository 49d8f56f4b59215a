//! Files stay short enough to be read in one go. Generated ones are not read.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::files::{self, GENERATED_MARK};
use crate::tidy::Findings;

/// Above this a file is worth splitting.
const LINES_WARN: usize = 500;

/// Above this it must be split.
const LINES_MAX: usize = 800;

/// The mark of a generated file stands in these first lines.
const HEAD_LINES: usize = 10;

pub(super) fn check(root: &Path, findings: &mut Findings) -> Outcome {
    for path in files::below(&root.join("crates"))? {
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(Failure::at(&path))?;
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        judge(&name, &text, findings);
    }
    Ok(())
}

fn judge(name: &str, text: &str, findings: &mut Findings) {
    if text.lines().take(HEAD_LINES).any(|line| line.contains(GENERATED_MARK)) {
        return;
    }
    match text.lines().count() {
        lines if lines > LINES_MAX => {
            findings.errors.push(format!("{name}: {lines} lines, at most {LINES_MAX} are allowed"));
        }
        lines if lines > LINES_WARN => {
            findings
                .warnings
                .push(format!("{name}: {lines} lines, consider splitting it above {LINES_WARN}"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_found_and_generated_ones_are_not() {
        let generated = format!("//! {GENERATED_MARK} from x\n");
        let table = [
            ("\n".repeat(LINES_WARN), 0, 0),
            ("\n".repeat(LINES_WARN + 1), 0, 1),
            ("\n".repeat(LINES_MAX), 0, 1),
            ("\n".repeat(LINES_MAX + 1), 1, 0),
            (generated + &"\n".repeat(LINES_MAX), 0, 0),
        ];
        for (text, errors, warnings) in table {
            let mut findings = Findings::default();
            judge("a.rs", &text, &mut findings);
            assert_eq!((findings.errors.len(), findings.warnings.len()), (errors, warnings));
        }
    }
}
