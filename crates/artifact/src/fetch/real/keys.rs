//! Whose key opens a real bucket. Secrets pass through here on their way to the signer, and nowhere else.

use std::fmt;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

/// The variables that AWS's tools read keys and roles from, and what they set. Nothing else of the environment counts: after
/// `tidegate env` it names this very server as the endpoint.
const VARIABLES: [(&str, AmazonS3ConfigKey); 9] = [
    (ACCESS_KEY_ID, AmazonS3ConfigKey::AccessKeyId),
    ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
    ("AWS_SESSION_TOKEN", AmazonS3ConfigKey::Token),
    (WEB_IDENTITY, AmazonS3ConfigKey::WebIdentityTokenFile),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
    ("AWS_ROLE_SESSION_NAME", AmazonS3ConfigKey::RoleSessionName),
    (CONTAINER_RELATIVE, AmazonS3ConfigKey::ContainerCredentialsRelativeUri),
    (CONTAINER_FULL, AmazonS3ConfigKey::ContainerCredentialsFullUri),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", AmazonS3ConfigKey::ContainerAuthorizationTokenFile),
];
const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const WEB_IDENTITY: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
const CONTAINER_RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const CONTAINER_FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

/// What AWS's tools call the metadata service's place.
const METADATA: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";

/// `true` here keeps AWS's tools from asking the metadata service.
const METADATA_DISABLED: &str = "AWS_EC2_METADATA_DISABLED";

/// An access key. `Debug` shows the id alone.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// `AKIA…` or `ASIA…`
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// With a key of a session.
    pub session_token: Option<String>,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Where keys come from.
#[derive(Clone)]
pub enum Keys {
    /// The buckets are public.
    Anonymous,
    /// Asked before every download, so that a rotated key counts at once. Blocks; the error names what to do.
    Asked(Arc<dyn Fn() -> Result<AccessKey, String> + Send + Sync>),
    /// As AWS's tools find them: see [`Keys::environment`].
    Environment(Arc<[(&'static str, String)]>),
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Asked(_) => f.debug_tuple("Asked").finish_non_exhaustive(),
            Self::Environment(variables) => f
                .debug_tuple("Environment")
                .field(&variables.iter().map(|(name, _)| *name).collect::<Vec<_>>())
                .finish(),
        }
    }
}

impl Keys {
    /// Keys of these environment variables: `AWS_ACCESS_KEY_ID` and its secret, else a web identity (EKS), else the
    /// container's (ECS, EKS Pod Identity), else the machine's (EC2 instance metadata, unless
    /// `AWS_EC2_METADATA_DISABLED=true`). Other variables are passed over.
    pub fn environment<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let known = VARIABLES.iter().map(|(name, _)| *name).chain([METADATA, METADATA_DISABLED]);
        let known: Vec<&'static str> = known.collect();
        let kept = variables.into_iter().filter(|(_, value)| !value.is_empty());
        Self::Environment(
            kept.filter_map(|(name, value)| {
                let name = known.iter().find(|known| **known == name)?;
                Some((*name, value.to_owned()))
            })
            .collect(),
        )
    }

    /// Gives the builder what it signs with. Blocks.
    pub(super) fn apply(&self, builder: AmazonS3Builder) -> Result<AmazonS3Builder, String> {
        match self {
            Self::Anonymous => Ok(builder.with_skip_signature(true)),
            Self::Asked(ask) => {
                let key = ask()?;
                let builder = builder.with_access_key_id(key.id).with_secret_access_key(key.secret);
                Ok(match key.session_token {
                    Some(token) => builder.with_token(token),
                    None => builder,
                })
            }
            Self::Environment(variables) => of_environment(variables, builder),
        }
    }
}

fn of_environment(
    variables: &[(&'static str, String)],
    mut builder: AmazonS3Builder,
) -> Result<AmazonS3Builder, String> {
    let value = |wanted: &str| {
        variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str())
    };
    for (name, key) in VARIABLES {
        if let Some(value) = value(name) {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(place) = value(METADATA) {
        builder = builder.with_metadata_endpoint(place.trim_end_matches('/'));
    }
    let elsewhere = [ACCESS_KEY_ID, WEB_IDENTITY, CONTAINER_RELATIVE, CONTAINER_FULL];
    let disabled = value(METADATA_DISABLED).is_some_and(|set| set.eq_ignore_ascii_case("true"));
    if disabled && elsewhere.iter().all(|name| value(name).is_none()) {
        return Err("the server has no key for it: give the [[s3]] entry a profile, or start the server with \
                    AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            .to_owned());
    }
    Ok(builder)
}
