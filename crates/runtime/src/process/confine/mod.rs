//! What a model server may reach of the file system. It is a stranger: what it needs is listed, all else is closed.
//!
//! This decides which paths are open; `system` has the kernel enforce it, in the stage before the command. The server
//! decides, because that stage runs where the command will: it must know no more than the outcome.

mod around;
mod collect;
pub(crate) mod limits;
mod places;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use super::image::{ImageTable, Listens, Recipe};
use collect::Collector;

/// Paths that one model server is given. A kernel rule is made for each; system folders and installations are a few
/// dozen, and only a data directory among thousands of neighbours could need more.
pub(crate) const GRANTS_MAX: usize = 4096;

/// What may be done with a path and all that is below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Access {
    /// Read, list and execute.
    Read,
    /// All but making device files.
    Write,
    /// Make sockets, and nothing else.
    Bind,
}

/// A path that is open to a model server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Grant {
    pub(crate) access: Access,
    /// Absolute, and without links when it was looked up.
    pub(crate) path: PathBuf,
}

/// Why an image could never be run without opening the data directory to it.
#[derive(Debug, thiserror::Error)]
#[error(
    "[[image]] match = {pattern:?}: {member} names {path}, and no model server may reach the data directory {data_dir}; \
     move one of the two",
    path = .path.display(), data_dir = .data_dir.display()
)]
pub struct Exposed {
    pattern: String,
    member: &'static str,
    path: PathBuf,
    data_dir: PathBuf,
}

/// What is known of the machine.
#[derive(Debug)]
pub(crate) struct Confinement {
    /// Closed with all that is below it.
    data_dir: PathBuf,
    /// The user's own folder, of which only what is named may be open.
    home: Option<PathBuf>,
}

/// Which model server it is about.
#[derive(Debug)]
pub(crate) struct Tenant<'a> {
    pub(crate) recipe: &'a Recipe,
    /// PATH as the server's user knows it. Not `CreateModel`'s: who may call the API must not open folders by it.
    pub(crate) path: &'a str,
    /// Its own folder, below the data directory.
    pub(crate) folder: &'a Path,
    /// Where its socket lies, if not in its own folder.
    pub(crate) sockets: Option<&'a Path>,
}

impl Confinement {
    /// `data_dir` must be absolute and without links.
    pub(crate) fn new(data_dir: PathBuf, home: Option<PathBuf>) -> Self {
        let home = home.and_then(|home| home.canonicalize().ok());
        Self { data_dir, home }
    }

    /// Refuses images that name the data directory, or that write where it would have to be cut out: a folder can be
    /// opened for reading without one of its folders, but what may be made in it cannot be told beforehand.
    pub(crate) fn check(&self, images: &ImageTable) -> Result<(), Exposed> {
        for image in images.entries() {
            let within = |path: &Path| resolved(path).starts_with(&self.data_dir);
            let around = |path: &Path| self.data_dir.starts_with(resolved(path));
            let named = || image.command.iter().map(|word| Path::new(collect::path_in(word)));
            let readable = || image.readable.iter().map(PathBuf::as_path);
            let writable = || image.writable.iter().map(PathBuf::as_path);
            let found = named()
                .find(|path| path.is_absolute() && within(path))
                .map(|path| ("command", path))
                .or_else(|| readable().find(|path| within(path)).map(|path| ("readable", path)))
                .or_else(|| {
                    writable()
                        .find(|path| within(path) || around(path))
                        .map(|path| ("writable", path))
                });
            if let Some((member, path)) = found {
                let (path, data_dir) = (path.to_owned(), self.data_dir.clone());
                return Err(Exposed { pattern: image.pattern.clone(), member, path, data_dir });
            }
        }
        Ok(())
    }

    /// Whether the data directory lies where every model server may write.
    pub(crate) fn is_in_scratch(&self) -> bool {
        places::SCRATCH.iter().any(|path| self.data_dir.starts_with(resolved(Path::new(path))))
    }

    /// All that is open to a model server. Looks around in the file system, for milliseconds.
    pub(crate) fn grants(&self, tenant: &Tenant<'_>) -> io::Result<Vec<Grant>> {
        let Tenant { recipe, path, folder, sockets } = *tenant;
        let mut open = Collector::new(&self.data_dir, self.home.as_deref());
        for path in places::SYSTEM.iter().chain(&places::LINKS) {
            open.read(Path::new(path));
        }
        for path in places::devices().into_iter().chain(places::SCRATCH.map(PathBuf::from)) {
            open.write(&path);
        }
        if recipe.listens == Listens::Tcp {
            let path = recipe.environment.get("PATH").map_or(path, String::as_str);
            open.search_path(path);
            open.command(&recipe.command, path);
            for path in &recipe.readable {
                open.read(path);
            }
            for path in &recipe.writable {
                open.write(path);
            }
        } else if let [program, ..] = &recipe.command[..] {
            // The server's own binary: the file, whatever lies beside it.
            open.own(Access::Read, Path::new(program));
        }
        open.own(Access::Write, folder);
        if let Some(sockets) = sockets {
            open.own(Access::Bind, sockets);
        }
        open.finish()
    }
}

/// `path` without links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    for ancestor in path.ancestors() {
        if let Ok(found) = ancestor.canonicalize() {
            return missing.into_iter().rev().fold(found, |path, name| path.join(name));
        }
        missing.extend(ancestor.file_name());
    }
    path.to_owned()
}
