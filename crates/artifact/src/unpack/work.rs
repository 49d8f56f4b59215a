//! The temporary folder beside a target: made, filled, and either renamed or gone.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Between the target's name and the random part, so that leftovers of a killed process are known for what they are.
const MARK: &str = ".part-";

/// A folder in the making. Dropped unfinished, it is removed with all it holds.
#[derive(Debug)]
pub(crate) struct Workplace {
    folder: TempDir,
}

impl Workplace {
    /// Makes the workplace for `target` and removes what a killed process left of earlier ones. One target is prepared by one
    /// caller at a time.
    pub(crate) fn beside(target: &Path) -> io::Result<Self> {
        let (parent, prefix) = split(target)?;
        for found in fs::read_dir(parent)? {
            let found = found?;
            if found.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes()) {
                fs::remove_dir_all(found.path())?;
            }
        }
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir_in(parent)?;
        Ok(Self { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the folder its name. An empty folder of that name is replaced, anything else refuses.
    pub(crate) fn finish(self, target: &Path) -> io::Result<()> {
        set_readable(self.path())?;
        fs::rename(self.path(), target)?;
        // Nothing is left under the temporary name; without this the drop would look for it.
        let _renamed: PathBuf = self.folder.keep();
        Ok(())
    }
}

fn split(target: &Path) -> io::Result<(&Path, OsString)> {
    let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the target has no name"));
    };
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(MARK);
    Ok((parent, prefix))
}

/// Temporary folders are private; a model's folder is read by the model server, which may be another user.
fn set_readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}
