//! The options every command takes.

use std::path::PathBuf;

use crate::Error;
use crate::environment::{DATA_DIR_VARIABLE, Environment, default_data_dir, variable};

/// Where `--help` lists them.
const HEADING: &str = "Global options";

/// Options that may stand before or after any subcommand.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Global {
    /// `--data-dir`.
    #[arg(
        long, global = true, value_name = "DIR", help_heading = HEADING,
        help = "Where the local server keeps its state, its address and its credentials \
                [default: $TIDEGATE_DATA_DIR, else $XDG_DATA_HOME/tidegate, else ~/.local/share/tidegate]"
    )]
    pub data_dir: Option<PathBuf>,

    /// `--endpoint-url`.
    #[arg(
        long, global = true, value_name = "URL", help_heading = HEADING,
        help = "The server to talk to, such as http://127.0.0.1:4280 [default: the local server of --data-dir, else \
                $AWS_ENDPOINT_URL_SAGEMAKER, else $AWS_ENDPOINT_URL, else the profile's endpoint_url, else the local server]"
    )]
    pub endpoint_url: Option<String>,

    /// `--aws`.
    #[arg(
        long, global = true, help_heading = HEADING,
        help = "Talk to AWS itself, in the region of --region, $AWS_REGION, $AWS_DEFAULT_REGION or the profile; without this \
                flag AWS is never talked to",
        long_help = "Talk to AWS itself; without this flag AWS is never talked to, whatever an address says.\n\n\
                The region is that of --region, else $AWS_REGION, else $AWS_DEFAULT_REGION, else the profile's. Credentials are \
                found as AWS's own tools find them: variables, profiles with roles, SSO and processes, containers and \
                instances; with --profile, in that profile alone. Addresses that variables and profiles name do not count."
    )]
    pub aws: bool,

    /// `--ca-bundle`.
    #[arg(
        long, global = true, value_name = "FILE", help_heading = HEADING,
        help = "Certificates in PEM that an https:// server must have, or have been signed by \
                [default: $AWS_CA_BUNDLE, else the profile's ca_bundle, else the system's authorities and the local server's \
                own certificate]"
    )]
    pub ca_bundle: Option<PathBuf>,

    /// `--profile`.
    #[arg(
        long, global = true, value_name = "NAME", help_heading = HEADING,
        help = "The AWS profile whose endpoint_url, region and access key count [default: $AWS_PROFILE, else default]",
        long_help = "The AWS profile whose endpoint_url, region and access key count [default: $AWS_PROFILE, else default]\n\n\
                Requests are signed with the key of --profile, else the local server's own (in DIR/credentials) if --data-dir \
                or nothing names the server, else $AWS_ACCESS_KEY_ID with $AWS_SECRET_ACCESS_KEY and $AWS_SESSION_TOKEN, else \
                $AWS_PROFILE in $AWS_SHARED_CREDENTIALS_FILE, else the local server's if its own URL is named, else the \
                profile default."
    )]
    pub profile: Option<String>,

    /// `--region`.
    #[arg(
        long, global = true, value_name = "REGION", help_heading = HEADING,
        help = "The region requests are signed for \
                [default: the local server's, else $AWS_REGION, else $AWS_DEFAULT_REGION, else the profile's, else us-east-1]"
    )]
    pub region: Option<String>,

    /// Print JSON for programs instead of tables for people
    #[arg(long, global = true, help_heading = HEADING)]
    pub json: bool,
}

impl Global {
    /// The data directory: the flag, else `TIDEGATE_DATA_DIR`, else [`default_data_dir`].
    pub fn data_dir(&self, environment: &Environment) -> Result<PathBuf, Error> {
        if let Some(path) = &self.data_dir {
            return Ok(path.clone());
        }
        match variable(environment, DATA_DIR_VARIABLE) {
            Some(path) => Ok(PathBuf::from(path)),
            None => default_data_dir(environment),
        }
    }
}
