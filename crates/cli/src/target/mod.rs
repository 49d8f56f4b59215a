//! Which server a command talks to, and as whom. Everything is decided here, before the first byte is sent; only files
//! are read.
//!
//! Which server, the first that is named:
//! 1. `--endpoint-url`
//! 2. the local server of `--data-dir`
//! 3. `AWS_ENDPOINT_URL_SAGEMAKER`, then `AWS_ENDPOINT_URL`
//! 4. `endpoint_url` of the profile (`--profile`, else `AWS_PROFILE`, else `default`) in AWS's config file
//! 5. the local server of the data directory that `TIDEGATE_DATA_DIR` or the default names
//!
//! A server that is spoken to over TLS must have a certificate that [`trust`] knows.
//!
//! AWS itself is refused whoever names it. With `--aws` it is AWS, and nothing of the list is looked at ([`aws`]). Whose key
//! signs is [`key`]'s matter.

mod aws;
mod files;
mod key;
pub(crate) mod trust;
mod url;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;

pub(crate) use aws::Aws;
pub(crate) use files::credentials_file_of;
pub use files::{aws_files, aws_profiles};
pub(crate) use key::{Key, Keys};
pub(crate) use url::BaseUrl;

use crate::environment::{Environment, variable};
use crate::server_file::ServerFile;
use crate::shell::word;
use crate::{Error, Global};

/// The region of a server that was started without saying one.
const DEFAULT_REGION: &str = "us-east-1";

/// Who named the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `--endpoint-url`.
    Flag,
    /// An environment variable.
    Variable(&'static str),
    /// `endpoint_url` of a profile.
    Profile { name: String, path: PathBuf },
    /// The `server.json` of a data directory.
    Local {
        data_dir: PathBuf,
        /// Whether `--data-dir` names it.
        by_flag: bool,
    },
    /// `--aws`.
    Aws,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => out.write_str("from --endpoint-url"),
            Self::Variable(name) => write!(out, "from {name}"),
            Self::Profile { name, path } => {
                write!(out, "from profile `{name}` in {}", path.display())
            }
            Self::Local { data_dir, .. } => write!(out, "the server of {}", data_dir.display()),
            Self::Aws => out.write_str("AWS"),
        }
    }
}

/// A server, before anybody signs in.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) url: BaseUrl,
    pub(crate) origin: Origin,
    /// The data directory whose running server this is, and what it says about itself.
    pub(crate) local: Option<(PathBuf, ServerFile)>,
    /// Set if it is AWS, where each service has an address of its own.
    pub(crate) aws: Option<Aws>,
    /// Whom to believe that they are this server.
    pub(crate) trust: Arc<ClientConfig>,
}

/// A server and who talks to it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) server: Server,
    pub(crate) region: String,
    pub(crate) keys: Keys,
}

impl Server {
    pub(crate) fn resolve(global: &Global, environment: &Environment) -> Result<Self, Error> {
        if global.aws {
            return Self::of_aws(global, environment);
        }
        if let Some(url) = &global.endpoint_url {
            return Self::named(url, Origin::Flag, global, environment);
        }
        if global.data_dir.is_some() {
            return Self::local(global, environment);
        }
        for name in ["AWS_ENDPOINT_URL_SAGEMAKER", "AWS_ENDPOINT_URL"] {
            if let Some(url) = variable(environment, name) {
                return Self::named(url, Origin::Variable(name), global, environment);
            }
        }
        let name = files::profile_name(global, environment);
        if let Some((path, profile)) = files::find_in_config(&name, environment)?
            && let Some(url) = profile.endpoint_url
        {
            return Self::named(&url, Origin::Profile { name, path }, global, environment);
        }
        Self::local(global, environment)
    }

