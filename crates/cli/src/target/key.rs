//! Whose key signs. For AWS that is [`Chain`]'s matter; for other servers, the first that applies:
//! 1. with `--profile`: that profile of AWS's files (`AWS_SHARED_CREDENTIALS_FILE`, `AWS_CONFIG_FILE`)
//! 2. with `--data-dir`, or if nobody named a server: the data directory's own root key
//! 3. `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`
//! 4. if `AWS_PROFILE` or `AWS_SHARED_CREDENTIALS_FILE` is set: that profile of AWS's files
//! 5. if the server named is the data directory's own: its root key
//! 6. the profile `default` of AWS's files
//!
//! So a key for AWS that lies about is not sent to the local server, and a shell that was set up with `tidegate env` or
//! for a user of the server acts as that user.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use auth::key::Profile;
use auth::{SecretKey, SessionToken};

use crate::environment::{Environment, variable};
use crate::{Error, Global};

use super::aws::Chain;
use super::files::{aws_files, aws_profiles, credentials_path, find_in_data_dir, profile_name};
use super::{Origin, Server};

/// An access key to sign with.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) access_key_id: String,
    pub(crate) secret: SecretKey,
    pub(crate) session_token: Option<SessionToken>,
    /// Where it was found, for messages.
    pub(crate) source: String,
}

/// Where the key to sign with comes from.
#[derive(Debug, Clone)]
pub(crate) enum Keys {
    /// It is known, and stays what it is.
    Fixed(Key),
    /// It is found when it is needed, and may end.
    Lent(Arc<Chain>),
}

impl Keys {
    pub(super) fn resolve(
        server: &Server,
        global: &Global,
        environment: &Environment,
    ) -> Result<Self, Error> {
        match &server.aws {
            Some(aws) => {
                let chain = Chain::new(aws, global.profile.as_deref(), &server.trust);
                Ok(Self::Lent(Arc::new(chain)))
            }
            None => Key::resolve(server, global, environment).map(Self::Fixed),
        }
    }

    /// The key that was signed with last, for messages.
    pub(crate) fn last(&self) -> Option<Key> {
        match self {
            Self::Fixed(key) => Some(key.clone()),
            Self::Lent(chain) => chain.last(),
        }
    }

    /// The key to sign with now.
    pub(crate) async fn key(&self) -> Result<Key, Error> {
        match self {
            Self::Fixed(key) => Ok(key.clone()),
            Self::Lent(chain) => chain.key().await,
        }
    }
}

impl Key {
    fn resolve(server: &Server, global: &Global, environment: &Environment) -> Result<Self, Error> {
        if global.profile.is_some() {
            return Self::of_aws_files(server, global, environment);
        }
        if let Some(data_dir) = &global.data_dir {
            return Self::of_data_dir(server, data_dir);
        }
        if let Origin::Local { data_dir, .. } = &server.origin {
            return Self::of_data_dir(server, data_dir);
        }
        if let Some(key) = Self::of_variables(environment)? {
            return Ok(key);
        }
        let files_are_meant = ["AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"]
            .iter()
            .any(|name| variable(environment, name).is_some());
        match &server.local {
            Some((data_dir, _)) if !files_are_meant => Self::of_data_dir(server, data_dir),
            _ => Self::of_aws_files(server, global, environment),
        }
    }

    fn of_variables(environment: &Environment) -> Result<Option<Self>, Error> {
        let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
        match (variable(environment, id), variable(environment, secret)) {
            (Some(id), Some(secret)) => Ok(Some(Self {
                access_key_id: id.to_owned(),
                secret: SecretKey::new(secret),
                session_token: variable(environment, "AWS_SESSION_TOKEN").map(SessionToken::new),
                source: "AWS_ACCESS_KEY_ID".to_owned(),
            })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(half_a_key(id, secret)),
            (None, Some(_)) => Err(half_a_key(secret, id)),
        }
    }

    fn of_data_dir(server: &Server, data_dir: &Path) -> Result<Self, Error> {
        let path = credentials_path(data_dir);
        match find_in_data_dir(data_dir, "default")? {
            Some((_, profile)) => Self::of_profile(&path, "default", &profile)
                .ok_or_else(|| incomplete(&path, "default")),
            None => Err(Error::NoKey {
                url: server.url.to_string(),
                tried: format!(
                    "{} does not exist or has no [default]; the server writes it at its first start",
                    path.display()
                ),
            }),
        }
    }

    fn of_aws_files(
        server: &Server,
        global: &Global,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let name = profile_name(global, environment);
        let profiles = aws_profiles(&name, environment)?;
        if let Some(key) =
            profiles.iter().find_map(|(path, profile)| Self::of_profile(path, &name, profile))
        {
            return Ok(key);
        }
        match profiles.into_iter().next() {
            Some((path, _)) => Err(incomplete(&path, &name)),
            None if global.profile.is_some() || variable(environment, "AWS_PROFILE").is_some() => {
                Err(Error::NoProfile { name, files: aws_files(environment) })
            }
            None => Err(Error::NoKey {
                url: server.url.to_string(),
                tried: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name the server's data directory with --data-dir or \
                        a profile with --profile"
                    .to_owned(),
            }),
        }
    }

    fn of_profile(path: &Path, name: &str, profile: &Profile) -> Option<Self> {
        let key = profile.access_key()?;
        let session_token = profile.session_token.clone();
        let source = format!("profile `{name}` in {}", path.display());
        Some(Self { access_key_id: key.access_key_id, secret: key.secret, session_token, source })
    }
}

fn half_a_key(set: &str, unset: &str) -> Error {
    Error::Usage(format!("{set} is set and {unset} is not: set both or neither"))
}

fn incomplete(path: &Path, name: &str) -> Error {
    let problem = format!(
        "profile `{name}` lacks aws_access_key_id or aws_secret_access_key (roles, SSO and credential_process are \
         followed only with --aws)"
    );
    Error::Malformed { path: PathBuf::from(path), problem }
}
