//! Finds what the programs of an image need beside themselves: libraries of an installation, interpreters, scripts.
//!
//! An installation in the user's folder (pyenv, a virtual environment, conda) is open if PATH or the command leads to
//! it; the user's folder itself never is.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::around::around;
use super::{Access, GRANTS_MAX, Grant};

/// Installations that lead to one another: the link to a tool, its virtual environment, the interpreter of that, and
/// the installation which the interpreter was copied from.
const STEPS_MAX: u32 = 4;

/// Entries of one folder of programs that are looked at. Only those outside the system are, and they have hundreds.
const PROGRAMS_MAX: usize = 4096;

/// Bytes of a first line, `#!` and the interpreter, as Linux reads them; a `pyvenv.cfg` has a few hundred as well.
const HEAD_BYTES: u64 = 4096;

/// What lies beside a folder of programs and belongs to them.
const BESIDE: [&str; 5] = ["lib", "lib32", "lib64", "libexec", "include"];

/// The same, where the folder above belongs to one installation and so holds no user's data.
const BESIDE_IN_OWN: [&str; 4] = ["share", "etc", "ssl", "opt"];

/// What tells that a whole folder is one installation: a virtual environment, conda, Homebrew.
const WHOLE: [&str; 3] = ["pyvenv.cfg", "conda-meta", "Cellar"];

/// Paths that are to be open, in the order in which they were found.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    closed: &'a Path,
    home: Option<&'a Path>,
    read: BTreeSet<PathBuf>,
    grants: Vec<Grant>,
    /// Folders of programs that have been looked at.
    visited: BTreeSet<PathBuf>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(closed: &'a Path, home: Option<&'a Path>) -> Self {
        let (read, grants, visited) = <_>::default();
        Self { closed, home, read, grants, visited }
    }

    /// Opens what `path` leads to for reading, but for the closed folder. Without the path nothing happens.
    pub(super) fn read(&mut self, path: &Path) {
        if let Ok(path) = path.canonicalize()
            && !self.is_open(&path)
        {
            self.read.insert(path);
        }
    }

    /// Opens what `path` leads to for writing. The caller has made sure that the closed folder is not below it.
    pub(super) fn write(&mut self, path: &Path) {
        if let Ok(path) = path.canonicalize()
            && !path.starts_with(self.closed)
            && !self.closed.starts_with(&path)
        {
            self.grants.push(Grant { access: Access::Write, path });
        }
    }

    /// Opens a path that is the model server's own, in the closed folder or not.
    pub(super) fn own(&mut self, access: Access, path: &Path) {
        self.grants.push(Grant { access, path: path.to_owned() });
    }

    /// All that is open.
    pub(super) fn finish(mut self) -> io::Result<Vec<Grant>> {
        for open in &self.read {
            let pieces = around(open, self.closed)?;
            self.grants.extend(pieces.into_iter().map(|path| Grant { access: Access::Read, path }));
        }
        if self.grants.len() > GRANTS_MAX {
            return Err(io::Error::other(format!("{} paths are too many", self.grants.len())));
        }
        Ok(self.grants)
    }

    /// Opens the installations that a PATH names.
    pub(super) fn search_path(&mut self, path: &str) {
        for folder in entries(path) {
            self.programs(&folder, 0);
        }
    }

    /// Opens what a command names: its program, and the absolute paths among its words, each with its folder.
    pub(super) fn command(&mut self, command: &[String], path: &str) {
        let Some((program, words)) = command.split_first() else { return };
        if let Some(program) = find(program, path) {
            self.program(&program, path, 0);
        }
        for word in words {
            let word = Path::new(path_in(word));
            if word.is_absolute() {
                self.with_folder(word);
            }
        }
    }

    /// A program, what it is linked to, and its interpreters.
    fn program(&mut self, program: &Path, path: &str, step: u32) {
        let Ok(real) = program.canonicalize() else { return };
        for at in [program, &real] {
            match at.parent() {
                Some(folder) if is_of_programs(folder) => self.programs(folder, step),
                _ => self.with_folder(at),
            }
        }
        self.read(&real);
        for interpreter in interpreters(&real, path) {
            if step < STEPS_MAX {
                self.program(&interpreter, path, step + 1);
            }
        }
    }

    /// A file and its folder: what it loads lies beside it. Of a folder that holds more than one thing, only the file.
    fn with_folder(&mut self, path: &Path) {
        let Ok(real) = path.canonicalize() else { return };
        let folder = if real.is_dir() { Some(real.as_path()) } else { real.parent() };
        self.read_narrow(&real);
        for folder in [folder, path.parent().filter(|_| !real.is_dir())].into_iter().flatten() {
            self.read_narrow(folder);
        }
    }

    /// Opens `path` unless that would open a user's folder, or half of the machine.
    fn read_narrow(&mut self, path: &Path) {
        if let Ok(path) = path.canonicalize()
            && (!path.is_dir() || !self.is_broad(&path))
        {
            self.read(&path);
        }
    }

    /// A folder of programs, the rest of its installation, and where its links lead to.
    fn programs(&mut self, folder: &Path, step: u32) {
        let Ok(folder) = folder.canonicalize() else { return };
        if step >= STEPS_MAX || !self.visited.insert(folder.clone()) || self.is_open(&folder) {
            return;
        }
        self.read_narrow(&folder);
        if is_of_programs(&folder)
            && let Some(above) = folder.parent()
        {
            self.installation(above, folder.ends_with("shims"), step);
        }
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten().take(PROGRAMS_MAX);
        for link in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink())) {
            let Ok(real) = link.path().canonicalize() else { continue };
            if real.is_dir() || self.is_open(&real) {
                continue;
            }
            self.read(&real);
            if let Some(parent) = real.parent().filter(|parent| is_of_programs(parent)) {
                self.programs(parent, step + 1);
            }
        }
    }

    fn installation(&mut self, root: &Path, is_whole: bool, step: u32) {
        let is_broad = self.is_broad(root);
        if !is_broad && (is_whole || WHOLE.iter().any(|mark| root.join(mark).exists())) {
            self.read(root);
        } else {
            let own = if is_broad { &[][..] } else { &BESIDE_IN_OWN[..] };
            for name in BESIDE.iter().chain(own) {
                self.read(&root.join(name));
            }
        }
        // The interpreter of a virtual environment may be a copy; then no link leads to its libraries.
        if let Some(home) = home_of_interpreter(&root.join("pyvenv.cfg")) {
            self.programs(&home, step + 1);
        }
    }

    /// Whether `path` is open already.
    fn is_open(&self, path: &Path) -> bool {
        path.ancestors().any(|above| self.read.contains(above))
    }

    /// Whether a folder holds more than one thing: the root and what lies directly below it, a user's folder or what
    /// is above it, and `~/.local`, where programs lie beside keys.
    fn is_broad(&self, path: &Path) -> bool {
        path.components().count() <= 2
            || self.home.is_some_and(|home| home.starts_with(path))
            || path.parent().is_some_and(|parent| {
                parent == Path::new("/home") || parent == Path::new("/var/home")
            })
            || path.ends_with(".local")
    }
}

