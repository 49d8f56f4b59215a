//! `[[s3]]` of the configuration: which buckets a real S3 holds, and where its keys come from.
//!
//! The server reads AWS's variables and files only for these entries, and only to fetch models. No key is kept: a profile is
//! read again for every download.

use std::sync::Arc;

use artifact::{AccessKey, Keys, RealBucket};
use cli::{Environment, aws_files, aws_profiles};
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
            let (profile, environment) = (profile.clone(), environment.clone());
            Keys::Asked(Arc::new(move || key_of(&profile, &environment)))
        }
    };
    let region = entry.region.as_deref().unwrap_or(region);
    RealBucket::new(&entry.bucket, entry.endpoint.as_deref(), region, keys)
        .map_err(|why| why.to_string())
}

/// The key of the profile as AWS's files have it now.
fn key_of(name: &str, environment: &Environment) -> Result<AccessKey, String> {
    let profiles = aws_profiles(name, environment).map_err(|why| why.to_string())?;
    let found = profiles.into_iter().find_map(|(_, profile)| {
        let key = profile.access_key()?;
        let session_token = profile.session_token.map(|token| token.expose().to_owned());
        let secret = key.secret.expose().to_owned();
        Some(AccessKey { id: key.access_key_id, secret, session_token })
    });
    found.ok_or_else(|| {
        format!("no profile {name:?} with an access key in {}", aws_files(environment))
    })
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
        let environment = environment(&[
            ("HOME", &dir.path().display().to_string()),
            ("AWS_SHARED_CREDENTIALS_FILE", "~/credentials"),
        ]);
        let error = key_of("prod", &environment).unwrap_err();
        let both = format!("{} or {}", credentials.display(), config.display());
        assert!(error.contains("no profile \"prod\"") && error.ends_with(&both), "{error}");

        std::fs::create_dir(dir.path().join(".aws")).unwrap();
        let text = "aws_access_key_id = AKIACONFIG\naws_secret_access_key = s\n";
        std::fs::write(&config, format!("[profile prod]\n{text}")).unwrap();
        assert_eq!(key_of("prod", &environment).unwrap().id, "AKIACONFIG");
        let text = "aws_access_key_id = ASIAX\naws_secret_access_key = s\naws_session_token = t\n";
        std::fs::write(&credentials, format!("[prod]\n{text}")).unwrap();
        let key = key_of("prod", &environment).unwrap();
        assert_eq!((key.id.as_str(), key.session_token.as_deref()), ("ASIAX", Some("t")));
        std::fs::write(&credentials, "nonsense").unwrap();
        let error = key_of("prod", &environment).unwrap_err();
        assert!(error.starts_with(&credentials.display().to_string()), "{error}");
    }
}
