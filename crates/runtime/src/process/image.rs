//! The image table: which command stands for which image. It knows patterns and commands only; it starts nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobMatcher};

/// The images that the server's own binary brings, and what it is called with to be them.
const BUILT_IN: [(&str, &str); 2] = [("tidegate/onnx", "onnx"), ("tidegate/echo", "echo")];

/// The hidden subcommand behind the built-in images.
const SERVE: &str = "__serve";

/// An `[[image]]` entry of the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// A glob over `CreateModel`'s Image; `*` also crosses slashes and colons.
    pub pattern: String,
    /// The program and its arguments; a program without a slash is looked for in the instance's PATH.
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// Absolute paths that the command may read, besides the system, the installations on PATH, and what the command
    /// itself names.
    pub readable: Vec<PathBuf>,
    /// Absolute paths that the command may write to, besides the instance's own folder.
    pub writable: Vec<PathBuf>,
}

/// What is wrong with an `[[image]]` entry.
#[derive(Debug, thiserror::Error)]
pub enum ImageTableError {
    #[error("[[image]] match = {pattern:?}: {source}")]
    Pattern { pattern: String, source: globset::Error },
    #[error("[[image]] match = {pattern:?}: command is empty")]
    NoCommand { pattern: String },
    #[error("[[image]] match = {pattern:?}: {path} is not absolute", path = .path.display())]
    Relative { pattern: String, path: PathBuf },
}

/// The entries of the config in their order, the first match wins, and the built-in images after them.
#[derive(Debug, Clone, Default)]
pub struct ImageTable {
    entries: Vec<(GlobMatcher, Image)>,
}

/// How an image is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recipe {
    pub(crate) command: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) listens: Listens,
    pub(crate) readable: Vec<PathBuf>,
    pub(crate) writable: Vec<PathBuf>,
}

/// What the model server is told to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listens {
    /// `SAGEMAKER_BIND_TO_PORT`, which any model server for `SageMaker` understands.
    Tcp,
    /// `TIDEGATE_BIND_TO_SOCKET`, which the built-in ones understand and no other user reaches.
    Unix,
}

impl ImageTable {
    pub fn new(entries: Vec<Image>) -> Result<Self, ImageTableError> {
        let entries = entries.into_iter().map(|image| {
            let pattern = || image.pattern.clone();
            let glob = Glob::new(&image.pattern)
                .map_err(|source| ImageTableError::Pattern { pattern: pattern(), source })?;
            if image.command.first().is_none_or(String::is_empty) {
                return Err(ImageTableError::NoCommand { pattern: pattern() });
            }
            let paths = image.readable.iter().chain(&image.writable);
            if let Some(path) = paths.into_iter().find(|path| !path.is_absolute()) {
                return Err(ImageTableError::Relative { pattern: pattern(), path: path.clone() });
            }
            Ok((glob.compile_matcher(), image))
        });
        Ok(Self { entries: entries.collect::<Result<_, _>>()? })
    }

    /// The entries of the config.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Image> {
        self.entries.iter().map(|(_, image)| image)
    }

    /// How to run `image`; `exe` is the server's own binary. The error is meant for a `FailureReason`.
    pub(crate) fn recipe(&self, image: &str, exe: &Path) -> Result<Recipe, String> {
        if let Some((_, entry)) = self.entries.iter().find(|(glob, _)| glob.is_match(image)) {
            let Image { command, environment, readable, writable, .. } = entry.clone();
            return Ok(Recipe { command, environment, listens: Listens::Tcp, readable, writable });
        }
        let name = built_in(image).ok_or_else(|| unknown(image))?;
        let exe = exe.to_str().ok_or("the path of the server's binary is not UTF-8")?;
        let command = vec![exe.to_owned(), SERVE.to_owned(), name.to_owned()];
        let (environment, readable, writable) = <_>::default();
        Ok(Recipe { command, environment, listens: Listens::Unix, readable, writable })
    }
}