/// The absolute path in a word of a command, which may be the value of a `--flag=`; or else just some text.
pub(super) fn path_in(word: &str) -> &str {
    match word.split_once('=') {
        Some((_, value)) if !word.starts_with('/') => value,
        _ => word,
    }
}

fn is_of_programs(folder: &Path) -> bool {
    ["bin", "sbin", "shims"].iter().any(|name| folder.ends_with(name))
}

/// The folders of a PATH. A relative one means the model server's own folder.
fn entries(path: &str) -> impl Iterator<Item = PathBuf> {
    path.split(':').map(PathBuf::from).filter(|folder| folder.is_absolute())
}

/// Where a program lies. One with a slash that is relative lies in the model server's own folder.
fn find(program: &str, path: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|program| program.is_absolute());
    }
    entries(path).map(|folder| folder.join(program)).find(|program| program.is_file())
}

/// The beginning of a file.
fn head(path: &Path) -> Option<Vec<u8>> {
    // Nothing else: a pipe would make whoever reads it wait.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut head = Vec::new();
    fs::File::open(path).ok()?.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    Some(head)
}

/// The program that a script's first line names, and the one that this looks for in PATH if it is `env`.
fn interpreters(script: &Path, path: &str) -> Vec<PathBuf> {
    let line = head(script).unwrap_or_default();
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Some(line) = line.strip_prefix(b"#!").and_then(|line| str::from_utf8(line).ok()) else {
        return Vec::new();
    };
    let mut words = line.split_ascii_whitespace();
    let first = words.next().map(PathBuf::from).filter(|program| program.is_absolute());
    let by_env = first.as_ref().is_some_and(|program| program.ends_with("env"));
    let named = words.find(|word| by_env && !word.starts_with('-') && !word.contains('='));
    first.into_iter().chain(named.and_then(|name| find(name, path))).collect()
}

/// `home` of a `pyvenv.cfg`: the folder of the interpreter that the environment was made with.
fn home_of_interpreter(settings: &Path) -> Option<PathBuf> {
    let text = String::from_utf8(head(settings)?).ok()?;
    let lines = text.lines().filter_map(|line| line.split_once('='));
    let (_, home) =
        lines.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == "home")?;
    Some(PathBuf::from(home)).filter(|home| home.is_absolute())
}