    fn of_aws(global: &Global, environment: &Environment) -> Result<Self, Error> {
        let other = [
            ("--endpoint-url", global.endpoint_url.is_some()),
            ("--data-dir", global.data_dir.is_some()),
        ];
        if let Some((flag, _)) = other.into_iter().find(|(_, given)| *given) {
            return Err(Error::Usage(format!(
                "--aws is AWS itself, and {flag} is another server: name one of them"
            )));
        }
        let aws = Aws::resolve(global, environment)?;
        let url = aws.url();
        let trust = trust::resolve(&url, None, global, environment)?;
        Ok(Self { url, origin: Origin::Aws, local: None, aws: Some(aws), trust })
    }

    fn named(
        url: &str,
        origin: Origin,
        global: &Global,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let url = BaseUrl::parse(url, &origin)?;
        // A local server that is named by its URL is still known by its file. That the file cannot be read is no
        // reason not to talk to the URL.
        let data_dir = global.data_dir(environment).ok();
        let local = data_dir.and_then(|data_dir| {
            let file = ServerFile::read(&data_dir).ok().flatten()?;
            let its_own = BaseUrl::parse(&file.endpoint_url, &origin).ok()?;
            (its_own == url).then_some((data_dir, file))
        });
        let trust =
            trust::resolve(&url, local.as_ref().map(|(_, file)| file), global, environment)?;
        Ok(Self { url, origin, local, aws: None, trust })
    }

    /// The server that runs on the data directory, whoever names that.
    pub(crate) fn local(global: &Global, environment: &Environment) -> Result<Self, Error> {
        if global.aws {
            return Err(Error::Usage("--aws: this is about the local server alone".to_owned()));
        }
        let data_dir = global.data_dir(environment)?;
        let data_dir = std::path::absolute(&data_dir).unwrap_or(data_dir);
        let by_flag = global.data_dir.is_some();
        let Some(file) = ServerFile::read(&data_dir)? else {
            return Err(Error::NoServer { start: start_command(&data_dir, by_flag), data_dir });
        };
        let origin = Origin::Local { data_dir: data_dir.clone(), by_flag };
        let url = BaseUrl::parse(&file.endpoint_url, &origin)?;
        let trust = trust::resolve(&url, Some(&file), global, environment)?;
        Ok(Self { url, origin, local: Some((data_dir, file)), aws: None, trust })
    }
}

/// What starts the server that was not found.
pub(crate) fn start_command(data_dir: &Path, by_flag: bool) -> String {
    if by_flag {
        format!("tidegate up --data-dir {}", word(data_dir))
    } else {
        "tidegate up".to_owned()
    }
}

impl Target {
    pub(crate) fn resolve(global: &Global, environment: &Environment) -> Result<Self, Error> {
        let server = Server::resolve(global, environment)?;
        let keys = Keys::resolve(&server, global, environment)?;
        let region = region(&server, global, environment)?;
        Ok(Self { server, region, keys })
    }

    /// Where a service answers, by the prefix of its host at AWS, and the region that its requests are signed for.
    pub(crate) fn address(&self, endpoint_prefix: &str) -> Result<(BaseUrl, &str), Error> {
        match &self.server.aws {
            Some(aws) => aws.address(endpoint_prefix),
            None => Ok((self.server.url.clone(), &self.region)),
        }
    }
}

/// The region to sign for: the flag; what a local server says of itself; else as AWS's tools find it.
fn region(server: &Server, global: &Global, environment: &Environment) -> Result<String, Error> {
    if let Some(aws) = &server.aws {
        return Ok(aws.region().to_owned());
    }
    if let Some(region) = &global.region {
        return Ok(region.clone());
    }
    if let Some((_, file)) = &server.local {
        return Ok(file.region.clone());
    }
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        if let Some(region) = variable(environment, name) {
            return Ok(region.to_owned());
        }
    }
    let name = files::profile_name(global, environment);
    let profile = files::find_in_config(&name, environment)?;
    Ok(profile.and_then(|(_, profile)| profile.region).unwrap_or_else(|| DEFAULT_REGION.to_owned()))
}

#[cfg(test)]
mod tests;