fn built_in(image: &str) -> Option<&'static str> {
    let is = |name: &str| {
        image.strip_prefix(name).is_some_and(|tag| tag.is_empty() || tag.starts_with(':'))
    };
    BUILT_IN.iter().find(|(image, _)| is(image)).map(|(_, name)| *name)
}

fn unknown(image: &str) -> String {
    // The library's escape leaves the character alone that escapes others.
    let pattern = toml_string(&globset::escape(image).replace('\\', "\\\\"));
    format!(
        "no runtime knows the image '{image}' (built in are tidegate/onnx and tidegate/echo); \
         add the command that serves it to the server's config file:\n\
         [[image]]\nmatch = {pattern}\ncommand = [\"python3\", \"server.py\"]"
    )
}

/// A basic string of TOML.
fn toml_string(raw: &str) -> String {
    let mut quoted = String::from('"');
    for character in raw.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                quoted.extend(format!("\\u{:04X}", u32::from(control)).chars());
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(pattern: &str, program: &str) -> Image {
        Image {
            pattern: pattern.into(),
            command: vec![program.into()],
            environment: BTreeMap::new(),
            readable: Vec::new(),
            writable: Vec::new(),
        }
    }

    fn program(table: &ImageTable, image: &str) -> Option<String> {
        table.recipe(image, Path::new("/bin/tidegate")).ok().map(|recipe| recipe.command.join(" "))
    }

    #[test]
    fn the_first_match_wins_and_the_built_in_images_come_last() {
        let table = ImageTable::new(vec![
            entry("*/my-model:*", "first"),
            entry("*/my-model:1", "second"),
            entry("tidegate/echo:mine", "third"),
        ])
        .unwrap();
        for (image, expected) in [
            ("0123.dkr.ecr.eu-west-1.amazonaws.com/team/my-model:1", Some("first")),
            ("team/my-model", None),
            ("tidegate/echo:mine", Some("third")),
            ("tidegate/echo", Some("/bin/tidegate __serve echo")),
            ("tidegate/echo:1.2", Some("/bin/tidegate __serve echo")),
            ("tidegate/onnx", Some("/bin/tidegate __serve onnx")),
            ("tidegate/onnxx", None),
            ("other/tidegate/onnx", None),
        ] {
            assert_eq!(program(&table, image).as_deref(), expected, "{image}");
        }
    }

    #[test]
    fn only_built_in_images_listen_on_a_socket() {
        let table = ImageTable::new(vec![entry("mine", "a")]).unwrap();
        let listens = |image| table.recipe(image, Path::new("/t")).unwrap().listens;
        assert_eq!(listens("mine"), Listens::Tcp);
        assert_eq!(listens("tidegate/onnx"), Listens::Unix);
    }

    #[test]
    fn entries_that_could_never_work_are_refused() {
        assert!(matches!(
            ImageTable::new(vec![entry("a[", "x")]),
            Err(ImageTableError::Pattern { .. })
        ));
        assert!(matches!(
            ImageTable::new(vec![entry("a", "")]),
            Err(ImageTableError::NoCommand { .. })
        ));
        let relative = Image { writable: vec!["~/models".into()], ..entry("a", "x") };
        assert!(matches!(ImageTable::new(vec![relative]), Err(ImageTableError::Relative { .. })));
        let empty = Image { command: Vec::new(), ..entry("a", "x") };
        assert!(matches!(ImageTable::new(vec![empty]), Err(ImageTableError::NoCommand { .. })));
    }

    #[test]
    fn the_entry_that_is_proposed_would_match() {
        for image in ["repo/model:1", "odd[1]*?{x}\"q\\z"] {
            let text = ImageTable::default().recipe(image, Path::new("/t")).unwrap_err();
            let line = text.lines().find_map(|line| line.strip_prefix("match = ")).unwrap();
            let pattern = line.trim_matches('"').replace("\\\"", "\"").replace("\\\\", "\\");
            let table = ImageTable::new(vec![entry(&pattern, "found")]).unwrap();
            assert_eq!(program(&table, image).as_deref(), Some("found"), "{text}");
        }
    }
}
