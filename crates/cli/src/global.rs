//! The options every command takes.

use std::path::PathBuf;

use crate::Error;
use crate::environment::{DATA_DIR_VARIABLE, Environment, default_data_dir, variable};

/// Options that may stand before or after any subcommand.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Global {
    /// Where the local server keeps its state, its address and its credentials
    ///
    /// [default: $TIDEGATE_DATA_DIR, else $XDG_DATA_HOME/tidegate, else ~/.local/share/tidegate]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub data_dir: Option<PathBuf>,

    /// The server to talk to, such as http://127.0.0.1:4280
    ///
    /// [default: $AWS_ENDPOINT_URL_SAGEMAKER, else $AWS_ENDPOINT_URL, else the profile's endpoint_url, else the
    /// local server of the data dir; --data-dir wins over the variables and the profile]
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub endpoint_url: Option<String>,

    /// The AWS profile whose endpoint_url, region and keys count [default: $AWS_PROFILE, else default]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Global options")]
    pub profile: Option<String>,

    /// The region requests are signed for [default: the local server's, else $AWS_REGION, else us-east-1]
    #[arg(long, global = true, value_name = "REGION", help_heading = "Global options")]
    pub region: Option<String>,

    /// Print JSON for programs instead of tables for people
    #[arg(long, global = true, help_heading = "Global options")]
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
