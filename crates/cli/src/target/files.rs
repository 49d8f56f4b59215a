//! AWS's two files of profiles: where they lie and what a profile of that name says in them.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use auth::key::{FILE_BYTES_MAX, Profile, Profiles};

use crate::environment::{Environment, variable};
use crate::{Error, Global};

/// The profile that counts if nobody names one.
const DEFAULT_PROFILE: &str = "default";

/// `--profile`, else `AWS_PROFILE`, else `default`.
pub(super) fn profile_name(global: &Global, environment: &Environment) -> String {
    let named = global.profile.as_deref().or_else(|| variable(environment, "AWS_PROFILE"));
    named.unwrap_or(DEFAULT_PROFILE).to_owned()
}

/// The profile in `AWS_CONFIG_FILE` (`~/.aws/config`), with the path of the file.
pub(super) fn find_in_config(
    name: &str,
    environment: &Environment,
) -> Result<Option<(PathBuf, Profile)>, Error> {
    find(aws_file("AWS_CONFIG_FILE", "config", environment), name)
}

/// The profile in `AWS_SHARED_CREDENTIALS_FILE` (`~/.aws/credentials`), then that in the config file, each with the path of
/// its file. As AWS's tools have it, a key in the first wins.
pub fn aws_profiles(
    name: &str,
    environment: &Environment,
) -> Result<Vec<(PathBuf, Profile)>, Error> {
    let credentials = aws_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", environment);
    let both = [find(credentials, name)?, find_in_config(name, environment)?];
    Ok(both.into_iter().flatten().collect())
}

/// The profile in the credentials file of a data directory.
pub(super) fn find_in_data_dir(
    data_dir: &Path,
    name: &str,
) -> Result<Option<(PathBuf, Profile)>, Error> {
    find(Some(credentials_path(data_dir)), name)
}

/// Where a server keeps the root access key.
pub(crate) fn credentials_path(data_dir: &Path) -> PathBuf {
    data_dir.join("credentials")
}

/// The credentials file that holds a profile's access key: the data directory's, else the user's own.
pub(crate) fn credentials_file_of(
    name: &str,
    data_dir: &Path,
    environment: &Environment,
) -> Result<PathBuf, Error> {
    let own = aws_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", environment);
    let places: Vec<PathBuf> =
        [Some(credentials_path(data_dir)), own].into_iter().flatten().collect();
    for path in &places {
        let found = find(Some(path.clone()), name)?;
        if found.is_some_and(|(_, profile)| profile.access_key().is_some()) {
            return Ok(std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        }
    }
    let files: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
    Err(Error::NoProfile { name: name.to_owned(), files: files.join(" or ") })
}

/// Both of AWS's files, for messages.
pub fn aws_files(environment: &Environment) -> String {
    let config = aws_file("AWS_CONFIG_FILE", "config", environment);
    let credentials = aws_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", environment);
    let paths: Vec<String> = [credentials, config]
        .into_iter()
        .flatten()
        .map(|path| path.display().to_string())
        .collect();
    if paths.is_empty() { "AWS's files (HOME is not set)".to_owned() } else { paths.join(" or ") }
}

fn aws_file(variable_name: &str, name: &str, environment: &Environment) -> Option<PathBuf> {
    match variable(environment, variable_name) {
        Some(path) => Some(expanded(path, environment)),
        None => variable(environment, "HOME").map(|home| Path::new(home).join(".aws").join(name)),
    }
}

/// The path, where `~/` stands for the home directory.
pub(super) fn expanded(path: &str, environment: &Environment) -> PathBuf {
    match (path.strip_prefix("~/"), variable(environment, "HOME")) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => PathBuf::from(path),
    }
}

fn find(path: Option<PathBuf>, name: &str) -> Result<Option<(PathBuf, Profile)>, Error> {
    let Some(path) = path else { return Ok(None) };
    let mut profiles = read(&path)?;
    Ok(profiles.remove(name).map(|profile| (path, profile)))
}

fn read(path: &Path) -> Result<Profiles, Error> {
    let malformed = |problem: String| Error::Malformed { path: path.to_owned(), problem };
    // One byte more than is read tells a file that is too long from one that just fits.
    let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    match std::fs::File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text)) {
        Ok(_) => auth::key::parse(&text).map_err(|error| malformed(error.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Profiles::new()),
        Err(error) => Err(malformed(error.to_string())),
    }
}
