//! The folders of instances: `DIR/instances/<id>/` with `model/` and `tmp/`, which no other user reads, and which go
//! when the instance has ended.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The socket's name within an instance's folder.
const SOCKET: &str = "socket";

/// The longest path of a Unix socket that every system takes: `sun_path` has 108 bytes on Linux and 104 elsewhere, one
/// of them for the NUL.
const SOCKET_PATH_BYTES_MAX: usize = 103;

/// Points from the data directory to the folder of sockets, if they lie elsewhere.
const ELSEWHERE: &str = "sockets";

/// The parent of all folders of instances.
#[derive(Debug)]
pub(crate) struct Folders {
    root: PathBuf,
    /// A folder with a shorter path for sockets, if the root's is too long.
    sockets: Option<PathBuf>,
}

impl Folders {
    /// Opens `root`, an absolute path, for instances with ids of `id_bytes`. What earlier instances left must have been
    /// removed.
    pub(crate) fn open(root: PathBuf, id_bytes: usize) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&root)?;
        let longest = root.as_os_str().len() + id_bytes + SOCKET.len() + 2;
        let sockets = if longest > SOCKET_PATH_BYTES_MAX {
            // The name cannot be guessed and the folder is only ours (0700), so nobody can wait in it.
            let private = Permissions::from_mode(0o700);
            let folder =
                tempfile::Builder::new().prefix("tidegate-").permissions(private).tempdir()?.keep();
            std::os::unix::fs::symlink(&folder, root.join(ELSEWHERE))?;
            Some(folder)
        } else {
            None
        };
        Ok(Self { root, sockets })
    }

    /// Ids of instances that have a folder below `root`.
    pub(crate) fn left_over(root: &Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter(|name| name != ELSEWHERE).collect())
    }

    /// Removes all that instances left below `root`, whose processes must be gone.
    pub(crate) fn remove_left_over(root: &Path) -> io::Result<()> {
        for id in Self::left_over(root)? {
            remove(&root.join(id))?;
        }
        let link = root.join(ELSEWHERE);
        if let Ok(sockets) = fs::read_link(&link) {
            // It lies in a folder that anyone may write to: only its own entries go, and they are sockets.
            for entry in fs::read_dir(&sockets).into_iter().flatten().flatten() {
                let _ = fs::remove_file(entry.path());
            }
            let _ = fs::remove_dir(&sockets);
            fs::remove_file(&link)?;
        }
        Ok(())
    }

    pub(crate) fn of(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    pub(crate) fn model_of(&self, id: &str) -> PathBuf {
        self.of(id).join("model")
    }

    pub(crate) fn socket_of(&self, id: &str) -> PathBuf {
        match &self.sockets {
            Some(sockets) => sockets.join(id),
            None => self.of(id).join(SOCKET),
        }
    }

    /// The folder of sockets, if they do not lie in the instances' own.
    pub(crate) fn sockets(&self) -> Option<&Path> {
        self.sockets.as_deref()
    }

    /// Makes the empty folders of an instance.
    pub(crate) fn create(&self, id: &str) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700);
        builder.create(self.of(id))?;
        builder.create(self.model_of(id))?;
        builder.create(self.of(id).join("tmp"))
    }

    /// Removes all that an instance has; nothing is there any more if it returns.
    pub(crate) fn remove(&self, id: &str) -> io::Result<()> {
        if self.sockets.is_some() {
            ignore_missing(fs::remove_file(self.socket_of(id)))?;
        }
        remove(&self.of(id))
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        if let Some(sockets) = &self.sockets {
            // With sockets left in it it stays, and the next start removes it.
            if fs::remove_dir(sockets).is_ok() {
                let _ = fs::remove_file(self.root.join(ELSEWHERE));
            }
        }
    }
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    result
        .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn remove(folder: &Path) -> io::Result<()> {
    ignore_missing(fs::remove_dir_all(folder).or_else(|error| {
        if error.kind() != io::ErrorKind::PermissionDenied {
            return Err(error);
        }
        make_removable(folder);
        fs::remove_dir_all(folder)
    }))
}

/// A model server, or an archive, may have taken the owner's own rights away from a folder.
fn make_removable(folder: &Path) {
    let _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_removable(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "i-0123456789abcdef0";

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_folder_is_private_and_goes_with_all_that_is_in_it() {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::open(root.path().join("instances"), ID.len()).unwrap();
        folders.create(ID).unwrap();
        assert!(folders.create(ID).is_err(), "an instance never moves into another's folder");
        for path in [folders.of(ID), folders.model_of(ID), folders.of(ID).join("tmp")] {
            assert_eq!(mode(&path), 0o700, "{}", path.display());
        }
        let locked = folders.of(ID).join("tmp/locked");
        fs::create_dir_all(locked.join("deeper")).unwrap();
        fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
        folders.remove(ID).unwrap();
        folders.remove(ID).unwrap();
        assert!(!folders.of(ID).exists());
    }

    #[test]
    fn a_socket_lies_in_the_folder_if_its_path_is_short_enough() {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::open(root.path().join("d"), ID.len()).unwrap();
        assert!(folders.socket_of(ID).starts_with(folders.of(ID)));
    }

    #[test]
    fn a_long_data_directory_gets_a_private_folder_for_sockets_that_does_not_stay() {
        let root = tempfile::tempdir().unwrap();
        let long = root.path().join("x".repeat(100)).join("instances");
        let folders = Folders::open(long.clone(), ID.len()).unwrap();
        let sockets = folders.sockets.clone().unwrap();
        assert!(folders.socket_of(ID).as_os_str().len() <= SOCKET_PATH_BYTES_MAX);
        assert_eq!(mode(&sockets), 0o700);
        folders.create(ID).unwrap();
        std::os::unix::net::UnixListener::bind(folders.socket_of(ID)).unwrap();
        std::mem::forget(folders); // as when the server is killed
        assert_eq!(Folders::left_over(&long).unwrap(), [ID]);
        Folders::remove_left_over(&long).unwrap();
        assert!(!sockets.exists() && Folders::left_over(&long).unwrap().is_empty());
        let folders = Folders::open(long.clone(), ID.len()).unwrap();
        let sockets = folders.sockets.clone().unwrap();
        drop(folders);
        assert!(!sockets.exists() && fs::read_dir(&long).unwrap().next().is_none());
    }
}
