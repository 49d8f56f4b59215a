//! `[[s3]]` of the configuration: which buckets a real S3 holds, and where its keys come from.
//!
//! The server reads AWS's variables and files only for these entries, and only to fetch models. No key is kept: a profile is
//! read again for every download.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use artifact::{AccessKey, Keys, RealBucket};
use auth::key::{FILE_BYTES_MAX, Profile};
use cli::Environment;
use serde::Deserialize;

/// `[[s3]]`: buckets of a real S3; the first entry that matches counts, and none means the embedded S3.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct S3Entry {
    /// A glob over bucket names.
    pub bucket: String,
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub profile: Option<String>,
    #[serde(default)]
    pub anonymous: bool,
}

/// What the entries mean. The error names entry and setting.
pub(crate) fn real_buckets(
    entries: &[S3Entry],
    region: &str,
    environment: &Environment,
) -> Result<Vec<RealBucket>, String> {
    entries.iter().map(|entry| real_bucket(entry, region, environment)).collect()
}

fn real_bucket(
    entry: &S3Entry,
    region: &str,
    environment: &Environment,
) -> Result<RealBucket, String> {
    let keys = match (&entry.profile, entry.anonymous) {
        (Some(_), true) => {
            return Err(format!(
                "bucket = {:?} has both a profile and anonymous = true; keep one",
                entry.bucket
            ));
        }
        (None, true) => Keys::Anonymous,
        (None, false) => Keys::environment(
            environment.iter().map(|(name, value)| (name.as_str(), value.as_str())),
        ),
        (Some(profile), false) => {
            let (profile, files) = (profile.clone(), profile_files(environment));
            Keys::Asked(Arc::new(move || key_of(&profile, &files)))
        }
    };
    let region = entry.region.as_deref().unwrap_or(region);
    RealBucket::new(&entry.bucket, entry.endpoint.as_deref(), region, keys)
        .map_err(|why| why.to_string())
}

/// AWS's credentials file and config file; keys in the first win.
fn profile_files(environment: &Environment) -> Vec<PathBuf> {
    let variable =
        |name| environment.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let home = variable("HOME").map(Path::new);
    [("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")]
        .into_iter()
        .filter_map(|(name, file)| match (variable(name), home) {
            (Some(named), Some(home)) if named.starts_with("~/") => Some(home.join(&named[2..])),
            (Some(named), _) => Some(PathBuf::from(named)),
            (None, home) => home.map(|home| home.join(".aws").join(file)),
        })
        .collect()
}

fn key_of(name: &str, files: &[PathBuf]) -> Result<AccessKey, String> {
    for path in files {
        let found = profile(path, name)?;
        if let Some(Profile {
            access_key_id: Some(id), secret: Some(secret), session_token, ..
        }) = found
        {
            let session_token = session_token.map(|token| token.expose().to_owned());
            return Ok(AccessKey { id, secret: secret.expose().to_owned(), session_token });
        }
    }
    let files: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    Err(format!("no profile {name:?} with an access key in {}", files.join(" or ")))
}

/// The profile in this file; a file that is not there has none.
fn profile(path: &Path, name: &str) -> Result<Option<Profile>, String> {
    let failed = |why: String| format!("cannot read {}: {why}", path.display());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    // One byte more than is read tells a file that is too long from one that just fits.
    let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    file.take(limit).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    let mut profiles = auth::key::parse(&text).map_err(|error| failed(error.to_string()))?;
    Ok(profiles.remove(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> S3Entry {
        toml::from_str(text).unwrap()
    }

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_named() {
        for (text, named) in [
            ("bucket = 'a['", "a["),
            ("bucket = 'a'\nendpoint = 'http://s3.example'", "endpoint"),
            ("bucket = 'a'\nprofile = 'p'\nanonymous = true", "both"),
        ] {
            let error = real_bucket(&entry(text), "us-east-1", &environment(&[])).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
        assert!(toml::from_str::<S3Entry>("bucket = 'a'\nsecret = 'x'").is_err());
    }

    #[test]
    fn a_profile_is_looked_up_anew_in_both_files() {
        let dir = tempfile::tempdir().unwrap();
        let (credentials, config) =
            (dir.path().join("credentials"), dir.path().join(".aws/config"));
        let files = profile_files(&environment(&[
            ("HOME", &dir.path().display().to_string()),
            ("AWS_SHARED_CREDENTIALS_FILE", "~/credentials"),
        ]));
        assert_eq!(files, [credentials.clone(), config.clone()]);
        let error = key_of("prod", &files).unwrap_err();
        assert!(error.contains("no profile \"prod\"") && error.contains("credentials"), "{error}");

        std::fs::create_dir(dir.path().join(".aws")).unwrap();
        let text = "aws_access_key_id = AKIACONFIG\naws_secret_access_key = s\n";
        std::fs::write(&config, format!("[profile prod]\n{text}")).unwrap();
        assert_eq!(key_of("prod", &files).unwrap().id, "AKIACONFIG");
        let text = "aws_access_key_id = ASIAX\naws_secret_access_key = s\naws_session_token = t\n";
        std::fs::write(&credentials, format!("[prod]\n{text}")).unwrap();
        let key = key_of("prod", &files).unwrap();
        assert_eq!((key.id.as_str(), key.session_token.as_deref()), ("ASIAX", Some("t")));
        std::fs::write(&credentials, "nonsense").unwrap();
        assert!(key_of("prod", &files).unwrap_err().contains("cannot read"));
    }
}
