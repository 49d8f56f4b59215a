//! The variables the program was started with. They come in as an argument, so that a test can say what they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::Error;

/// The process's environment by name. Whoever starts the command collects it.
pub type Environment = BTreeMap<String, String>;

/// The variable that names the data directory.
pub const DATA_DIR_VARIABLE: &str = "TIDEGATE_DATA_DIR";

/// A variable's value. Set to nothing is the same as not set, as AWS's tools have it.
pub(crate) fn variable<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

/// Where a server keeps its state unless told otherwise: `$XDG_DATA_HOME/tidegate`, else
/// `$HOME/.local/share/tidegate`. Fails if neither variable holds an absolute path.
pub fn default_data_dir(environment: &Environment) -> Result<PathBuf, Error> {
    let absolute =
        |name| variable(environment, name).map(Path::new).filter(|path| path.is_absolute());
    let base = absolute("XDG_DATA_HOME").map(Path::to_owned);
    let base = base.or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    base.map(|base| base.join("tidegate")).ok_or(Error::NoDataDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_dir_follows_the_xdg_rules() {
        let table = [
            (vec![("XDG_DATA_HOME", "/x"), ("HOME", "/h")], Some("/x/tidegate")),
            (vec![("XDG_DATA_HOME", ""), ("HOME", "/h")], Some("/h/.local/share/tidegate")),
            (vec![("XDG_DATA_HOME", "relative"), ("HOME", "/h")], Some("/h/.local/share/tidegate")),
            (vec![("HOME", "h")], None),
            (vec![], None),
        ];
        for (variables, wanted) in table {
            let environment =
                variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            assert_eq!(
                default_data_dir(&environment).ok(),
                wanted.map(PathBuf::from),
                "{variables:?}"
            );
        }
    }
}
