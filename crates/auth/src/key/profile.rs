//! AWS's shared-credentials file, and the config file that looks like it: sections of `name = value` lines.
//!
//! It is read as botocore reads it: unknown settings, comments and nested values are passed over, so that a user's own
//! file works. Only what is ours to write is written.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::{SecretKey, SessionToken};

use super::AccessKey;

/// The longest file that is read, in bytes. People's files have a few dozen profiles of a few hundred bytes.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;

/// One section of the file; what it does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    pub access_key_id: Option<String>,
    pub secret: Option<SecretKey>,
    pub session_token: Option<SessionToken>,
    pub region: Option<String>,
    pub endpoint_url: Option<String>,
    /// Path of a file of certificates to trust.
    pub ca_bundle: Option<String>,
}

/// Profiles by name; the name of a config file's `[profile x]` is `x`.
pub type Profiles = BTreeMap<String, Profile>;

/// Why a file could not be read as profiles, or a profile not be written. It never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    #[error("the file has {bytes} bytes, more than {FILE_BYTES_MAX}")]
    TooLong { bytes: usize },
    #[error("line {line}: a section must look like [name]")]
    Section { line: usize },
    #[error("line {line}: expected a setting, name = value")]
    Setting { line: usize },
    #[error("line {line}: a setting before the first [section]")]
    Homeless { line: usize },
    #[error("{what} cannot be written on one line")]
    Unwritable { what: &'static str },
}

impl Profile {
    /// A profile that holds just this key.
    pub fn of(key: &AccessKey) -> Self {
        Self {
            access_key_id: Some(key.access_key_id.clone()),
            secret: Some(key.secret.clone()),
            ..Self::default()
        }
    }

    /// The id and secret, if the profile has both.
    pub fn access_key(&self) -> Option<AccessKey> {
        Some(AccessKey { access_key_id: self.access_key_id.clone()?, secret: self.secret.clone()? })
    }

    fn set(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        match name.to_ascii_lowercase().as_str() {
            "aws_access_key_id" => self.access_key_id = Some(value.to_owned()),
            "aws_secret_access_key" => self.secret = Some(SecretKey::new(value)),
            "aws_session_token" => self.session_token = Some(SessionToken::new(value)),
            "region" => self.region = Some(value.to_owned()),
            "endpoint_url" => self.endpoint_url = Some(value.to_owned()),
            "ca_bundle" => self.ca_bundle = Some(value.to_owned()),
            _ => {}
        }
    }

    fn settings(&self) -> [(&'static str, Option<&str>); 6] {
        [
            ("aws_access_key_id", self.access_key_id.as_deref()),
            ("aws_secret_access_key", self.secret.as_ref().map(SecretKey::expose)),
            ("aws_session_token", self.session_token.as_ref().map(SessionToken::expose)),
            ("region", self.region.as_deref()),
            ("endpoint_url", self.endpoint_url.as_deref()),
            ("ca_bundle", self.ca_bundle.as_deref()),
        ]
    }
}

/// Reads a shared-credentials or config file. A section that comes twice is one profile, the later setting wins.
pub fn parse(text: &str) -> Result<Profiles, ProfileError> {
    if text.len() > FILE_BYTES_MAX {
        return Err(ProfileError::TooLong { bytes: text.len() });
    }
    let mut profiles = Profiles::new();
    let mut current: Option<&mut Profile> = None;
    for (line, raw) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let content = raw.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        // An indented line continues the setting before it (s3's nested settings, say): none of ours nests.
        if current.is_some() && raw.starts_with([' ', '\t']) {
            continue;
        }
        if let Some(section) = content.strip_prefix('[') {
            let name = section_name(section).ok_or(ProfileError::Section { line })?;
            current = Some(profiles.entry(name.to_owned()).or_default());
            continue;
        }
        let (name, value) = content.split_once('=').ok_or(ProfileError::Setting { line })?;
        current.as_mut().ok_or(ProfileError::Homeless { line })?.set(name.trim(), value.trim());
    }
    Ok(profiles)
}

