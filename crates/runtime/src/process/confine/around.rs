//! Opens a folder but for one below it. The kernel's rules can only open, each of them all the way down; so whoever has a
//! closed folder below it is replaced by its other entries.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::GRANTS_MAX;

/// `open`, or what is to be opened instead of it so that `closed` stays closed. What is made beside `closed` later is
/// not among it, and the folders above it cannot be listed. Both paths must be absolute and without links.
pub(super) fn around(open: &Path, closed: &Path) -> io::Result<Vec<PathBuf>> {
    if open.starts_with(closed) {
        return Ok(Vec::new());
    }
    if !closed.starts_with(open) {
        return Ok(vec![open.to_owned()]);
    }
    let mut pieces = Vec::new();
    let steps = closed.ancestors().filter(|above| above.starts_with(open) && *above != closed);
    for above in steps {
        let entries = match fs::read_dir(above) {
            Ok(entries) => entries,
            // What the user cannot list, the model server cannot either.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            // A link needs no grant to be followed; one here would open what it points to.
            if entry.file_type()?.is_symlink() || closed.starts_with(entry.path()) {
                continue;
            }
            if pieces.len() >= GRANTS_MAX {
                return Err(io::Error::other(format!(
                    "{} has too many neighbours to be closed off from model servers",
                    closed.display()
                )));
            }
            pieces.push(entry.path());
        }
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_lies_around_is_open_and_what_is_closed_is_not() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let at = |path: &str| root.join(path);
        for folder in ["app/lib", "app/data/inner", "app/other/deep", "app/database", "else"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("app/file"), "").unwrap();
        symlink(at("app/data"), at("app/link")).unwrap();
        let cases: [(&str, &str, &[&str]); 6] = [
            ("else", "app/data", &["else"]),
            ("app/database", "app/data", &["app/database"]),
            ("app/data", "app/data", &[]),
            ("app/data/inner", "app/data", &[]),
            ("app", "app/data", &["app/database", "app/file", "app/lib", "app/other"]),
            ("", "app/data/inner", &["app/database", "app/file", "app/lib", "app/other", "else"]),
        ];
        for (open, closed, expected) in cases {
            let mut pieces = around(&at(open), &at(closed)).unwrap();
            pieces.sort();
            let expected: Vec<_> = expected.iter().map(|path| at(path)).collect();
            assert_eq!(pieces, expected, "{open} around {closed}");
        }
    }
}