/// The name in `name]` or `profile name]`, with a comment allowed behind it.
fn section_name(section: &str) -> Option<&str> {
    let (name, rest) = section.split_once(']')?;
    let rest = rest.trim();
    if !rest.is_empty() && !rest.starts_with(['#', ';']) {
        return None;
    }
    let name = name.trim();
    let name = name
        .strip_prefix("profile")
        .filter(|rest| rest.starts_with([' ', '\t']))
        .unwrap_or(name)
        .trim();
    let name = name.trim_matches(['"', '\'']);
    (!name.is_empty()).then_some(name)
}

/// Writes profiles as a shared-credentials file, in the order of their names.
pub fn print(profiles: &Profiles) -> Result<String, ProfileError> {
    let mut text = String::new();
    for (name, profile) in profiles {
        if section_name(&format!("{name}]")) != Some(name) || !is_one_line(name) {
            return Err(ProfileError::Unwritable { what: "the name of a profile" });
        }
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{gap}[{name}]");
        for (setting, value) in profile.settings() {
            let Some(value) = value else { continue };
            if value.is_empty() || value.trim() != value || !is_one_line(value) {
                return Err(ProfileError::Unwritable { what: setting });
            }
            let _ = writeln!(text, "{setting} = {value}");
        }
    }
    Ok(text)
}

fn is_one_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_as_people_have_it_is_read() {
        let text = "\u{feff}# mine\r\n[default]\r\naws_access_key_id = AKIA1\r\nAWS_SECRET_ACCESS_KEY=a=b/+\r\n\r\n\
            [profile  work] # config style\nregion=eu-central-1\nendpoint_url = http://127.0.0.1:4280\nca_bundle=~/ca.pem\ns3 =\n  \
            addressing_style = path\noutput = json\naws_session_token =\n; the end\n[profile]\nregion = r\n\
            [default]\nregion = us-east-1\n";
        let profiles = parse(text).unwrap();
        assert_eq!(profiles.keys().collect::<Vec<_>>(), ["default", "profile", "work"]);
        let default = &profiles["default"];
        let key = default.access_key().unwrap();
        assert_eq!((key.access_key_id.as_str(), key.secret.expose()), ("AKIA1", "a=b/+"));
        assert_eq!(default.region.as_deref(), Some("us-east-1"));
        assert_eq!(profiles["work"].endpoint_url.as_deref(), Some("http://127.0.0.1:4280"));
        assert_eq!(profiles["work"].ca_bundle.as_deref(), Some("~/ca.pem"));
        assert_eq!(profiles["work"].session_token, None);
        assert_eq!(profiles["work"].access_key(), None);
    }

    #[test]
    fn a_broken_file_is_refused_with_its_line() {
        for (text, error) in [
            ("region = x", ProfileError::Homeless { line: 1 }),
            ("\n[]\n", ProfileError::Section { line: 2 }),
            ("[a", ProfileError::Section { line: 1 }),
            ("[a] b", ProfileError::Section { line: 1 }),
            ("[a]\nsecret", ProfileError::Setting { line: 2 }),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
        let long = "#".repeat(FILE_BYTES_MAX + 1);
        assert_eq!(parse(&long), Err(ProfileError::TooLong { bytes: FILE_BYTES_MAX + 1 }));
    }

    #[test]
    fn what_would_break_the_file_is_not_written() {
        for (name, region) in
            [("a", "x\ny"), ("a", " x"), ("a", ""), ("a]", "x"), ("", "x"), ("profile a", "x")]
        {
            let profile = Profile { region: Some(region.into()), ..Profile::default() };
            assert!(
                print(&Profiles::from([(name.into(), profile)])).is_err(),
                "[{name:?}] region = {region:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            name in "[a-zA-Z0-9_.-]{1,12}",
            values in prop::array::uniform6(prop::option::of("[!-~]([ -~]{0,20}[!-~])?")),
        ) {
            let [access_key_id, secret, token, region, endpoint_url, ca_bundle] = values;
            let profile = Profile {
                access_key_id,
                secret: secret.map(SecretKey::new),
                session_token: token.map(SessionToken::new),
                region,
                endpoint_url,
                ca_bundle,
            };
            let profiles = Profiles::from([(name, profile), ("default".into(), Profile::default())]);
            prop_assert_eq!(parse(&print(&profiles).unwrap()), Ok(profiles));
        }

        #[test]
        fn no_text_panics(text in "(\\[?[a-z ]{0,8}[\\]=#]?[ \\t\\r\\n\u{feff}]?\\PC?){0,30}") {
            let _ = parse(&text);
        }
    }
}
